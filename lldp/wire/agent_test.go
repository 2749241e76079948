package wire_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/switchlet/switchlet/lldp/frame"
	"github.com/switchlet/switchlet/lldp/wire"
)

func (r *run) untilNeighbors(want ...string) {
	r.t.Helper()
	r.until(strings.Join(want, ", "), func() bool { return slices.Equal(r.neighbors(), want) })
}

// Two machines with two cables find out which port is connected to which, and
// forget it when one says that it ends.
func TestTwoMachines(t *testing.T) {
	node, leaf := newSpace(t), newSpace(t)
	cable(node, "eth0", leaf, "Ethernet0")
	cable(node, "eth1", leaf, "Ethernet4")
	a, b := node.agent(named("node1")), leaf.agent(named("leaf1"))
	a.untilNeighbors("eth0: leaf1 Ethernet0", "eth1: leaf1 Ethernet4")
	b.untilNeighbors("Ethernet0: node1 eth0", "Ethernet4: node1 eth1")
	n := a.Neighbors()[0]
	if n.Destination != wire.NearestBridge() || n.Source == (wire.MAC{}) || n.Frame.SystemName != "leaf1" || n.FirstSeen.After(n.LastSeen) {
		t.Errorf("neighbour %+v", n)
	}
	if size, ok := n.Frame.MaxFrameSize(); size != 1518 || !ok {
		t.Errorf("frames of %d", size)
	}
	b.end()
	a.untilNeighbors()
	for _, p := range a.Ports() {
		if p.Counters.In == 0 || p.Counters.Out == 0 || p.Counters.Malformed+p.Counters.SendErrors+p.Counters.Discarded > 0 {
			t.Errorf("%s: %+v", p.Link.Name, p.Counters)
		}
	}
}

// Links come, go down and up, change their names and vanish while the agent runs.
func TestLinksChange(t *testing.T) {
	node, leaf := newSpace(t), newSpace(t)
	a, b := node.agent(named("node1")), leaf.agent(named("leaf1"))
	cable(node, "eth0", leaf, "Ethernet0")
	a.untilNeighbors("eth0: leaf1 Ethernet0")
	b.untilNeighbors("Ethernet0: node1 eth0")

	leaf.set("Ethernet0", netlink.LinkSetDown)
	a.untilNeighbors("eth0: leaf1 Ethernet0 stale")
	leaf.set("Ethernet0", netlink.LinkSetUp)
	a.untilNeighbors("eth0: leaf1 Ethernet0")

	node.set("eth0", func(l netlink.Link) error { return netlink.LinkSetName(l, "ens1f0") })
	a.untilNeighbors("ens1f0: leaf1 Ethernet0")
	b.untilNeighbors("Ethernet0: node1 ens1f0")

	leaf.set("Ethernet0", func(l netlink.Link) error { return netlink.LinkSetAlias(l, "rack 7") })
	a.until("another description", func() bool {
		n := a.Neighbors()
		return len(n) == 1 && n[0].Frame.PortDescription == "rack 7"
	})

	node.set("ens1f0", netlink.LinkDel)
	a.untilNeighbors()
	b.untilNeighbors()
	if ports := a.Ports(); len(ports) != 0 {
		t.Errorf("ports %+v of links that are gone", ports)
	}
}

// A port of a Linux bridge is a port like others, and the bridge does not pass on
// what is said on it. That the bridge lets it go does not mean that it is gone.
func TestPortOfABridge(t *testing.T) {
	node, bridge, far := newSpace(t), newSpace(t), newSpace(t)
	cable(node, "eth0", bridge, "port0")
	cable(bridge, "port1", far, "eth0")
	bridge.do(func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "br0"
		return netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs})
	})
	bridge.set("br0", netlink.LinkSetUp)
	for _, port := range []string{"port0", "port1"} {
		bridge.set(port, func(l netlink.Link) error {
			br, err := netlink.LinkByName("br0")
			if err != nil {
				return err
			}
			return netlink.LinkSetMaster(l, br)
		})
	}
	a, b, c := node.agent(named("node1")), bridge.agent(named("leaf1")), far.agent(named("node2"))
	a.untilNeighbors("eth0: leaf1 port0")
	c.untilNeighbors("eth0: leaf1 port1")
	b.untilNeighbors("port0: node1 eth0", "port1: node2 eth0")

	since := b.Neighbors()[0].FirstSeen
	bridge.set("port0", netlink.LinkSetNoMaster)
	bridge.set("port0", func(l netlink.Link) error { return netlink.LinkSetAlias(l, "later") })
	b.until("what came after", func() bool {
		ports := b.Ports()
		return len(ports) == 2 && ports[0].Link.Master == 0 && ports[0].Link.Alias == "later"
	})
	if n := b.Neighbors(); len(n) != 2 || n[0].Interface != "port0" || !n[0].FirstSeen.Equal(since) {
		t.Errorf("neighbours %+v, the first one heard since %v", n, since)
	}
}

