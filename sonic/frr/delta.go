package frr

import (
	"slices"
	"strings"
)

// Delta is the plan that makes the owned statements of have those of want.
//
// What somebody else said is never changed or taken back; where it stands in
// the way, the one statement that is concerned is a conflict. What is there
// already is not sent again, since FRR resets sessions over some of that.
func Delta(have, want, owned Tree) Plan {
	d := differ{}
	made := d.level(place{}, have, want, owned)
	slices.SortFunc(d.conflicts, func(a, b Conflict) int { return strings.Compare(a.String(), b.String()) })
	slices.SortStableFunc(d.steps, func(a, b step) int { return int(a.phase) - int(b.phase) })
	plan := Plan{Conflicts: d.conflicts, Own: Merge(owned, made), Commands: make([]Command, len(d.steps))}
	for i, s := range d.steps {
		plan.Commands[i] = s.Command
	}
	return plan
}

// step is a command with its place in the order.
type step struct {
	Command
	phase phase
}

type differ struct {
	steps     []step
	conflicts []Conflict
}

// place is a context: the statements around it, and which neighbours of the
// BGP instance that it is in are taken away.
type place struct {
	context []string
	kind    kind
	lost    map[string]bool
}

func (p place) inside(line string) place {
	if len(p.context) == 0 {
		p.kind = kindOf(line)
	}
	p.context = append(p.context[:len(p.context):len(p.context)], line)
	return p
}

// kindOf a statement at this place is that of the one around it all.
func (p place) kindOf(line string) kind {
	if len(p.context) == 0 {
		return kindOf(line)
	}
	return p.kind
}

// gone reports whether a statement goes with the neighbour that it is about.
func (p place) gone(line string) bool { return len(p.lost) > 0 && p.lost[subject(line)] }

func (d *differ) send(p place, phase phase, line, owner string) {
	d.steps = append(d.steps, step{Command{Context: p.context, Line: line, Owner: owner}, phase})
}

func (d *differ) conflict(kind ConflictKind, p place, line, owner, other string) {
	d.conflicts = append(d.conflicts, Conflict{kind, p.context, line, owner, other})
}

// level makes one context right and returns the statements that it made.
func (d *differ) level(p place, have, want, owned Tree) Tree {
	if same(have, want) && len(p.lost) == 0 {
		return nil
	}
	l := level{
		differ: d, place: p, want: want, haves: have.index(), wants: want.index(), owns: owned.index(),
		kept: map[string]bool{},
	}
	if len(p.context) == 1 && (p.kind == kindBGP || p.kind == kindBGPVRF) {
		l.lost = l.lose(have, owned)
	}
	made := l.makeAll(have, want)
	for _, node := range slices.Backward(have) {
		l.drop(&node)
	}
	return made
}

// same reports whether two trees say the same in the same order, which is nearly
// always.
func same(a, b Tree) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Line != b[i].Line || !same(a[i].Inside, b[i].Inside) {
			return false
		}
	}
	return true
}

// foreign is a statement in have that is not owned; empty if there is none.
func foreign(have, owned Tree) string {
	if len(have) == 0 {
		return ""
	}
	owns := owned.index()
	for _, node := range have {
		own, ok := owns[node.Line]
		if !ok || own.Shared {
			return node.Line
		}
		if other := foreign(node.Inside, own.Inside); other != "" {
			return other
		}
	}
	return ""
}
