package topology

import (
	"slices"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// identity is what a neighbour's chassis id and system name tell.
type identity struct {
	system int32 // none if it is unknown or not clear
	// among are the systems that it could be, if that is not clear.
	among []int32
	// impostor: it has the name of system, and a chassis id that is not that
	// system's.
	impostor bool
}

// identify says which system is heard: the one with the chassis id, or else the
// one with the system name. Several are told apart by both together.
func (x *index) identify(n *v1alpha1.LLDPNeighbor) identity {
	id := fold(n.ChassisID)
	among := x.withID(n.ChassisIDSubtype, id)
	if len(among) == 1 {
		return identity{system: among[0]}
	}
	if len(among) > 1 {
		named := x.named(n.SystemName)
		return oneOf(slices.DeleteFunc(slices.Clone(among), func(s int32) bool { return !slices.Contains(named, s) }), among)
	}
	named := x.named(n.SystemName)
	if len(named) == 0 && n.ChassisIDSubtype != v1alpha1.ChassisMACAddress {
		named = x.named(n.ChassisID) // a host name with another domain
	}
	itself := slices.DeleteFunc(slices.Clone(named), func(s int32) bool { return x.contradicts(s, n) })
	if len(itself) == 0 && len(named) == 1 {
		return identity{system: named[0], impostor: true}
	}
	return oneOf(itself, itself)
}

// withID are the systems with a chassis id.
func (x *index) withID(subtype v1alpha1.ChassisIDSubtype, id string) []int32 {
	if subtype == v1alpha1.ChassisMACAddress {
		return x.macs.all(id)
	}
	return x.both(&x.ids, id)
}

// oneOf is the only system left, or all that there were.
func oneOf(left, all []int32) identity {
	if len(left) == 1 {
		return identity{system: left[0]}
	}
	return identity{system: none, among: all}
}

// named are the systems with a name, with the domain or without.
func (x *index) named(name string) []int32 {
	name = fold(name)
	if s := x.both(&x.names, name); len(s) > 0 {
		return s
	}
	short, _, dotted := strings.Cut(name, ".")
	if dotted {
		return x.both(&x.names, short)
	}
	return x.shorts.all(name)
}

// contradicts says whether a neighbour that has a system's name cannot be that
// system: its MAC addresses are none of those that the system told all of.
func (x *index) contradicts(id int32, n *v1alpha1.LLDPNeighbor) bool {
	s := &x.systems[id]
	if n.ChassisIDSubtype != v1alpha1.ChassisMACAddress {
		return false
	}
	if n.PortIDSubtype == v1alpha1.PortMACAddress && slices.Contains(x.macs.all(fold(n.PortID)), id) {
		return false
	}
	if s.sw != nil {
		return isMAC(fold(s.sw.Status.ChassisID))
	}
	return slices.ContainsFunc(s.host.Status.NICs, func(nic v1alpha1.HostNIC) bool { return nic.MAC != "" })
}

// port says which end of a system is heard, or none.
//
// SONiC sends PORT.alias as a local id, and PORT.description or else its own
// name of the port as the description (lldpmgrd); lldpd elsewhere sends a MAC
// address and describes it by the interface's name. A number, such as an ifIndex,
// counts only if it is the alias of one port. A MAC address that several ports
// have, such as that of a switch itself, says nothing.
func (x *index) port(id int32, n *v1alpha1.LLDPNeighbor) int32 {
	s, e := &x.systems[id], int32(none)
	if s.host != nil && n.PortIDSubtype == v1alpha1.PortInterfaceName {
		e = x.find(id, n.PortID) // what hosts' agents send, found without more ado
	}
	if e != none {
		return e
	}
	x.fill(s)
	switch n.PortIDSubtype {
	case v1alpha1.PortMACAddress:
		e = s.by.mac.only(fold(n.PortID))
	case v1alpha1.PortInterfaceName:
		e = either(&s.by.name, &s.by.alias, n.PortID)
	default:
		e = either(&s.by.alias, &s.by.name, n.PortID)
	}
	if e == none && n.PortDescription != "" {
		e = either(&s.by.name, &s.by.alias, n.PortDescription)
	}
	if e == none && s.reported == 0 && s.host != nil && n.PortIDSubtype == v1alpha1.PortInterfaceName {
		e = x.invent(id, n.PortID) // a host whose agent has not told its NICs yet
	}
	return e
}

// either asks one lookup and then another. A text that the first has twice is
// not clear.
func either(first, second *lookup, text string) int32 {
	if _, ok := first.one[text]; ok {
		return first.only(text)
	}
	return second.only(text)
}
