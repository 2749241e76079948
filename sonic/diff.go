package sonic

import "maps"

// Diff is the plan that makes the owned rows of have those of want.
//
// It never sets a field that has its value already, never touches a row or a
// field that is not in owned, and leaves out a wanted row that it cannot make
// without that, together with the rows that need it. A row of the agent's that
// is left out and is there exactly as wanted stays; one that differs goes,
// because it may tie a VLAN to the network of somebody else. A row that others
// hang on stays until they let go of it.
//
// A row of the record that is not there, because somebody deleted it or because
// the agent was interrupted, may still be known to a daemon: the plan begins by
// waiting until it is not, or, if the agent's own rows hold it there, by deleting
// those.
//
// want has to be whole: the rows that its rows need are in want or are others'.
func Diff(have, want DB, owned Ledger) Plan { return DiffAround(nil, have, want, owned) }

// DiffAround is Diff where some rows are stuck: the plan leaves them, and what
// depends on them, as they are.
func DiffAround(stuck Stuck, have, want DB, owned Ledger) Plan {
	return NewBalance(have, want, owned).Diff(stuck)
}

// diffWhole looks at every row.
func diffWhole(stuck Stuck, have, want DB, owned Ledger) Plan {
	d := newDiffer(have, want, owned)
	d.stuck = stuck
	d.foresee()
	for i := range d.keys {
		if d.want.there[i] {
			d.judge(int32(i))
		}
	}
	d.keepNeeded()
	d.chooseGone()
	d.release()
	d.spread()
	return d.plan()
}

// over is the rows of a database and those that are stuck and gone from it.
func (s Stuck) over(have DB) DB {
	if len(s) == 0 {
		return have
	}
	all := maps.Clone(have)
	for key, row := range s {
		if _, ok := all[key]; !ok {
			all[key] = row.Fields
		}
	}
	return all
}

// settled reports whether a wanted row needs no further look.
func settled(key Key, want Fields, names []string, own bool, have DB) bool {
	there, ok := have[key]
	if !ok || !there.contains(want) {
		return false
	}
	if port, ok := memberPort(key); ok {
		if _, there := have[port]; !there {
			return false // somebody took the port away
		}
	}
	return !own && (len(want) == 0 || shared(key)) || own && len(names) <= len(want)
}

// differ is the work of one Diff. Rows are named by their numbers.
type differ struct {
	*numbering
	have, want *side
	users      adjacency // rows of have by the row that they need
	claimants  claimants // rows of have by what they claim
	stuck      Stuck
	own        []bool // the agent's rows
	names      [][]string
	verdicts   []verdict
	blockers   []*blocker
	usual      map[string][]string // names of fields by table

	gone     []bool     // rows to delete
	anew     []bool     // rows to delete and make again
	remade   []bool     // rows that go for a moment at least
	stripped []bool     // rows to remove the agent's fields from
	holding  []bool     // rows to delete that keep a row of the record that is not there
	needed   []bool     // unwanted rows that wanted ones need
	inUse    []Conflict // unwanted rows that cannot go
}

func newDiffer(have, want DB, owned Ledger) *differ {
	here, wanted := &side{db: have}, &side{db: want}
	n := number(here, wanted, owned)
	here.relate(n)
	wanted.relate(n)
	flags := func() []bool { return make([]bool, len(n.keys)) }
	d := &differ{
		numbering: n, have: here, want: wanted,
		own: flags(), names: make([][]string, len(n.keys)),
		verdicts: make([]verdict, len(n.keys)), blockers: make([]*blocker, len(n.keys)), usual: map[string][]string{},
		gone: flags(), anew: flags(), remade: flags(), stripped: flags(), holding: flags(), needed: flags(),
	}
	d.users = d.have.users()
	d.claimants = newClaimants(d.have, n)
	for key, names := range owned {
		i := n.id(key)
		d.own[i], d.names[i] = true, names
	}
	return d
}

// keepNeeded finds the rows that are not wanted by themselves and that wanted
// rows need.
func (d *differ) keepNeeded() {
	var keep func(int32)
	keep = func(i int32) {
		if i == nowhere || d.want.there[i] || d.needed[i] || !d.have.there[i] {
			return
		}
		d.needed[i] = true
		for _, need := range d.have.needs.of(i) {
			keep(need)
		}
	}
	for i := range d.keys {
		if d.want.there[i] && (d.verdicts[i].ok() || d.have.there[i]) {
			for _, need := range d.want.needs.of(int32(i)) {
				keep(need)
			}
		}
	}
}

// chooseGone finds the agent's rows that have to go, for good or to be made anew.
func (d *differ) chooseGone() {
	for n := range d.keys {
		i := int32(n)
		if !d.own[i] || !d.have.there[i] {
			continue
		}
		verdict := d.verdicts[i]
		switch {
		case !d.want.there[i]:
			d.dropUnwanted(i)
		case verdict.ok() && d.mustBeAnew(i):
			d.anew[i] = true
		case !verdict.ok() && !verdict.left && (verdict.closed || !d.have.fields[i].contains(d.want.fields[i])) && d.blocker(i) == nil:
			d.gone[i] = true
		}
	}
}

