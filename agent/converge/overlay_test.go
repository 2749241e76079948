package converge_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	goredis "github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/agent/converge"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/frrtest"
)

// drainable has BGP and two networks: one at Ethernet0 and Ethernet4, one at a port
// channel of two ports.
func drainable() v1alpha1.SwitchConfigSpec {
	s := routed("r1", 1, 2)
	owner := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPCAttachment, Namespace: "tenant", Name: "web"}
	s.Segments[0].Ports = []v1alpha1.SegmentPort{{Name: "Ethernet0", Mode: v1alpha1.ModeTagged, Owner: owner}, {Name: "Ethernet4", Mode: v1alpha1.ModeTagged, Owner: owner}}
	s.Segments[1].Ports = []v1alpha1.SegmentPort{{Name: "PortChannel0001", Mode: v1alpha1.ModeTagged, Owner: owner}}
	return s
}

// overlaid waits until an overlay is in force.
func (r *rig) overlaid(o converge.Overlay) report.Overlay {
	r.t.Helper()
	r.inbox.SetOverlay(o)
	return r.until(fmt.Sprintf("%+v is in force", o), func(f report.Facts) bool {
		return f.Overlay.Routes == o.Routes && f.Overlay.Ports == o.Ports && f.Overlay.RoutesDone && f.Overlay.PortsDone
	}).Overlay
}

func off(rows box.Rows) (ports []string) {
	for _, port := range []string{"Ethernet0", "Ethernet4", "Ethernet8", "Ethernet112", "Ethernet116"} {
		if rows["PORT|"+port]["admin_status"] == "down" {
			ports = append(ports, port)
		}
	}
	return ports
}

// A drain is put over the spec, and what it was put over comes back as it was:
// CONFIG_DB to the byte, FRR to the statement, a restart and a reload in between.
func TestOverlay(t *testing.T) {
	r := newRoutedRig(t)
	s := drainable()
	was := off(r.before)
	r.boot()
	r.told(s)
	rows := r.rows()
	var frrBefore string
	r.frr.use(func() { frrBefore = sortedTree(r.frr.tree) })

	r.overlaid(converge.Overlay{Routes: true})
	if text := r.frr.text(); !strings.Contains(text, "bgp graceful-shutdown") {
		t.Errorf("FRR is not asked:\n%s", text)
	}
	if diff := cmp.Diff(rows, r.rows()); diff != "" {
		t.Errorf("CONFIG_DB changed with BGP:\n%s", diff)
	}
	drained := converge.Overlay{Routes: true, Ports: true, Spare: []string{"Ethernet4"}}
	found := r.overlaid(drained)
	want := []string{"Ethernet0", "Ethernet112", "Ethernet116"}
	if diff := cmp.Diff(want, off(r.rows())); diff != "" {
		t.Errorf("ports off, of which %v were before (-want +got):\n%s", was, diff)
	}
	if found.Spared != 1 || found.Off != len(want)-len(was) || cmp.Diff(want, found.Watched) != "" {
		t.Errorf("overlay %+v", found)
	}

	r.end() // killed
	r.boot()
	r.inbox.SetOverlay(drained)
	r.write(s)
	r.overlaid(drained)
	r.must(r.box.Reload(t.Context())) // SONiC's file has the ports on
	r.eventually("the ports are off again", func() error {
		if got := off(r.rows()); cmp.Diff(want, got) != "" {
			return fmt.Errorf("off are %v", got)
		}
		return nil
	})
	r.overlaid(converge.Overlay{Ports: true, Spare: []string{"Ethernet4"}})
	r.frr.use(func() {
		if diff := cmp.Diff(frrBefore, sortedTree(r.frr.tree)); diff != "" {
			t.Errorf("FRR is not as before:\n%s", diff)
		}
	})
	r.overlaid(converge.Overlay{})
	if diff := cmp.Diff(was, off(r.rows())); diff != "" {
		t.Errorf("ports off afterwards (-before +after):\n%s", diff)
	}
}

