package wire_test

import (
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// A cable is moved from one machine to another and back, faster than the kernel tells
// that a carrier was lost. Whoever is heard afterwards is the only one who is there.
func TestCableMovedAtOnce(t *testing.T) {
	node, leaf1, leaf2 := newSpace(t), newSpace(t), newSpace(t)
	cable(node, "eth0", leaf1, "Ethernet0")
	a := node.agent(named("node1"))
	leaf1.agent(named("leaf1"))
	leaf2.agent(named("leaf2"))
	a.untilNeighbors("eth0: leaf1 Ethernet0")
	for range 2 {
		took := move(leaf1, "Ethernet0", leaf2)
		a.untilNeighbors("eth0: leaf1 Ethernet0 stale", "eth0: leaf2 Ethernet0")
		back := move(leaf2, "Ethernet0", leaf1)
		a.untilNeighbors("eth0: leaf1 Ethernet0", "eth0: leaf2 Ethernet0 stale")
		t.Logf("moved within %v, and back within %v", took, back)
	}
}

// The count of the kernel is in what it tells of a link, at first and later on.
func TestCarrierLossesAreCounted(t *testing.T) {
	node, leaf := newSpace(t), newSpace(t)
	cable(node, "eth0", leaf, "Ethernet0")
	a := node.agent(named("node1"))
	losses := func() uint32 {
		if p := a.Ports(); len(p) == 1 {
			return p[0].Link.CarrierLosses
		}
		return 0
	}
	a.until("a link with a carrier", func() bool { p := a.Ports(); return len(p) == 1 && p[0].Link.Running })
	before := losses()
	leaf.set("Ethernet0", netlink.LinkSetDown)
	a.until("one more loss", func() bool { return losses() == before+1 })
	leaf.set("Ethernet0", netlink.LinkSetUp)
	leaf.set("Ethernet0", netlink.LinkSetDown)
	a.until("and one more", func() bool { return losses() == before+2 })
}

// move takes the end of a cable from one machine to another.
func move(from *space, name string, to *space) time.Duration {
	from.t.Helper()
	begin := time.Now()
	from.set(name, func(l netlink.Link) error { return netlink.LinkSetNsFd(l, int(to.ns.Fd())) })
	to.set(name, netlink.LinkSetUp)
	return time.Since(begin)
}
