package neighbors

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/api/neighbor"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/lldp/frame"
)

// fakeSpeaker hears what it is told to.
type fakeSpeaker struct {
	self    self
	changed chan struct{}
	ended   chan struct{} // closed when it speaks no more

	mu  sync.Mutex
	all []v1alpha1.LLDPNeighbor
}

func (f *fakeSpeaker) Run(ctx context.Context) error {
	<-ctx.Done()
	close(f.ended)
	return nil
}

func (f *fakeSpeaker) Changed() <-chan struct{} { return f.changed }

func (f *fakeSpeaker) heard() []v1alpha1.LLDPNeighbor {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.all
}

func (f *fakeSpeaker) hear(neighbors ...v1alpha1.LLDPNeighbor) {
	f.mu.Lock()
	f.all = neighbors
	f.mu.Unlock()
	f.changed <- struct{}{}
}

// Where the lldp service is switched off the agent speaks in its place, with the
// same words; what is left of the service's rows does not count. It ends as soon
// as the service is switched on, and the rows count again.
func TestOwnFramesInPlaceOfTheService(t *testing.T) {
	b := newBox(t)
	b.feature("disabled")
	b.set(applDB, "LLDP_ENTRY_TABLE:Ethernet120", spine("spine9", "of old"))
	b.set(applDB, "LLDP_LOC_CHASSIS", map[string]string{locChassisSubtype: "7", locChassis: "of old", locSystemName: "of old"})
	if err := b.db[configDB].HSet(t.Context(), "PORT|Ethernet4", "description", "to host1").Err(); err != nil {
		t.Fatal(err)
	}
	speakers := make(chan *fakeSpeaker, 9)
	w := b.run(Config{OwnFrames: true, Gap: 20 * time.Millisecond, speak: func(s self) (speaker, error) {
		f := &fakeSpeaker{self: s, changed: make(chan struct{}, 1), ended: make(chan struct{})}
		speakers <- f
		return f, nil
	}})
	speaker := <-speakers
	if s := speaker.self; s.system.Name != "leaf1" || s.system.ChassisID != "52:54:00:5c:00:01" || len(s.ports) != 32 || s.ports["Ethernet4"].Description != "to host1" {
		t.Errorf("it says %+v", s)
	}
	speaker.hear(somebody("Ethernet4", "host1", "eth1"), somebody("Ethernet8", "host2", "eth1"))
	w.shows("Ethernet4 host1 eth1 \nEthernet8 host2 eth1 \n")
	if v := w.View(); !v.Own || v.SystemName != "leaf1" || v.ChassisID != "52:54:00:5c:00:01" {
		t.Errorf("the view is %+v", v)
	}
	speaker.hear(somebody("Ethernet4", "host1", "eth1"))
	w.shows("Ethernet4 host1 eth1 \nEthernet8 host2 eth1  stale\n")

	b.feature("enabled")
	<-speaker.ended
	w.shows("Ethernet4 host1 eth1  stale\nEthernet8 host2 eth1  stale\nEthernet120 spine9 of old to-leaf1\n")
	if v := w.View(); v.Own || v.SystemName != "of old" {
		t.Errorf("the view is %+v", v)
	}
	if len(speakers) > 0 {
		t.Errorf("%d speakers more", len(speakers))
	}
}

// Another host name or port is said at once: by another speaker, after the one
// before has ended.
func TestOwnFramesFollowConfigDB(t *testing.T) {
	b := newBox(t)
	b.feature("disabled")
	speakers := make(chan *fakeSpeaker, 9)
	w := b.run(Config{OwnFrames: true, speak: func(s self) (speaker, error) {
		f := &fakeSpeaker{self: s, changed: make(chan struct{}, 1), ended: make(chan struct{})}
		speakers <- f
		return f, nil
	}})
	first := <-speakers
	if err := b.db[configDB].HSet(t.Context(), "DEVICE_METADATA|localhost", "hostname", "leaf9").Err(); err != nil {
		t.Fatal(err)
	}
	second := <-speakers
	select {
	case <-first.ended:
	default:
		t.Error("two speak at the same time")
	}
	if second.self.system.Name != "leaf9" {
		t.Errorf("it says %+v", second.self.system)
	}
	w.stop()
	<-second.ended
}

// Without the right to speak the service's silence is silence.
func TestServiceAwayWithoutOwnFrames(t *testing.T) {
	b := newBox(t)
	b.set(applDB, "LLDP_ENTRY_TABLE:Ethernet120", spine("spine1", "etp1"))
	w := b.run(Config{Silence: 20 * time.Millisecond, Gap: 20 * time.Millisecond})
	w.shows("Ethernet120 spine1 etp1 to-leaf1\n")
	b.feature("disabled")
	w.shows("Ethernet120 spine1 etp1 to-leaf1 stale\n")
	b.feature("enabled")
	w.shows("Ethernet120 spine1 etp1 to-leaf1\n")
}

func TestFrames(t *testing.T) {
	f := frame.Frame{
		ChassisID: frame.ChassisByMAC([]byte{0x52, 0x54, 0, 0x5c, 0, 0x0b}), PortID: frame.PortID{Subtype: frame.PortLocal, ID: "etp1"},
		PortDescription: "Ethernet0\x00\x00", SystemName: "spine1",
	}
	got, ok := neighbor.Of("Ethernet120", f)
	want := v1alpha1.LLDPNeighbor{
		Port: "Ethernet120", ChassisIDSubtype: v1alpha1.ChassisMACAddress, ChassisID: "52:54:00:5c:00:0b",
		PortIDSubtype: v1alpha1.PortLocal, PortID: "etp1", PortDescription: "Ethernet0", SystemName: "spine1",
	}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("heard is %v (-want +got):\n%s", ok, diff)
	}
}

func TestNoFramesWithoutMAC(t *testing.T) {
	_, err := newOwnFrames(self{system: system{Name: "leaf1"}}, slog.New(slog.DiscardHandler))
	if err == nil || !strings.HasPrefix(err.Error(), `DEVICE_METADATA|localhost: mac is ""`) {
		t.Errorf("error is %v", err)
	}
}