func (d *differ) dropUnwanted(i int32) {
	if d.needed[i] {
		return
	}
	b := d.blocker(i)
	switch {
	case b == nil:
		d.gone[i] = true
	case b.direct && b.stuck:
		d.inUse = append(d.inUse, d.lingers(i, b.other))
	case b.other == i && strippable(d.keys[i]):
		d.stripped[i] = true
	case b.direct:
		d.inUse = append(d.inUse, Conflict{Kind: InUse, Key: d.keys[i], Other: d.keys[b.other], Detail: b.fields})
	}
}

// release makes what needs a row of the record that is not there go, and come
// again if it is wanted: as long as a daemon has it, it does not let go of the
// other, and takes no new one.
func (d *differ) release() {
	queue := d.numbers(d.ghost)
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		for _, user := range d.users.of(i) {
			if d.holding[user] || !d.own[user] || d.blocker(user) != nil {
				continue
			}
			d.holding[user] = true
			d.leave(user)
			queue = append(queue, user)
		}
	}
}

// ghost reports whether a row of the record is not there.
func (d *differ) ghost(i int32) bool { return d.own[i] && !d.have.there[i] }

// leave has a row deleted, and made again if it is wanted.
func (d *differ) leave(i int32) {
	if d.want.there[i] && d.verdicts[i].ok() {
		d.anew[i] = true
	} else {
		d.gone[i] = true
	}
}

// spread makes everything go, for good or to be made anew, that needs a row
// that goes.
func (d *differ) spread() {
	queue := d.leaving()
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		for _, user := range d.users.of(i) {
			if d.gone[user] || d.anew[user] {
				continue
			}
			d.leave(user)
			queue = append(queue, user)
		}
	}
}

// leaving are the rows that are deleted.
func (d *differ) leaving() []int32 {
	return d.numbers(func(i int32) bool { return d.gone[i] || d.anew[i] })
}

// numbers of the rows for which is holds, in rising order.
func (d *differ) numbers(is func(int32) bool) []int32 {
	var out []int32
	for i := range d.keys {
		if is(int32(i)) {
			out = append(out, int32(i))
		}
	}
	return out
}

// blocker says why a row of the agent's cannot be deleted.
type blocker struct {
	other  int32  // the row in the way; the row itself when fields of it are
	fields string // names of fields that are not the agent's
	direct bool   // other needs the row itself
	stuck  bool   // a daemon does not let go of other
}

// free is the blocker of a row that has none.
func free() *blocker { return &blocker{other: nowhere} }

// blocker is nil when the row can be deleted: it has no field of somebody
// else's, and the rows that need it are the agent's and can be deleted too.
func (d *differ) blocker(i int32) *blocker {
	if d.blockers[i] == nil {
		d.blockers[i] = free() // cuts a cycle
		if b := d.findBlocker(i); b != nil {
			d.blockers[i] = b
		}
	}
	if b := d.blockers[i]; b.other != nowhere {
		return b
	}
	return nil
}

func (d *differ) findBlocker(i int32) *blocker {
	if d.isStuck(i) {
		return &blocker{other: i, direct: true, stuck: true}
	}
	users := d.users.of(i)
	for _, user := range users {
		if !d.own[user] {
			return &blocker{other: user, direct: true}
		}
	}
	for _, user := range users {
		if b := d.blocker(user); b != nil {
			return &blocker{other: b.other, fields: b.fields, direct: b.stuck, stuck: b.stuck}
		}
	}
	if foreign := d.foreignFields(i); len(foreign) > 0 {
		return &blocker{other: i, fields: join(foreign.Names()), direct: true}
	}
	return nil
}

// foreignFields are the fields of a row that the agent did not write.
func (d *differ) foreignFields(i int32) Fields { return d.have.fields[i].without(d.names[i]) }

func (d *differ) isStuck(i int32) bool {
	if len(d.stuck) == 0 {
		return false
	}
	_, ok := d.stuck[d.keys[i]]
	return ok
}

// lingers is the conflict of a row with one that is stuck, which may be itself.
func (d *differ) lingers(i, other int32) Conflict {
	if user := d.stuck[d.keys[other]].User; user != (Key{}) {
		n := d.id(user)
		return Conflict{Kind: InUse, Key: d.keys[i], Other: user, Leaving: n != nowhere && d.own[n]}
	}
	if d.stuck[d.keys[other]].Marker == (Marker{}) {
		return Conflict{Kind: Drifted, Key: d.keys[i], Other: d.keys[other]}
	}
	return Conflict{Kind: Lingers, Key: d.keys[i], Other: d.keys[other], Detail: d.stuck[d.keys[other]].Marker.String()}
}
