package neighbors

import (
	"cmp"
	"slices"
	"time"

	"github.com/switchlet/switchlet/api/natural"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/lldp/frame"
	"github.com/switchlet/switchlet/lldp/wire"
)

// memory is who was heard on each NIC, and is not forgotten. It is told the
// time, and has no clock of its own.
type memory struct {
	forget time.Duration // that somebody who is silent is kept for
	nics   map[string][]wire.Neighbor
}

// newMemory begins with neighbours of an earlier run, all of them stale.
func newMemory(forget time.Duration, known []wire.Neighbor) *memory {
	m := &memory{forget: forget, nics: map[string][]wire.Neighbor{}}
	for _, n := range known {
		n.Stale = true
		m.nics[n.Interface] = append(m.nics[n.Interface], n)
	}
	for nic, all := range m.nics {
		m.nics[nic] = bounded(all)
	}
	return m
}

// identity tells the neighbours of a NIC from each other, whichever group
// addresses they send to.
type identity struct {
	chassis frame.ChassisID
	port    frame.PortID
}

func identify(n wire.Neighbor) identity { return identity{n.Frame.ChassisID, n.Frame.PortID} }

// observe takes all who are heard at a moment; those who are stale are not. here
// are the NICs that there are.
func (m *memory) observe(now time.Time, here []string, heard []wire.Neighbor) {
	fresh, anywhere := map[string][]wire.Neighbor{}, map[identity]bool{}
	for _, n := range distinct(heard) {
		fresh[n.Interface] = append(fresh[n.Interface], n)
		anywhere[identify(n)] = true
	}
	for nic, known := range m.nics {
		known = m.remember(now, known, fresh[nic])
		if !slices.Contains(here, nic) {
			// The NIC has another name by now if its neighbour is heard elsewhere.
			known = slices.DeleteFunc(known, func(n wire.Neighbor) bool { return n.Stale && anywhere[identify(n)] })
		}
		if fresh[nic] = append(fresh[nic], known...); len(fresh[nic]) == 0 {
			delete(fresh, nic)
		}
	}
	for nic, all := range fresh {
		fresh[nic] = bounded(all)
	}
	m.nics = fresh
}

// remember are those of a NIC who are known, silent and not to be forgotten.
// Whoever comes anew takes the place of all of them.
func (m *memory) remember(now time.Time, known, fresh []wire.Neighbor) []wire.Neighbor {
	knows := func(all []wire.Neighbor, n wire.Neighbor) bool {
		return slices.ContainsFunc(all, func(other wire.Neighbor) bool { return identify(n) == identify(other) })
	}
	if slices.ContainsFunc(fresh, func(n wire.Neighbor) bool { return !knows(known, n) }) {
		return nil
	}
	var silent []wire.Neighbor
	for _, n := range known {
		if knows(fresh, n) {
			continue
		}
		if !n.Stale { // until now, or a time to live ago
			n.Stale, n.LastSeen = true, now
		}
		if now.Sub(n.LastSeen) < m.forget {
			silent = append(silent, n)
		}
	}
	return silent
}

// distinct are those who are not stale, each once on a NIC: by what it sends to
// the nearest bridge, if it sends to others too.
func distinct(heard []wire.Neighbor) []wire.Neighbor {
	var all []wire.Neighbor
	for _, n := range heard {
		if n.Stale {
			continue
		}
		i := slices.IndexFunc(all, func(other wire.Neighbor) bool {
			return other.Interface == n.Interface && identify(other) == identify(n)
		})
		switch {
		case i < 0:
			all = append(all, n)
		case n.Destination == wire.NearestBridge():
			all[i] = n
		}
	}
	return all
}

// bounded are the neighbours of a NIC in their order, without those that are too
// many; stale ones are left out first.
func bounded(all []wire.Neighbor) []wire.Neighbor {
	slices.SortFunc(all, func(a, b wire.Neighbor) int {
		return cmp.Or(
			cmp.Compare(a.Frame.ChassisID.ID, b.Frame.ChassisID.ID), cmp.Compare(a.Frame.PortID.ID, b.Frame.PortID.ID),
			cmp.Compare(a.Frame.ChassisID.Subtype, b.Frame.ChassisID.Subtype), cmp.Compare(a.Frame.PortID.Subtype, b.Frame.PortID.Subtype))
	})
	return atMost(maxPerNIC, all)
}

func atMost(most int, all []wire.Neighbor) []wire.Neighbor {
	for i := len(all) - 1; i >= 0 && len(all) > most; i-- {
		if all[i].Stale {
			all = slices.Delete(all, i, i+1)
		}
	}
	return all[:min(len(all), most)]
}

// all are the neighbours in natural order of their NICs, as many as may be shown.
func (m *memory) all() []wire.Neighbor {
	var names []string
	for name := range m.nics {
		names = append(names, name)
	}
	slices.SortFunc(names, natural.Compare)
	var all []wire.Neighbor
	for _, name := range names {
		all = append(all, m.nics[name]...)
	}
	return atMost(maxTotal, all)
}

// shown are all as the API has them.
func (m *memory) shown() []v1alpha1.LLDPNeighbor {
	neighbors := []v1alpha1.LLDPNeighbor{}
	for _, n := range m.all() {
		if s, ok := show(n); ok {
			neighbors = append(neighbors, s)
		}
	}
	return neighbors
}

// next is when somebody is to be forgotten; zero for never.
func (m *memory) next() time.Time {
	var next time.Time
	for _, all := range m.nics {
		for _, n := range all {
			if at := n.LastSeen.Add(m.forget); n.Stale && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	return next
}