// A port is switched once, however often the agent looks before Redis has told it of
// its own change: what a port has already is not set again.
func TestOverlayIsWrittenOnce(t *testing.T) {
	r := newRoutedRig(t)
	r.boot()
	r.told(drainable())
	changes := r.follow()
	for i := range 20 {
		for j := range 10 { // each is a reason to look
			r.inbox.SetOverlay(converge.Overlay{Ports: true, Spare: []string{fmt.Sprintf("Ethernet%d", 1000*i+j)}})
		}
		r.overlaid(converge.Overlay{Ports: true})
		r.ported("down")
		r.overlaid(converge.Overlay{})
		r.ported("up")
	}
	written := map[string]int{}
	for _, change := range changes() {
		written[change]++
	}
	for _, port := range []string{"Ethernet0", "Ethernet4", "Ethernet112", "Ethernet116"} {
		if got := written["PORT|"+port+" hset"]; got != 2*20 {
			t.Errorf("%s was written %d times, want off and on 20 times", port, got)
		}
	}
}

// ported waits until SONiC's daemons have heard that a port is on or off.
func (r *rig) ported(want string) {
	r.t.Helper()
	appl := goredis.NewClient(&goredis.Options{Network: "unix", Addr: r.box.Socket(), DB: 0, Protocol: 2})
	defer appl.Close()
	r.eventually("portmgrd has heard", func() error {
		got, err := appl.HGet(r.t.Context(), "PORT_TABLE:Ethernet4", "admin_status").Result()
		if err == nil && got != want {
			err = fmt.Errorf("Ethernet4 is %s", got)
		}
		return err
	})
}

// What somebody else does with a port meanwhile stays: one that was off before, and
// one that he switches off and on.
func TestOverlayLeavesTheOperatorsPorts(t *testing.T) {
	r := newRoutedRig(t)
	s := drainable()
	r.hset("PORT|Ethernet4", "admin_status", "down")
	r.byHand = true // his port is used
	r.boot()
	r.told(s)
	r.overlaid(converge.Overlay{Routes: true, Ports: true})
	r.pause(true)
	r.inbox.SetOverlay(converge.Overlay{})
	r.until("a paused switch is left as it is", func(f report.Facts) bool {
		return !f.Overlay.Ports && !f.Overlay.PortsDone && strings.Contains(f.Overlay.Message, "spec.paused")
	})
	r.pause(false)
	r.overlaid(converge.Overlay{})
	if got := r.rows()["PORT|Ethernet4"]["admin_status"]; got != "down" {
		t.Errorf("Ethernet4 was off before the drain, and is %s", got)
	}
	if got := r.rows()["PORT|Ethernet0"]["admin_status"]; got != "up" {
		t.Errorf("Ethernet0 is %s", got)
	}
}

func TestOverlayOnTheRealFRR(t *testing.T) { frrtest.OnEach(t, testOverlayOnTheRealFRR) }

// The real FRR keeps being asked over a restart of bgpd, as when its container is
// replaced, and is as before afterwards.
func testOverlayOnTheRealFRR(t *testing.T, release frrtest.Release) {
	r := newOnSwitch(t, release)
	others, err := r.frr.tree()
	r.must(err)
	r.start()
	r.told(routed("r1", 1))
	asked := func() error {
		tree, err := r.frr.tree()
		if err == nil && !strings.Contains(tree.String(), "bgp graceful-shutdown") {
			err = fmt.Errorf("FRR has\n%s", tree)
		}
		return err
	}
	r.overlaid(converge.Overlay{Routes: true})
	r.must(asked())
	r.frr.Stop(t, "bgpd")
	r.until("it is noticed", func(f report.Facts) bool { return !f.Overlay.RoutesDone })
	r.frr.Start(t, "bgpd")
	r.eventually("the new bgpd is asked, too", asked)
	r.overlaid(converge.Overlay{})
	r.has("it is as before", others, routed("r1", 1))
}
