package sonic

import "slices"

// Ledger records what the agent wrote: the keys of its rows, and for each the
// names of the fields that are its own, in rising order. Nothing outside the
// ledger is ever changed.
type Ledger map[Key][]string

// Has reports whether the row is one that the agent wrote.
func (l Ledger) Has(key Key) bool {
	_, ok := l[key]
	return ok
}

// Adopt is the ledger to start from when the record is lost: the rows that are
// there exactly as they are wanted. A row without fields says nothing by
// itself; it is taken along with a row that needs it or that it needs.
func Adopt(have, want DB) Ledger {
	ledger := Ledger{}
	for key, fields := range want {
		if there, ok := have[key]; ok && len(fields) > 0 && !shared(key) && there.contains(fields) {
			ledger[key] = fields.Names()
		}
	}
	var bare []Key
	g := newGraph(want)
	for key, fields := range want {
		for _, need := range g.needs(key) {
			switch {
			case len(fields) == 0 && ledger.Has(need):
				bare = append(bare, key)
			case ledger.Has(key) && len(want[need]) == 0 && g.has(need):
				bare = append(bare, need)
			}
		}
	}
	for _, key := range bare {
		if _, ok := have[key]; ok {
			ledger[key] = nil
		}
	}
	return ledger
}

// shared reports whether a row of somebody else's will do as well if it says
// the same, because a switch can have only one of it.
func shared(key Key) bool { return key.Table == TableSAG }

// Apply records what a plan owns and disowns.
func (l Ledger) Apply(p Plan) {
	for _, key := range p.Disown {
		delete(l, key)
	}
	for _, rows := range []Ledger{p.Own, p.Keep} {
		for key, names := range rows {
			l[key] = names
		}
	}
}

// union of two lists of names in rising order.
func union(a, b []string) []string {
	if len(b) == 0 {
		return a
	}
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
