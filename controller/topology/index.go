package topology

import (
	"slices"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// index numbers the systems and their ends, and finds them again by whatever
// LLDP calls them.
type index struct {
	systems []system
	ends    []end
	told    int32  // how many of the ends their systems told of
	objects lookup // by name of the object
	macs    lookup // by MAC address: of a chassis, or of a host's NIC
	ids     lookup // by chassis id, if that is not the name of the object
	names   lookup // by system name, if that is not the name of the object
	shorts  lookup // by the part of either name before the domain
}

// system is a Switch or a Host.
type system struct {
	v1alpha1.ObjectReference
	sw        *v1alpha1.Switch
	host      *v1alpha1.Host
	neighbors []v1alpha1.LLDPNeighbor
	silent    bool
	first     int32   // of its ends
	reported  int32   // how many of its ends it has told of itself
	by        *byText // how its ends are found; nil until that is asked for
}

// byText finds the ends of one system.
type byText struct{ name, alias, mac lookup }

// end is a port of a switch or a NIC of a host.
type end struct {
	system int32
	name   string
	mac    string
	port   *v1alpha1.SwitchPort // of a switch that has it
	nic    *v1alpha1.HostNIC    // of a host that has it
}

func newIndex(in Inputs) *index {
	n := len(in.Switches) + len(in.Hosts)
	x := &index{
		systems: make([]system, 0, n), objects: newLookup(n),
		macs: newLookup(2 * n), ids: newLookup(0), names: newLookup(0), shorts: newLookup(0),
	}
	x.ends = make([]end, 0, capacity(in))
	for _, sw := range in.Switches {
		x.addSwitch(sw, in.Silent)
	}
	for _, h := range in.Hosts {
		x.addHost(h, in.Silent)
	}
	x.told = int32(len(x.ends))
	return x
}

func capacity(in Inputs) int {
	n := 0
	for _, sw := range in.Switches {
		n += len(sw.Status.Ports)
	}
	for _, h := range in.Hosts {
		n += len(h.Status.NICs) + len(h.Spec.NICs)
	}
	return n
}

func (x *index) addSwitch(sw *v1alpha1.Switch, silent map[v1alpha1.ObjectReference]bool) {
	s, id := system{sw: sw, neighbors: sw.Status.Neighbors, first: int32(len(x.ends))}, int32(len(x.systems))
	s.ObjectReference = v1alpha1.ObjectReference{Kind: v1alpha1.KindSwitch, Name: sw.Name}
	s.silent = silent[s.ObjectReference]
	for i := range sw.Status.Ports {
		if p := &sw.Status.Ports[i]; !strings.HasPrefix(p.Name, "PortChannel") { // no cable is in one
			x.ends = append(x.ends, end{system: id, name: p.Name, mac: fold(p.MAC), port: p})
		}
	}
	x.macs.add(fold(sw.Status.MAC), id)
	x.add(s, id, sw.Status.SystemName, sw.Status.ChassisID)
}

func (x *index) addHost(h *v1alpha1.Host, silent map[v1alpha1.ObjectReference]bool) {
	s, id := system{host: h, neighbors: h.Status.Neighbors, first: int32(len(x.ends))}, int32(len(x.systems))
	s.ObjectReference = v1alpha1.ObjectReference{Kind: v1alpha1.KindHost, Name: h.Name}
	s.silent = silent[s.ObjectReference]
	for i := range h.Status.NICs {
		nic := &h.Status.NICs[i]
		x.ends = append(x.ends, end{system: id, name: nic.Name, mac: fold(nic.MAC), nic: nic})
	}
	for i := range h.Spec.NICs {
		if nic := h.Spec.NICs[i]; !has(h.Status.NICs, nic.Name) {
			x.ends = append(x.ends, end{system: id, name: nic.Name, mac: fold(nic.MAC)})
		}
	}
	for _, e := range x.ends[s.first:] {
		x.macs.add(e.mac, id)
	}
	x.add(s, id, h.Status.SystemName, h.Status.ChassisID)
}

func has(nics []v1alpha1.HostNIC, name string) bool {
	for i := range nics {
		if nics[i].Name == name {
			return true
		}
	}
	return false
}

func (x *index) add(s system, id int32, systemName, chassisID string) {
	s.reported = int32(len(x.ends)) - s.first
	x.systems = append(x.systems, s)
	x.objects.add(s.Name, id)
	x.addShort(s.Name, id)
	if chassisID = fold(chassisID); isMAC(chassisID) {
		x.macs.add(chassisID, id)
	} else if chassisID != s.Name {
		x.ids.add(chassisID, id)
	}
	if systemName = fold(systemName); systemName != s.Name {
		x.names.add(systemName, id)
		x.addShort(systemName, id)
	}
}

func (x *index) addShort(name string, id int32) {
	if short, _, dotted := strings.Cut(name, "."); dotted {
		x.shorts.add(short, id)
	}
}

// both are the systems that are objects of a name, and those that another lookup
// has by it.
func (x *index) both(other *lookup, name string) []int32 {
	objects, others := x.objects.all(name), other.all(name)
	if len(others) == 0 {
		return objects
	}
	out := slices.Concat(objects, others)
	slices.Sort(out)
	return slices.Compact(out)
}

// fold is a name or address in the form in which it is compared: DNS names and
// hexadecimal digits mean the same in either case.
func fold(s string) string { return strings.ToLower(s) }

// isMAC says whether a text looks like a MAC address.
func isMAC(s string) bool { return len(s) == 17 && strings.Count(s, ":") == 5 }

// systemOf finds the system of a link's end, or none.
func (x *index) systemOf(e v1alpha1.LinkEnd) int32 {
	return x.object(e.Object(), e.Switch != "")
}

// object finds a Switch or a Host by its name, or none.
func (x *index) object(name string, isSwitch bool) int32 {
	if id := x.objects.only(name); id != none {
		if (x.systems[id].sw != nil) == isSwitch {
			return id
		}
		return none
	}
	for _, id := range x.objects.all(name) {
		if (x.systems[id].sw != nil) == isSwitch {
			return id
		}
	}
	return none
}

// linkEnd is an end as the API has it.
func (x *index) linkEnd(e int32) v1alpha1.LinkEnd {
	s := &x.systems[x.ends[e].system]
	if s.sw != nil {
		return v1alpha1.LinkEnd{Switch: s.Name, Port: x.ends[e].name}
	}
	return v1alpha1.LinkEnd{Host: s.Name, NIC: x.ends[e].name}
}

// say is an end as people write it.
func (x *index) say(e int32) string {
	return x.systems[x.ends[e].system].Name + "/" + x.ends[e].name
}

// of is the system of an end.
func (x *index) of(e int32) *system { return &x.systems[x.ends[e].system] }
