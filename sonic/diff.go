package sonic

import (
	"maps"
	"slices"
)

// Diff is the plan that makes the owned rows of have those of want.
//
// It never sets a field that has its value already, never touches a row or a
// field that is not in owned, and leaves out a wanted row that it cannot make
// without that, together with the rows that need it. A row of the agent's that
// is left out and is there exactly as wanted stays; one that differs goes,
// because it may tie a VLAN to the network of somebody else. A row that others
// hang on stays until they let go of it.
//
// want has to be whole: the rows that its rows need are in want or are others'.
func Diff(have, want DB, owned Ledger) Plan {
	if converged(have, want, owned) {
		return Plan{}
	}
	d := &differ{
		have: have, want: want, owned: owned,
		haveGraph: newGraph(have), wantGraph: newGraph(want),
		claimants: claimants{}, verdicts: make(map[Key]verdict, len(want)), blockers: map[Key]*blocker{},
		gone: map[Key]bool{}, anew: map[Key]bool{}, stripped: map[Key]bool{}, needed: map[Key]bool{},
	}
	d.users = d.haveGraph.users()
	for key, fields := range have {
		d.claimants.add(key, fields)
	}
	for key := range want {
		d.judge(key)
	}
	d.keepNeeded()
	d.chooseGone()
	d.spread()
	return d.plan()
}

// converged is the short way out when there is nothing to do, which is nearly
// always.
func converged(have, want DB, owned Ledger) bool {
	for key, fields := range want {
		there, ok := have[key]
		if !ok || !there.contains(fields) {
			return false
		}
		if port, ok := memberPort(key); ok {
			if _, there := have[port]; !there {
				return false // somebody took the port away
			}
		}
		names, own := owned[key]
		if own && len(names) > len(fields) || !own && len(fields) > 0 && !shared(key) {
			return false
		}
	}
	for key := range owned {
		if _, ok := want[key]; !ok {
			return false
		}
	}
	return true
}

// differ is the work of one Diff.
type differ struct {
	have, want           DB
	owned                Ledger
	haveGraph, wantGraph *graph
	users                map[Key][]Key // rows of have by the row that they need
	claimants            claimants     // rows of have by what they claim
	verdicts             map[Key]verdict
	blockers             map[Key]*blocker

	gone     map[Key]bool // rows to delete
	anew     map[Key]bool // rows to delete and make again
	stripped map[Key]bool // rows to remove the agent's fields from
	needed   map[Key]bool // unwanted rows that wanted ones need
	inUse    []Conflict   // unwanted rows that cannot go
}

// keepNeeded finds the rows that are not wanted by themselves and that wanted
// rows need.
func (d *differ) keepNeeded() {
	var keep func(Key)
	keep = func(key Key) {
		if _, wanted := d.want[key]; wanted || d.needed[key] || !d.haveGraph.has(key) {
			return
		}
		d.needed[key] = true
		for _, need := range d.haveGraph.needs(key) {
			keep(need)
		}
	}
	for key := range d.want {
		if d.verdicts[key].ok() || d.haveGraph.has(key) {
			for _, need := range d.wantGraph.needs(key) {
				keep(need)
			}
		}
	}
}

// chooseGone finds the agent's rows that have to go, for good or to be made anew.
func (d *differ) chooseGone() {
	for key := range d.owned {
		fields, there := d.have[key]
		if !there {
			continue
		}
		wantFields, wanted := d.want[key]
		verdict := d.verdicts[key]
		switch {
		case !wanted:
			d.dropUnwanted(key)
		case verdict.ok() && d.mustBeAnew(key):
			d.anew[key] = true
		case !verdict.ok() && (verdict.closed || !fields.contains(wantFields)) && d.blocker(key) == nil:
			d.gone[key] = true
		}
	}
}

func (d *differ) dropUnwanted(key Key) {
	if d.needed[key] {
		return
	}
	b := d.blocker(key)
	switch {
	case b == nil:
		d.gone[key] = true
	case b.other == key && strippable(key):
		d.stripped[key] = true
	case b.direct:
		d.inUse = append(d.inUse, Conflict{Kind: InUse, Key: key, Other: b.other, Detail: b.fields})
	}
}

// spread makes everything go, for good or to be made anew, that needs a row
// that goes.
func (d *differ) spread() {
	queue := slices.Concat(slices.Collect(maps.Keys(d.gone)), slices.Collect(maps.Keys(d.anew)))
	for len(queue) > 0 {
		key := queue[0]
		queue = queue[1:]
		for _, user := range d.users[key] {
			if d.gone[user] || d.anew[user] {
				continue
			}
			if _, wanted := d.want[user]; wanted && d.verdicts[user].ok() {
				d.anew[user] = true
			} else {
				d.gone[user] = true
			}
			queue = append(queue, user)
		}
	}
}

// blocker says why a row of the agent's cannot be deleted.
type blocker struct {
	other  Key    // the row in the way; the row itself when fields of it are
	fields string // names of fields that are not the agent's
	direct bool   // other needs the row itself
}

// blocker is nil when the row can be deleted: it has no field of somebody
// else's, and the rows that need it are the agent's and can be deleted too.
func (d *differ) blocker(key Key) *blocker {
	if b, ok := d.blockers[key]; ok {
		return b
	}
	d.blockers[key] = nil // cuts a cycle
	b := d.findBlocker(key)
	d.blockers[key] = b
	return b
}

func (d *differ) findBlocker(key Key) *blocker {
	users := slices.SortedFunc(slices.Values(d.users[key]), Key.Compare)
	for _, user := range users {
		if !d.owned.Has(user) {
			return &blocker{other: user, direct: true}
		}
	}
	for _, user := range users {
		if b := d.blocker(user); b != nil {
			return &blocker{other: b.other, fields: b.fields}
		}
	}
	if foreign := d.owned.foreignFields(key, d.have[key]); len(foreign) > 0 {
		return &blocker{other: key, fields: join(foreign.Names()), direct: true}
	}
	return nil
}
