package neighbors

import (
	"slices"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// table is what is known of the neighbours. It is told the time, and has no
// clock of its own.
type table struct {
	gap    time.Duration // that a neighbour may be missing for before it counts as silent
	forget time.Duration // that a silent one is kept for
	ports  map[string][]*entry
}

// entry is a neighbour and when it was heard.
type entry struct {
	v1alpha1.LLDPNeighbor
	heard   time.Time // the last time
	missing time.Time // since when it has not been heard; zero while it is
	poorer  time.Time // since when less is said of it; zero while it is not
}

func newTable(gap, forget time.Duration) *table {
	return &table{gap: gap, forget: forget, ports: map[string][]*entry{}}
}

// restore puts in a neighbour of an earlier run: it is stale until it is heard.
func (t *table) restore(n v1alpha1.LLDPNeighbor, heard time.Time) {
	n.Stale = true
	if t.port(n.Port, n) == nil {
		t.ports[n.Port] = bounded(append(t.ports[n.Port], &entry{LLDPNeighbor: n, heard: heard, missing: heard}))
	}
}

// port finds the entry of a neighbour.
func (t *table) port(name string, n v1alpha1.LLDPNeighbor) *entry {
	return find(t.ports[name], identity(n))
}

func find(entries []*entry, id v1alpha1.LLDPNeighbor) *entry {
	for _, e := range entries {
		if identity(e.LLDPNeighbor) == id {
			return e
		}
	}
	return nil
}

// keep forgets what was heard on other ports than these: the switch does not
// have them any more.
func (t *table) keep(ports map[string]port) {
	for name := range t.ports {
		if _, ok := ports[name]; !ok {
			delete(t.ports, name)
		}
	}
}

// observe takes all neighbours that are heard at a moment, on all ports.
func (t *table) observe(now time.Time, heard []v1alpha1.LLDPNeighbor) {
	byPort := map[string][]v1alpha1.LLDPNeighbor{}
	for _, n := range heard {
		byPort[n.Port] = append(byPort[n.Port], n)
	}
	for name, some := range byPort {
		t.ports[name] = t.observePort(now, t.ports[name], some)
	}
	for name, entries := range t.ports {
		if byPort[name] == nil {
			t.ports[name] = t.observePort(now, entries, nil)
		}
		if len(t.ports[name]) == 0 {
			delete(t.ports, name)
		}
	}
}

// observePort is observe for one port. Whoever comes anew takes the place of
// those who have gone silent; who was there all along does not.
func (t *table) observePort(now time.Time, entries []*entry, heard []v1alpha1.LLDPNeighbor) []*entry {
	var newcomers []*entry
	present := map[v1alpha1.LLDPNeighbor]bool{}
	for _, n := range heard {
		id := identity(n)
		if e := find(entries, id); e != nil {
			e.hear(now, n, t.gap)
		} else if !present[id] {
			newcomers = append(newcomers, &entry{LLDPNeighbor: n, heard: now})
		}
		present[id] = true
	}
	entries = slices.DeleteFunc(entries, func(e *entry) bool {
		return !present[identity(e.LLDPNeighbor)] && (len(newcomers) > 0 || e.miss(now, t.gap, t.forget))
	})
	return bounded(append(entries, newcomers...))
}

// hear notes that the neighbour is heard. That less is said of it counts when it
// has lasted: SONiC may be about to write the rest.
func (e *entry) hear(now time.Time, n v1alpha1.LLDPNeighbor, gap time.Duration) {
	e.heard, e.missing, e.Stale = now, time.Time{}, false
	if poorer(n, e.LLDPNeighbor) {
		if e.poorer.IsZero() {
			e.poorer = now
		}
		if now.Sub(e.poorer) < gap {
			return
		}
	}
	e.LLDPNeighbor, e.poorer = n, time.Time{}
}

// miss notes that the neighbour is not heard, and reports whether it is to be
// forgotten.
func (e *entry) miss(now time.Time, gap, forget time.Duration) bool {
	if e.missing.IsZero() {
		e.missing, e.poorer = now, time.Time{}
	}
	e.Stale = e.Stale || now.Sub(e.missing) >= gap
	return e.Stale && now.Sub(e.heard) >= forget
}

// bounded are the entries of a port in their order, without those that are too
// many; stale ones are left out first.
func bounded(entries []*entry) []*entry {
	slices.SortFunc(entries, func(a, b *entry) int { return compareIDs(a.LLDPNeighbor, b.LLDPNeighbor) })
	return cut(entries, maxPerPort)
}

// cut leaves out what is above a bound, stale ones first.
func cut(entries []*entry, most int) []*entry {
	for i := len(entries) - 1; i >= 0 && len(entries) > most; i-- {
		if entries[i].Stale {
			entries = slices.Delete(entries, i, i+1)
		}
	}
	return entries[:min(len(entries), most)]
}

// next is when to look again although nothing happens, because somebody's time
// is up; zero if there is nobody like that.
func (t *table) next() time.Time {
	var next time.Time
	for _, entries := range t.ports {
		for _, e := range entries {
			next = earliest(next, e.next(t.gap, t.forget))
		}
	}
	return next
}

func (e *entry) next(gap, forget time.Duration) time.Time {
	switch {
	case e.Stale:
		return e.heard.Add(forget)
	case !e.missing.IsZero():
		return e.missing.Add(gap)
	case !e.poorer.IsZero():
		return e.poorer.Add(gap)
	}
	return time.Time{}
}

// earliest is the first of some times; a zero one is never.
func earliest(times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if first.IsZero() || !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}

// all are the entries in natural order of their ports, as many as may be shown.
func (t *table) all() []*entry {
	var all []*entry
	for _, name := range t.names() {
		all = append(all, t.ports[name]...)
	}
	return cut(all, maxTotal)
}

// neighbors are those of all.
func (t *table) neighbors() []v1alpha1.LLDPNeighbor {
	var neighbors []v1alpha1.LLDPNeighbor
	for _, e := range t.all() {
		neighbors = append(neighbors, e.LLDPNeighbor)
	}
	return neighbors
}

// names of the ports with neighbours, in natural order.
func (t *table) names() []string {
	rows := sonic.DB{}
	for name := range t.ports {
		rows[sonic.Key{Table: sonic.TablePort, Name: name}] = nil
	}
	var names []string
	for _, port := range sonic.Ports(rows, func(sonic.Key) bool { return true }) {
		names = append(names, port.Name)
	}
	return names
}
