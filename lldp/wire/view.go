package wire

import (
	"cmp"
	"slices"
)

// view is a list of what all ports have, in the order of their names.
func view[T any](e *engine, of func(*port) []T) []T {
	ports := slices.SortedFunc(slices.Values(e.queue), func(a, b *port) int {
		return cmp.Or(cmp.Compare(a.link.Name, b.link.Name), cmp.Compare(a.link.Index, b.link.Index))
	})
	var all []T
	for _, p := range ports {
		all = append(all, of(p)...)
	}
	return all
}

func (e *engine) neighbors(own bool) []Neighbor {
	return view(e, func(p *port) []Neighbor {
		var all []Neighbor
		for i := range p.entries {
			if p.entries[i].own == own {
				all = append(all, p.entries[i].neighbor(p.link, p.carrier))
			}
		}
		slices.SortFunc(all, compare)
		return all
	})
}

// compare orders the neighbours of a link.
func compare(a, b Neighbor) int {
	return cmp.Or(
		cmp.Compare(a.Frame.ChassisID.ID, b.Frame.ChassisID.ID),
		cmp.Compare(a.Frame.PortID.ID, b.Frame.PortID.ID),
		cmp.Compare(a.Frame.ChassisID.Subtype, b.Frame.ChassisID.Subtype),
		cmp.Compare(a.Frame.PortID.Subtype, b.Frame.PortID.Subtype),
		slices.Compare(a.Destination[:], b.Destination[:]))
}

func (e *engine) list() []Port {
	return view(e, func(p *port) []Port {
		return []Port{{Link: p.link, Counters: p.counters, Problem: p.problem}}
	})
}