// A cable between two ports of the machine is a loop and not a neighbour.
func TestLoop(t *testing.T) {
	node := newSpace(t)
	cable(node, "eth0", node, "eth1")
	a := node.agent(named("node1"))
	want := []string{"eth0: node1 eth1", "eth1: node1 eth0"}
	a.until("both ends of the loop", func() bool { return slices.Equal(lines(a.Loops()), want) })
	if got := a.neighbors(); len(got) != 0 {
		t.Errorf("neighbours %q", got)
	}
}

// Describe changes what is said, and Refresh says it at once.
func TestDescribe(t *testing.T) {
	node, leaf := newSpace(t), newSpace(t)
	cable(node, "eth0", leaf, "Ethernet0")
	a := node.agent(named("node1"))
	description := make(chan string, 1)
	description <- "first"
	cfg := named("leaf1")
	cfg.Describe = func(l wire.Link, f *frame.Frame) {
		text := <-description
		description <- text
		f.PortID = frame.PortID{Subtype: frame.PortLocal, ID: "etp1"}
		f.PortDescription = l.Name + " " + text
	}
	b := leaf.agent(cfg)
	said := func(want string) func() bool {
		return func() bool {
			n := a.Neighbors()
			return len(n) == 1 && n[0].Frame.PortDescription == want && n[0].Frame.PortID.ID == "etp1"
		}
	}
	a.until("the description", said("Ethernet0 first"))
	<-description
	description <- "second"
	b.Refresh()
	a.until("another description", said("Ethernet0 second"))
}

// The hardware is asked for LLDP's group addresses while a link is spoken on.
func TestGroupAddresses(t *testing.T) {
	node, leaf := newSpace(t), newSpace(t)
	cable(node, "eth0", leaf, "Ethernet0")
	cfg := named("node1")
	cfg.Select = func(l wire.Link) bool { return l.Alias == "" && l.Kind == "veth" }
	a := node.agent(cfg)
	a.until("eth0", func() bool { return len(a.Ports()) == 1 })
	groups := func() (n int) {
		node.do(func() error {
			text, err := os.ReadFile("/proc/thread-self/net/dev_mcast")
			for line := range strings.Lines(string(text)) {
				if strings.Contains(line, "eth0") && strings.Contains(line, "0180c20000") {
					n++
				}
			}
			return err
		})
		return n
	}
	awaitTrue(t, "three groups", func() bool { return groups() == 3 })
	node.set("eth0", func(l netlink.Link) error { return netlink.LinkSetAlias(l, "not this one") })
	awaitTrue(t, "no groups", func() bool { return groups() == 0 })
}

// An agent tells what it lacks, and does not begin with a Config that makes no sense.
func TestRefusedConfigs(t *testing.T) {
	for _, test := range []struct {
		cfg  wire.Config
		want string
	}{
		{wire.Config{}, `Chassis ID "" has 0 octets`},
		{wire.Config{Chassis: frame.ChassisByName("a"), Interval: 1}, "interval 1ns has to be from 1s to 1h"},
		{wire.Config{Chassis: frame.ChassisByName("a"), Hold: -1}, "hold -1 has to be from 1 to 100"},
		{wire.Config{Chassis: frame.ChassisByName("a"), SystemName: strings.Repeat("x", 256)}, "at most 255 can be sent"},
	} {
		if _, err := wire.New(test.cfg); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, wanted %q", err, test.want)
		}
	}
}
