package sonic

import (
	"maps"
	"reflect"
	"slices"
)

// Balance sets off the rows that are there against those that are wanted, and
// remembers what differs and which rows concern which, so that a plan costs what
// has changed since the last and not what the switch has.
//
// It looks at the rows and the record that it was given as they are: whoever
// changes one of them, other than by carrying out a plan of the Balance, says so
// by Touch.
type Balance struct {
	have, want DB
	owned      Ledger

	// open are the rows that may not be as wanted; nil when that can be any.
	open    map[Key]struct{}
	related *related // nil until it is needed
}

// NewBalance is a Balance that has not looked at anything yet.
func NewBalance(have, want DB, owned Ledger) *Balance {
	return &Balance{have: have, want: want, owned: owned}
}

// Touch says that rows may be others than they were: those that are there or
// wanted, or what the record says of them.
func (b *Balance) Touch(keys ...Key) {
	for _, key := range keys {
		if key.Table == TablePort || key.Table == TablePortChannel {
			b.open = nil // whatever is on the port
		}
		if b.open != nil {
			b.open[key] = struct{}{}
		}
		if b.related != nil {
			b.related.add(key, b.have[key])
			b.related.add(key, b.want[key])
		}
	}
}

// Want says what is wanted from now on. It costs a look at each row, unless it is
// the same map.
func (b *Balance) Want(want DB) {
	if reflect.ValueOf(want).Pointer() == reflect.ValueOf(b.want).Pointer() {
		return
	}
	before := b.want
	b.want = want
	if b.open == nil && b.related == nil {
		return
	}
	kept := 0
	for key, fields := range want {
		was, known := before[key]
		if known {
			kept++
		}
		if !known || !slices.Equal(was, fields) {
			b.Touch(key)
		}
	}
	if kept == len(before) {
		return
	}
	for key := range before {
		if _, ok := want[key]; !ok {
			b.Touch(key)
		}
	}
}

// Diff is the plan that makes the owned rows those that are wanted, while some
// rows are stuck.
func (b *Balance) Diff(stuck Stuck) Plan {
	if len(stuck) > 0 { // which is rare
		p := NewBalance(stuck.over(b.have), b.want, b.owned).diff(stuck)
		b.expect(p)
		return p
	}
	p := b.diff(nil)
	b.expect(p)
	return p
}

func (b *Balance) diff(stuck Stuck) Plan {
	if !b.look(b.most()) {
		return diffWhole(stuck, b.have, b.want, b.owned)
	}
	for key := range stuck {
		b.open[key] = struct{}{}
	}
	if len(b.open) == 0 {
		return Plan{}
	}
	if len(b.open) > b.most() {
		return diffWhole(stuck, b.have, b.want, b.owned)
	}
	return b.diffNarrow(stuck, slices.Collect(maps.Keys(b.open)))
}

// wholeShare: a change of more than one in wholeShare rows is looked at as a
// whole at once.
const wholeShare = 8

// most is how many rows may differ before it is cheaper to look at all.
func (b *Balance) most() int { return (len(b.have) + len(b.want)) / 2 / wholeShare }

// look finds the rows that are not as wanted, of which there are none nearly
// always. Where it has to look at all of them it gives up, and reports false,
// when it has found more than so many.
func (b *Balance) look(most int) bool {
	if b.open != nil {
		maps.DeleteFunc(b.open, func(key Key, _ struct{}) bool { return b.settled(key) })
		if len(b.open) == 0 {
			b.open = map[Key]struct{}{} // an emptied one keeps its size
		}
		return true
	}
	open := map[Key]struct{}{}
	wanted := 0 // of the agent's rows
	for key, fields := range b.want {
		names, own := b.owned[key]
		if own {
			wanted++
		}
		if !settled(key, fields, names, own, b.have) {
			if open[key] = struct{}{}; len(open) > most {
				return false
			}
		}
	}
	if wanted < len(b.owned) {
		for key := range b.owned {
			if _, ok := b.want[key]; !ok {
				open[key] = struct{}{}
			}
		}
	}
	b.open = open
	return true
}

// settled reports whether a row needs no further look.
func (b *Balance) settled(key Key) bool {
	names, own := b.owned[key]
	fields, wanted := b.want[key]
	if !wanted {
		return !own
	}
	return settled(key, fields, names, own, b.have)
}

// expect looks at what a plan changes when the next is made.
func (b *Balance) expect(p Plan) {
	if b.open == nil {
		return
	}
	for _, rows := range []Ledger{p.Own, p.Keep} {
		for key := range rows {
			b.open[key] = struct{}{}
		}
	}
	for _, key := range p.Disown {
		b.open[key] = struct{}{}
	}
	for _, stage := range p.Stages {
		for i := range stage.Commands {
			b.open[stage.Commands[i].Key] = struct{}{}
		}
	}
}

// diffNarrow looks only at what the seeds can concern.
//
// Rows that are all new concern nobody but those that they need: as long as each
// of them can be had, a row that is there and as wanted stays so. So whoever
// needs them need not be looked for.
func (b *Balance) diffNarrow(stuck Stuck, seeds []Key) Plan {
	if b.related == nil || b.related.outgrown(len(b.have)+len(b.want)) {
		b.related = relate(b.have, b.want)
	}
	if allNew(seeds, b.have, b.owned) {
		have, want, owned, _ := b.narrow(seeds, false)
		if p := diffWhole(stuck, have, want, owned); len(p.Conflicts) == 0 {
			return p
		}
	}
	have, want, owned, ok := b.narrow(seeds, true)
	if !ok {
		have, want, owned = b.have, b.want, b.owned
	}
	return diffWhole(stuck, have, want, owned)
}

// allNew reports whether none of the rows is there, or was.
func allNew(keys []Key, have DB, owned Ledger) bool {
	for _, key := range keys {
		if _, there := have[key]; there || owned.Has(key) {
			return false
		}
	}
	return true
}
