package release

import (
	"slices"

	"github.com/switchlet/switchlet/api/natural"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Cable is one between a host and a switch.
type Cable struct {
	Host, NIC string
	// Bond of the host that the NIC is in; empty if it is in none.
	Bond   string
	Switch string
	// Port of the switch as segments name it: the port channel if it is in one.
	Port string
	// Doubtful: nobody hears the other end any more, or something else is there. It
	// may be cut off, and is no other way.
	Doubtful bool
}

// Carried is a segment at a port of a switch.
type Carried struct {
	VNI    int32
	Port   string
	Tagged bool
}

// maxSingleHomed is how many hosts the API takes.
const maxSingleHomed = 256

// SingleHomed are the hosts that lose a network if a switch is drained, in order of
// their names, and the ports of it at which no host is known. carried has the
// segments by switch. A switch for which out is true counts as no other way.
//
// Two NICs are two ways to a segment that is tagged on both, since the host then
// has a bond of its agent's over them, or if they are in a bond of the host's own.
// Untagged frames stay at the NIC that they are at.
func SingleHomed(name string, cables []Cable, carried map[string][]Carried, out func(string) bool) []v1alpha1.SingleHomedHost {
	at, of := map[string][]Cable{}, map[string][]Cable{}
	for _, c := range cables {
		of[c.Host] = append(of[c.Host], c)
		if c.Switch == name {
			at[c.Port] = append(at[c.Port], c)
		}
	}
	lost := map[string][]string{} // ports by host
	for _, segment := range carried[name] {
		here := at[segment.Port]
		if len(here) == 0 {
			lost[""] = append(lost[""], segment.Port)
		}
		for _, c := range here {
			if !another(c, segment, of[c.Host], carried, out) {
				lost[c.Host] = append(lost[c.Host], segment.Port)
			}
		}
	}
	var all []v1alpha1.SingleHomedHost
	for host, ports := range lost {
		slices.SortFunc(ports, natural.Compare)
		ports = slices.Compact(ports)
		for some := range slices.Chunk(ports, 32) { // what the API takes
			all = append(all, v1alpha1.SingleHomedHost{Name: host, Ports: some})
		}
	}
	slices.SortFunc(all, func(a, b v1alpha1.SingleHomedHost) int {
		if a.Name != b.Name {
			return natural.Compare(a.Name, b.Name)
		}
		return natural.Compare(a.Ports[0], b.Ports[0])
	})
	return all[:min(len(all), maxSingleHomed)]
}

// another says whether a host has the segment of a cable by another switch too.
func another(here Cable, segment Carried, cables []Cable, carried map[string][]Carried, out func(string) bool) bool {
	return slices.ContainsFunc(cables, func(c Cable) bool {
		return c.Switch != here.Switch && !c.Doubtful && !out(c.Switch) && slices.ContainsFunc(carried[c.Switch], func(there Carried) bool {
			together := segment.Tagged && there.Tagged || here.Bond != "" && here.Bond == c.Bond
			return there.VNI == segment.VNI && there.Port == c.Port && together
		})
	})
}
