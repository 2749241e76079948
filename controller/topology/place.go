package topology

import (
	"cmp"
	"slices"

	"github.com/switchlet/switchlet/api/natural"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Place is where a NIC of a host is cabled to.
type Place struct {
	NIC string
	// Bond that the NIC is in; empty if it is in none. The places of one bond are
	// one attachment: a host with two of them, at switches of one redundancy
	// group, is dual-homed.
	Bond   string
	Switch string
	// Port or port channel that carries VLANs for the NIC.
	Port string
	// Member of the port channel that the cable is in; empty if Port is no port
	// channel.
	Member string
	// State of the link. Gone: the place counts only until the caller deletes the
	// Link, after the time of grace.
	State v1alpha1.LinkState
	// Link by its name.
	Link string
}

// PortsOf are the places of a host's NICs, in natural order of the NICs' names.
// Those at spines are left out: they carry no attachments. So are those at a port of
// which both ends of another cable say that it is there.
func (t Topology) PortsOf(host string) []Place {
	id := t.index.object(host, false)
	if id == none {
		return nil
	}
	var out []Place
	for _, i := range t.of[id] {
		l, nic, port := &t.Links[i], t.ends[i][0], t.ends[i][1] // a host's end is the first
		sw := t.index.of(port)
		if t.index.ends[nic].system != id || sw.sw == nil || sw.sw.Spec.Role == v1alpha1.RoleSpine || t.lost(i) {
			continue
		}
		p := Place{NIC: t.index.ends[nic].name, Switch: sw.Name, State: l.Status.State, Link: l.Name}
		if n := t.index.ends[nic].nic; n != nil {
			p.Bond = n.Bond
		}
		p.Port, p.Member = t.index.channel(port)
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Place) int {
		return cmp.Or(natural.Compare(a.NIC, b.NIC), natural.Compare(a.Switch, b.Switch), natural.Compare(a.Port, b.Port), natural.Compare(a.Member, b.Member))
	})
	return out
}

// lost says whether the port of a link is somebody else's by now, as both ends of
// another cable say. Nothing of what was there may be on it any longer, whatever the
// time of grace and whatever the former host says: it would join the newcomer to
// networks that it is not in. A declared link stays, and so do those of a hub.
func (t Topology) lost(link int32) bool {
	port := t.ends[link][1]
	now := t.at[port]
	return now != link && !t.Links[link].Declared && !t.hub[port] &&
		t.Links[link].Status.State != v1alpha1.LinkConfirmed && t.Links[now].Status.State == v1alpha1.LinkConfirmed
}

// Uplink is a port of a switch with another switch at its other end.
type Uplink struct {
	// Port or port channel of the switch.
	Port string
	// Peer is the other switch.
	Peer string
	// PeerPort is its port or port channel.
	PeerPort string
	State    v1alpha1.LinkState
	// Link by its name.
	Link string
}

// Uplinks are the ports of a switch that the underlay is to use: those with
// another switch at their other end, unless both are spines. A port channel is one of them, in the best state
// of its members.
func (t Topology) Uplinks(name string) []Uplink {
	id := t.index.object(name, true)
	if id == none {
		return nil
	}
	var out []Uplink
	for _, i := range t.of[id] {
		here, there := t.ends[i][0], t.ends[i][1]
		if t.index.ends[here].system != id {
			here, there = there, here
		}
		sw, peer := t.index.of(here), t.index.of(there)
		if peer.sw == nil || !joins(sw.sw.Spec.Role, peer.sw.Spec.Role) {
			continue
		}
		u := Uplink{Peer: peer.Name, State: t.Links[i].Status.State, Link: t.Links[i].Name}
		u.Port, _ = t.index.channel(here)
		u.PeerPort, _ = t.index.channel(there)
		out = append(out, u)
	}
	slices.SortFunc(out, func(a, b Uplink) int {
		return cmp.Or(natural.Compare(a.Port, b.Port), natural.Compare(a.Peer, b.Peer), natural.Compare(a.PeerPort, b.PeerPort), rank(a.State)-rank(b.State))
	})
	return slices.CompactFunc(out, func(a, b Uplink) bool { return a.Port == b.Port && a.Peer == b.Peer && a.PeerPort == b.PeerPort })
}

// joins says whether a cable between switches of these roles is an uplink.
func joins(a, b v1alpha1.SwitchRole) bool {
	return a != v1alpha1.RoleSpine || b != v1alpha1.RoleSpine
}

// rank orders states from the surest to the least sure.
func rank(s v1alpha1.LinkState) int {
	return slices.Index([]v1alpha1.LinkState{
		v1alpha1.LinkConfirmed, v1alpha1.LinkOneWay, v1alpha1.LinkUnseen, v1alpha1.LinkMismatch, v1alpha1.LinkStale, v1alpha1.LinkGone}, s)
}

// At is the link at a port or NIC: the declared one, or else the surest, or else
// the declared link of another place that the cable here was found instead of.
func (t Topology) At(e v1alpha1.LinkEnd) (Link, bool) {
	id := t.index.systemOf(e)
	if id == none {
		return Link{}, false
	}
	at := t.index.find(id, e.Interface())
	if at == none || t.at[at] == none {
		return Link{}, false
	}
	return t.Links[t.at[at]], true
}

// Gone are the links of which one end is definitely cabled elsewhere now.
func (t Topology) Gone() []Link {
	var out []Link
	for _, l := range t.Links {
		if l.Status.State == v1alpha1.LinkGone {
			out = append(out, l)
		}
	}
	return out
}

// channel is the port channel of a port and the port in it, or the port and nothing.
func (x *index) channel(e int32) (port, member string) {
	if p := x.ends[e].port; p != nil && p.Use == v1alpha1.PortUsePortChannelMember {
		return p.UsedBy, p.Name
	}
	return x.ends[e].name, ""
}

// lookups finds links by their systems and by their ends.
func (b *builder) lookups() (ends [][2]int32, of [][]int32, at []int32) {
	ends, of, at = make([][2]int32, len(b.links)), make([][]int32, len(b.systems)), make([]int32, len(b.ends))
	for e := range at {
		at[e] = none
	}
	for i := range b.links {
		l := &b.links[i]
		ends[i] = [2]int32{l.a, l.b}
		if l.a == none {
			continue
		}
		x, y := b.ends[l.a].system, b.ends[l.b].system
		of[x] = append(of[x], int32(i))
		if x != y {
			of[y] = append(of[y], int32(i))
		}
		for _, e := range []int32{l.a, l.b} {
			if old := at[e]; old == none || b.before(l, &b.links[old]) {
				at[e] = int32(i)
			}
		}
	}
	for i := range b.links {
		for _, f := range b.links[i].findings {
			if f.peer != none && at[f.peer] == none {
				at[f.peer] = int32(i)
			}
		}
	}
	return ends, of, at
}

// before says whether of two links at one end the first one matters more.
func (b *builder) before(x, y *found) bool {
	if (x.declared != nil) != (y.declared != nil) {
		return x.declared != nil
	}
	return rank(x.state) < rank(y.state)
}
