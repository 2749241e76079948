package reconcile

import (
	"maps"
	"slices"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/plan"
	"github.com/switchlet/switchlet/controller/topology"
)

// cabling is the port map that everything is compiled with. It is empty after a
// restart until it is built from what the Links say was known; until then nothing
// is compiled.
type cabling struct {
	now atomic.Pointer[portMap]
	// groups, switches and hosts are those that something has changed for.
	groups, switches, hosts chan event.TypedGenericEvent[types.NamespacedName]
}

func newCabling() *cabling {
	events := func() chan event.TypedGenericEvent[types.NamespacedName] {
		return make(chan event.TypedGenericEvent[types.NamespacedName], 1024)
	}
	return &cabling{groups: events(), switches: events(), hosts: events()}
}

// portMap is who is cabled to what. It is never changed.
type portMap struct {
	topology.Topology
	places map[string][]topology.Place // by host
	hosts  map[string][]string         // that have a place on a switch
	cables map[string][]plan.Cable     // by switch
	known  map[string]*v1alpha1.Host
}

func newPortMap(in topology.Inputs, t topology.Topology) *portMap {
	m := &portMap{
		Topology: t, places: make(map[string][]topology.Place, len(in.Hosts)),
		hosts: make(map[string][]string, len(in.Switches)), cables: make(map[string][]plan.Cable, len(in.Switches)),
		known: make(map[string]*v1alpha1.Host, len(in.Hosts)),
	}
	for _, h := range in.Hosts {
		places := t.PortsOf(h.Name)
		if m.known[h.Name] = h; len(places) > 0 {
			m.places[h.Name] = places
		}
		for _, p := range places {
			if on := m.hosts[p.Switch]; len(on) == 0 || on[len(on)-1] != h.Name {
				m.hosts[p.Switch] = append(on, h.Name)
			}
		}
	}
	for _, hosts := range m.hosts {
		slices.Sort(hosts)
	}
	for _, sw := range in.Switches {
		for _, u := range t.Uplinks(sw.Name) {
			m.cables[sw.Name] = append(m.cables[sw.Name], plan.Cable{Port: u.Port, Peer: u.Peer, Link: u.Link})
		}
	}
	return m
}

// movedHosts are the hosts whose places are others than in an earlier map.
func (m *portMap) movedHosts(before *portMap) []string {
	same := func(a, b topology.Place) bool {
		return a.NIC == b.NIC && a.Bond == b.Bond && a.Switch == b.Switch && a.Port == b.Port
	}
	var out []string
	for _, name := range either(m.places, before.places) {
		if !slices.EqualFunc(m.places[name], before.places[name], same) {
			out = append(out, name)
		}
	}
	return out
}

// placesAt are the places of a host at a NIC, or bond, that pods name; all, if they name
// none.
func (m *portMap) placesAt(host, master string) []topology.Place {
	if m.known[host] == nil {
		return m.places[host]
	}
	return plan.AtNIC(m.known[host], master, m.places[host])
}

// noPort is why there are none; nil if there are some, or no such Host.
func (m *portMap) noPort(host, master string) *plan.NoPort {
	h := m.known[host]
	if h == nil || len(m.placesAt(host, master)) > 0 {
		return nil
	}
	why := plan.WhyNoPort(h, master)
	return &why
}

// waitingHosts are the hosts whose pods are to be told something else of missing places
// than with an earlier map, which may be none. masters are what the pods of a host name.
func (m *portMap) waitingHosts(before *portMap, masters func(host string) []string) []string {
	var out []string
	for name := range m.known {
		if slices.ContainsFunc(masters(name), func(master string) bool {
			was, is := before.noPort(name, master), m.noPort(name, master)
			return (was == nil) != (is == nil) || is != nil && *was != *is
		}) {
			out = append(out, name)
		}
	}
	return out
}

// changedSwitches are the switches whose uplinks, or the hosts on which, are
// others than in an earlier map.
func (m *portMap) changedSwitches(before *portMap, moved []string) map[string]bool {
	out := map[string]bool{}
	for _, host := range moved {
		for _, p := range slices.Concat(m.places[host], before.places[host]) {
			out[p.Switch] = true
		}
	}
	for _, name := range either(m.cables, before.cables) {
		if !slices.Equal(m.cables[name], before.cables[name]) {
			out[name] = true
		}
	}
	return out
}

// told are the objects of a kind whose problems and notes are others than in an
// earlier map.
func (m *portMap) told(before *portMap, kind v1alpha1.Kind) map[string]bool {
	out, seen := map[string]bool{}, map[v1alpha1.ObjectReference]bool{}
	for _, p := range slices.Concat(m.Problems, before.Problems, m.Notes, before.Notes) {
		if p.Owner.Kind == kind && !seen[p.Owner] {
			seen[p.Owner] = true
			if !slices.Equal(m.ProblemsOf(p.Owner), before.ProblemsOf(p.Owner)) || !slices.Equal(m.NotesOf(p.Owner), before.NotesOf(p.Owner)) {
				out[p.Owner.Name] = true
			}
		}
	}
	return out
}

// either are the keys of two maps, in order.
func either[V any](a, b map[string]V) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}
