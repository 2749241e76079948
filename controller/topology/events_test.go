package topology

import (
	"fmt"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// goodHost cables a host as it should be: one NIC or a bond to a pair of leaves.
func (f *fabric) goodHost() {
	h := f.addHost(f.rand.IntN(3) > 0, 1+f.rand.IntN(2))
	leaf := f.leaf()
	f.cable(nic(h, 0), f.port(leaf))
	if len(h.Status.NICs) == 2 {
		h.Status.NICs[0].Bond, h.Status.NICs[1].Bond = "bond0", "bond0"
		f.cable(nic(h, 1), f.port(f.buddy(leaf)))
	}
}

// buddy is a leaf of the same redundancy group.
func (f *fabric) buddy(leaf *v1alpha1.Switch) *v1alpha1.Switch {
	for _, sw := range f.switches {
		if sw != leaf && sw.Spec.RedundancyGroup == leaf.Spec.RedundancyGroup && len(f.free[sw.Name]) > 4 {
			return sw
		}
	}
	return leaf
}

// event is something that is done to a fabric, and what has to be said of it.
type event struct {
	name string
	do   func(*fabric)
}

func (e event) String() string { return e.name }

// events are mistakes, and things that are none. Each is done to a host of its own.
func events() []event {
	return []event{
		{"two machines of one name, of which one is the host's own", func(f *fabric) {
			h := f.addHost(true, 1)
			f.cable(nic(h, 0), f.port(f.leaf()))
			f.hears(f.port(f.leaf()), nic(h, 0))
			f.mistake(hostRef(h), "HeardTwice")
		}},
		{"two machines of one name without an agent", func(f *fabric) {
			h := f.addHost(false, 1)
			f.hears(f.port(f.leaf()), nic(h, 0))
			f.hears(f.port(f.leaf()), nic(h, 0))
			f.mistake(hostRef(h), "HeardTwice")
		}},
		{"two machines of one name, of which one was known", func(f *fabric) {
			h, p := f.addHost(false, 1), f.port(f.leaf())
			f.known(nic(h, 0), p)
			f.cable(nic(h, 0), p)
			f.hears(f.port(f.leaf()), nic(h, 0))
			f.mistake(hostRef(h), "HeardTwice")
		}},
		{"another device of the name", func(f *fabric) {
			h := f.addHost(true, 1)
			f.foreign(v1alpha1.LLDPNeighbor{ChassisIDSubtype: v1alpha1.ChassisMACAddress, ChassisID: "00:11:22:33:44:55",
				PortIDSubtype: v1alpha1.PortInterfaceName, PortID: "eth0", SystemName: h.Name})
			f.mistake(hostRef(h), "NameTaken")
		}},
		{"another device of a switch's name", func(f *fabric) {
			sw := f.addSwitch(f.next(), v1alpha1.RoleLeaf, "")
			f.foreign(v1alpha1.LLDPNeighbor{ChassisIDSubtype: v1alpha1.ChassisMACAddress, ChassisID: "00:11:22:33:44:55",
				PortIDSubtype: v1alpha1.PortLocal, PortID: "etp1", SystemName: sw.Status.SystemName})
			delete(f.free, sw.Name)
			f.mistake(switchRef(sw), "NameTaken")
		}},
		{"a cable that was declared otherwise", func(f *fabric) {
			h := f.addHost(f.rand.IntN(2) == 0, 1)
			l := f.declare(nic(h, 0), f.port(f.leaf()))
			here, there := nic(h, 0), f.port(f.leaf())
			f.hears(here, there)
			f.hears(there, here)
			f.states[l.Name] = v1alpha1.LinkMismatch
			f.mistake(l, "Mismatch")
		}},
		{"cables that are swapped", func(f *fabric) {
			h, i, p, q := f.addHost(true, 1), f.addHost(false, 1), f.port(f.leaf()), f.port(f.leaf())
			for _, l := range []v1alpha1.ObjectReference{f.declare(p, nic(h, 0)), f.declare(nic(i, 0), q)} {
				f.states[l.Name] = v1alpha1.LinkMismatch
				f.mistake(l, "Mismatch")
			}
			f.hears(nic(h, 0), q)
			f.hears(q, nic(h, 0))
			f.hears(p, nic(i, 0))
		}},
		{"a declaration of what another has", func(f *fabric) {
			h, p := f.addHost(true, 1), f.port(f.leaf())
			first, second := f.declare(nic(h, 0), p), f.declare(nic(h, 0), f.port(f.leaf()))
			f.hears(p, nic(h, 0))
			f.states[first.Name], f.states[second.Name] = v1alpha1.LinkOneWay, v1alpha1.LinkMismatch
			f.mistake(second, "DeclaredTwice")
		}},
		{"a declaration of nothing", func(f *fabric) {
			l := f.declare(nic(f.addHost(true, 1), 1), f.port(f.leaf()))
			f.states[l.Name] = v1alpha1.LinkUnseen
			f.mistake(l, "EndNotFound")
		}},
		{"a cable between ports of one switch", func(f *fabric) {
			sw := f.leaf()
			p, q := f.port(sw), f.port(sw)
			f.hears(p, q)
			f.hears(q, p)
			f.mistake(switchRef(sw), "Loop")
		}},
		{"a loopback plug", func(f *fabric) {
			sw := f.leaf()
			p := f.port(sw)
			f.hears(p, p)
			f.mistake(switchRef(sw), "Loop")
		}},
		{"a hub", func(f *fabric) {
			sw := f.leaf()
			all := []v1alpha1.LinkEnd{f.port(sw), nic(f.addHost(true, 1), 0), nic(f.addHost(false, 1), 0), nic(f.addHost(true, 1), 0)}
			f.hub(all[:3+f.rand.IntN(2)])
			f.mistake(switchRef(sw), "SeveralNeighbors")
		}},
		{"a hub at the port of a host that was known", func(f *fabric) {
			sw := f.leaf()
			h, p := f.addHost(true, 1), f.port(sw)
			f.known(nic(h, 0), p)
			f.hub([]v1alpha1.LinkEnd{nic(h, 0), p, nic(f.addHost(false, 1), 0)})
			f.expect(nic(h, 0), p, v1alpha1.LinkConfirmed)
			f.mistake(switchRef(sw), "SeveralNeighbors")
		}},
		{"a host on a spine", func(f *fabric) {
			h := f.addHost(f.rand.IntN(2) == 0, 1)
			f.cable(nic(h, 0), f.port(f.of(v1alpha1.RoleSpine)))
			f.mistake(hostRef(h), "HostOnSpine")
		}},
		{"spines that are cabled to each other", func(f *fabric) {
			one, other := f.of(v1alpha1.RoleSpine), f.of(v1alpha1.RoleSpine)
			if one != other {
				f.cable(f.port(one), f.port(other))
			}
		}},
		{"a bond over switches that are not one group", func(f *fabric) {
			h := f.addHost(true, 2)
			h.Status.NICs[0].Bond, h.Status.NICs[1].Bond = "bond0", "bond0"
			p, q := f.leaf(), f.leaf()
			f.cable(nic(h, 0), f.port(p))
			f.cable(nic(h, 1), f.port(q))
			if groupOf(p) != groupOf(q) {
				f.mistake(hostRef(h), "BondSplit")
			}
		}},
		{"fibres that are crossed", func(f *fabric) {
			h, i, sw := f.addHost(true, 1), f.addHost(true, 1), f.leaf()
			p, q := f.port(sw), f.port(sw)
			f.hears(p, nic(h, 0))
			f.hears(nic(h, 0), q)
			f.hears(q, nic(i, 0))
			f.hears(nic(i, 0), p)
			f.mistake(switchRef(sw), "CrossedFibres")
		}},
		{"switches that are clones", func(f *fabric) {
			a, b := f.addSwitch(f.next(), v1alpha1.RoleLeaf, ""), f.addSwitch(f.next(), v1alpha1.RoleLeaf, "")
			b.Status.MAC, b.Status.ChassisID, a.Status.SystemName, b.Status.SystemName = a.Status.MAC, a.Status.MAC, "clone", "clone"
			f.hears(nic(f.addHost(true, 1), 0), f.port(a))
			f.mistake(switchRef(a), "SameIdentity")
			f.mistake(switchRef(b), "SameIdentity")
			delete(f.free, a.Name)
			delete(f.free, b.Name)
		}},
		{"no mistake: a host that was moved", func(f *fabric) {
			h, p := f.addHost(f.rand.IntN(2) == 0, 1), f.port(f.leaf())
			f.known(nic(h, 0), p)
			f.cable(nic(h, 0), f.port(f.leaf()))
			f.expect(nic(h, 0), p, v1alpha1.LinkGone)
		}},
		{"no mistake: a host that was replaced by another", func(f *fabric) {
			h, p := f.addHost(true, 1), f.port(f.leaf())
			f.known(nic(h, 0), p)
			f.cable(nic(f.addHost(false, 1), 0), p)
			f.expect(nic(h, 0), p, v1alpha1.LinkGone)
		}},
		{"no mistake: a host that was replaced by another with an agent", func(f *fabric) {
			h, p := f.addHost(f.rand.IntN(2) == 0, 1), f.port(f.leaf())
			f.known(nic(h, 0), p)
			f.cable(nic(f.addHost(true, 1), 0), p)
			f.expect(nic(h, 0), p, v1alpha1.LinkGone)
			f.taken[nameOf(nic(h, 0), p)] = true
		}},
		{"a host that was moved a moment ago, as it says itself", func(f *fabric) {
			h, p, q := f.addHost(true, 1), f.port(f.leaf()), f.port(f.leaf())
			f.known(nic(h, 0), p)
			f.hears(p, nic(h, 0))
			f.hears(nic(h, 0), q)
			f.expect(nic(h, 0), p, v1alpha1.LinkGone)
			f.expect(nic(h, 0), q, v1alpha1.LinkOneWay)
			f.mistake(hostRef(h), "HeardElsewhere")
		}},
		{"a host that was moved a moment ago, as both ends say", func(f *fabric) {
			h, p := f.addHost(true, 1), f.port(f.leaf())
			f.known(nic(h, 0), p)
			f.hears(p, nic(h, 0))
			f.cable(nic(h, 0), f.port(f.leaf()))
			f.expect(nic(h, 0), p, v1alpha1.LinkGone)
			f.mistake(hostRef(h), "HeardTwice")
		}},
		{"a row of hosts that each moved to the port of the next", func(f *fabric) {
			ports := []v1alpha1.LinkEnd{f.port(f.leaf()), f.port(f.leaf()), f.port(f.leaf()), f.port(f.leaf())}
			for i, p := range ports[:3] {
				h := f.addHost(true, 1)
				f.known(nic(h, 0), p)
				f.hears(p, nic(h, 0))
				f.hears(nic(h, 0), ports[i+1])
				f.expect(nic(h, 0), p, v1alpha1.LinkGone)
				f.expect(nic(h, 0), ports[i+1], v1alpha1.LinkOneWay)
				f.mistake(hostRef(h), "HeardElsewhere")
			}
		}},
		{"no mistake: a host that was pulled a moment after it was moved", func(f *fabric) {
			h, p, q := f.addHost(true, 1), f.port(f.leaf()), f.port(f.leaf())
			f.known(nic(h, 0), q)
			f.hears(p, nic(h, 0))
			f.hears(nic(h, 0), q)
			h.Status.Neighbors[0].Stale = true
			f.expect(nic(h, 0), q, v1alpha1.LinkStale)
		}},
		{"hosts that have changed places a moment ago, as they say themselves", func(f *fabric) {
			sw := f.leaf()
			h, i, p, q := f.addHost(true, 1), f.addHost(true, 1), f.port(sw), f.port(sw)
			f.known(nic(h, 0), p)
			f.known(nic(i, 0), q)
			f.hears(p, nic(h, 0))
			f.hears(q, nic(i, 0))
			f.hears(nic(h, 0), q)
			f.hears(nic(i, 0), p)
			f.expect(nic(h, 0), p, v1alpha1.LinkOneWay)
			f.expect(nic(i, 0), q, v1alpha1.LinkOneWay)
			f.mistake(switchRef(sw), "CrossedFibres")
		}},
		{"no mistake: a host that is not heard any more", func(f *fabric) {
			h, p := f.addHost(f.rand.IntN(2) == 0, 1), f.port(f.leaf())
			f.known(nic(h, 0), p)
			f.expect(nic(h, 0), p, v1alpha1.LinkStale)
		}},
		{"no mistake: a declared server without LLDP", func(f *fabric) {
			l := f.declare(nic(f.addHost(false, 1), 0), f.port(f.leaf()))
			f.states[l.Name] = v1alpha1.LinkUnseen
		}},
		{"no mistake: a cable as it was declared", func(f *fabric) {
			h, p := f.addHost(true, 1), f.port(f.leaf())
			f.states[f.declare(p, nic(h, 0)).Name] = v1alpha1.LinkConfirmed
			f.hears(p, nic(h, 0))
			f.hears(nic(h, 0), p)
		}},
		{"no mistake: a device that nobody knows", func(f *fabric) {
			f.foreign(v1alpha1.LLDPNeighbor{ChassisIDSubtype: v1alpha1.ChassisNetworkAddress,
				ChassisID: "192.0.2.1", PortIDSubtype: v1alpha1.PortAgentCircuitID, PortID: "7", SystemName: "firewall"})
		}},
	}
}

// next is the name of a switch that there is not yet.
func (f *fabric) next() string {
	f.made++
	return fmt.Sprintf("late%d", f.made)
}

// foreign has a device that is no object be heard at some port.
func (f *fabric) foreign(n v1alpha1.LLDPNeighbor) {
	p := f.port(f.leaf())
	n.Port = p.Port
	sw := f.find(p.Switch)
	sw.Status.Neighbors = append(sw.Status.Neighbors, n)
}

// hub has everybody in it hear everybody else.
func (f *fabric) hub(members []v1alpha1.LinkEnd) {
	for _, at := range members {
		for _, from := range members {
			if at != from {
				f.hears(at, from)
			}
		}
	}
}

func hostRef(h *v1alpha1.Host) v1alpha1.ObjectReference {
	return v1alpha1.ObjectReference{Kind: v1alpha1.KindHost, Name: h.Name}
}

func switchRef(sw *v1alpha1.Switch) v1alpha1.ObjectReference {
	return v1alpha1.ObjectReference{Kind: v1alpha1.KindSwitch, Name: sw.Name}
}
