package neighbors

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/api/neighbor"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/lldp/frame"
	"github.com/switchlet/switchlet/lldp/wire"
)

// space is a network namespace that ends with the test.
type space struct{ ns *os.File }

func newSpace(t *testing.T) space {
	t.Helper()
	var s space
	opened := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its namespace
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			s.ns, err = os.Open("/proc/thread-self/ns/net")
		}
		opened <- err
	}()
	err := <-opened
	if errors.Is(err, unix.EPERM) {
		labtest.Missing(t, "make a network namespace: %v: run the tests as root", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.ns.Close() })
	return s
}

// enter runs something in the namespace.
func (s space) enter(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := unix.Setns(int(s.ns.Fd()), unix.CLONE_NEWNET)
		if err == nil {
			err = do()
		}
		done <- err
	}()
	return <-done
}

// cable connects a port here with one there, which may be the same place.
func (s space) cable(t *testing.T, name string, there space, peer string) {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	err := s.enter(func() error {
		return netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: peer, PeerNamespace: netlink.NsFd(int(there.ns.Fd()))})
	})
	if err != nil {
		t.Fatal(err)
	}
	s.set(t, name, netlink.LinkSetUp)
	there.set(t, peer, netlink.LinkSetUp)
}

func (s space) set(t *testing.T, name string, set func(netlink.Link) error) {
	t.Helper()
	err := s.enter(func() error {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		return set(link)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// inSpace is a speaker in another namespace than the test's.
type inSpace struct {
	speaker
	space space
}

func (s inSpace) Run(ctx context.Context) error {
	return s.space.enter(func() error { return s.speaker.Run(ctx) })
}

// A switch without lldp service, a host whose agent speaks LLDP, and a cable
// between two of the switch's own ports, with real frames: each hears the other
// as SONiC would have said it, the switch hears itself, and when the host's cable
// is pulled it is stale.
func TestOwnFramesOnTheWire(t *testing.T) {
	// Redis ends with the thread that started it, and whoever enters a namespace takes
	// its thread along in the end: this one is the test's.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	leaf, host := newSpace(t), newSpace(t)
	leaf.cable(t, "Ethernet0", host, "eth1")
	leaf.cable(t, "Ethernet4", leaf, "Ethernet8")
	leaf.cable(t, "eth0", host, "eth0") // management: no port of the front panel

	said, err := wire.New(wire.Config{
		Chassis: frame.ChassisByName("host1"), SystemName: "host1",
		Select: func(l wire.Link) bool { return l.Ethernet },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = host.enter(func() error { return said.Run(ctx) }) })
	defer all.Wait()
	defer stop()

	b := newBox(t)
	b.feature("disabled")
	w := b.run(Config{OwnFrames: true, Gap: 10 * time.Millisecond, speak: func(s self) (speaker, error) {
		speaker, err := newOwnFrames(s, slog.New(slog.DiscardHandler))
		return inSpace{speaker, leaf}, err
	}})
	w.shows(`
		Ethernet0 host1 eth1 
		Ethernet4 leaf1 Eth3 Ethernet8
		Ethernet8 leaf1 Eth2 Ethernet4
	`)
	until(t, func() bool { return len(said.Neighbors()) == 1 })
	heard, ok := neighbor.Of("eth1", said.Neighbors()[0].Frame)
	if want := "eth1 leaf1 Eth1 Ethernet0"; !ok || heard.Port+" "+heard.SystemName+" "+heard.PortID+" "+heard.PortDescription != want || heard.ChassisID != "52:54:00:5c:00:01" {
		t.Errorf("the host hears %+v, want %s", heard, want)
	}
	host.set(t, "eth1", netlink.LinkSetDown)
	w.shows(`
		Ethernet0 host1 eth1  stale
		Ethernet4 leaf1 Eth3 Ethernet8
		Ethernet8 leaf1 Eth2 Ethernet4
	`)
	host.set(t, "eth1", netlink.LinkSetUp)
	w.shows(`
		Ethernet0 host1 eth1 
		Ethernet4 leaf1 Eth3 Ethernet8
		Ethernet8 leaf1 Eth2 Ethernet4
	`)
	b.feature("enabled") // and the agent takes back what it said
	until(t, func() bool { return len(said.Neighbors()) == 0 })
}
