package topology

import (
	"cmp"
	"slices"

	"github.com/switchlet/switchlet/api/natural"
)

// findHubs looks for ends that hear several others. All that they hear is one
// hub, or a switch that passes LLDP on, which is told once: of the first switch
// port in it, or else of the first NIC.
func (b *builder) findHubs() {
	for e := range b.ends {
		if !b.hub[e] && b.ties.count(int32(e), hears) > 1 {
			b.tellHub(b.hubOf(int32(e)))
		}
	}
}

// hubOf collects and marks what is in the hub of an end.
func (b *builder) hubOf(e int32) []int32 {
	members, open := []int32{e}, []int32{e}
	b.hub[e] = true
	for len(open) > 0 {
		at := open[0]
		open = open[1:]
		if b.ties.count(at, hears) < 2 {
			continue
		}
		for _, t := range b.ties.of(at) {
			isMember := t.bits&hears != 0 || t.bits&heard != 0 && b.ties.count(t.to, hears) > 1
			if isMember && !b.hub[t.to] {
				b.hub[t.to] = true
				members, open = append(members, t.to), append(open, t.to)
			}
		}
	}
	return members
}

func (b *builder) tellHub(members []int32) {
	first := slices.MinFunc(members, b.compare)
	others := slices.DeleteFunc(slices.Clone(members), func(e int32) bool { return e == first })
	b.problem(b.of(first).ObjectReference, "SeveralNeighbors",
		"%s is joined to %s at once, by a hub or by a switch that passes LLDP on. No new link is made there; what was known stays. Cable each of them to a port of its own.",
		b.say(first), b.list(others))
}

// compare orders ends: those of switches first, and then by their names.
func (b *builder) compare(x, y int32) int {
	s, t := b.of(x), b.of(y)
	return cmp.Or(-cmp.Compare(s.Kind, t.Kind), natural.Compare(s.Name, t.Name), natural.Compare(b.ends[x].name, b.ends[y].name))
}

// findConflicts looks for ends that are at several others without a hub. A cable
// has two ends, so that somebody does not say the truth, or has not noticed yet.
func (b *builder) findConflicts() {
	for e := range b.ends {
		b.clash[e] = !b.hub[e] && !b.mistaken[e] && b.ties.count(int32(e), fresh) > 1
	}
	seen := make([]bool, len(b.ends))
	for e := range b.ends {
		if b.clash[e] && !seen[e] {
			b.tellConflict(b.conflictOf(int32(e), seen))
		}
	}
}

// conflictOf collects the ends in conflict that have to do with each other.
func (b *builder) conflictOf(e int32, seen []bool) []int32 {
	members := []int32{e}
	seen[e] = true
	for i := 0; i < len(members); i++ {
		for _, t := range b.ties.of(members[i]) {
			if t.bits&fresh != 0 && b.clash[t.to] && !seen[t.to] {
				seen[t.to] = true
				members = append(members, t.to)
			}
		}
	}
	return members
}

// meanwhile is what a NIC that is heard twice is taken for.
func (b *builder) meanwhile(e int32) string {
	if b.sits[e] == none {
		return "What was known stays"
	}
	return "It is taken to be at " + b.say(b.sits[e]) + ", which it hears itself"
}

func (b *builder) tellConflict(members []int32) {
	twice := slices.DeleteFunc(slices.Clone(members), func(e int32) bool { return b.ties.count(e, heard) < 2 })
	for _, e := range twice {
		b.problem(b.of(e).ObjectReference, "HeardTwice",
			"%s is heard by %s, and a cable has one other end. Either two machines claim this name, or the cable was moved a moment ago. %s; give one of the machines another name.",
			b.say(e), b.list(b.ties.with(e, heard)), b.meanwhile(e))
	}
	if len(twice) > 0 {
		return
	}
	moved := slices.DeleteFunc(slices.Clone(members), func(e int32) bool { return b.sits[e] == none })
	for _, e := range moved {
		b.problem(b.of(e).ObjectReference, "HeardElsewhere",
			"%s hears %s, where it is taken to be, and is heard by %s. If the cable was moved a moment ago, this ends by itself; if not, look for fibres that are plugged crosswise, or for another machine of this name.",
			b.say(e), b.say(b.sits[e]), b.list(b.ties.with(e, heard)))
	}
	if len(moved) > 0 {
		return
	}
	first := slices.MinFunc(members, b.compare)
	b.problem(b.of(first).ObjectReference, "CrossedFibres",
		"%s hears %s and is heard by %s. Look for fibres that are plugged crosswise. What was known stays.",
		b.say(first), b.list(b.ties.with(first, hears)), b.list(b.ties.with(first, heard)))
}
