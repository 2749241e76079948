package topology

import (
	"fmt"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/api/natural"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// doubt is a neighbour that has the name of a system and not its chassis id.
type doubt struct {
	at       int32 // the end that hears it
	system   int32
	end      int32 // of system, or none
	neighbor *v1alpha1.LLDPNeighbor
}

// listen turns what every system hears into pairs of ends.
func (b *builder) listen() {
	b.half = make([]half, 0, 2*cap(b.ends))
	b.foreign = map[int32][]*v1alpha1.LLDPNeighbor{}
	var doubts []doubt
	shared := map[string][]int32{} // systems that cannot be told apart, by what was heard
	looped := map[[2]int32]bool{}
	for id := range b.systems {
		s, next := &b.systems[id], int32(0)
		for i := range s.neighbors {
			n := &s.neighbors[i]
			at := b.ownEnd(int32(id), n.Port, &next)
			if at == none {
				continue
			}
			who := b.identify(n)
			switch {
			case who.system == int32(id) && !who.impostor:
				b.loop(looped, at, b.port(who.system, n), n.Stale || s.silent)
			case who.system != none && who.impostor:
				doubts = append(doubts, doubt{at, who.system, b.port(who.system, n), n})
			case who.system != none:
				b.hear(at, who.system, n)
			case len(who.among) > 0:
				shared[n.ChassisID+" "+n.SystemName] = who.among
			default:
				b.strange(at, n)
			}
		}
	}
	b.settle(doubts)
	b.alike(shared)
}

// ownEnd finds the end that hears. A system tells its neighbours in the order of
// its ends, so that the next one is near the last.
func (b *builder) ownEnd(id int32, name string, next *int32) int32 {
	s := &b.systems[id]
	for i := *next; i < s.reported && i < *next+4; i++ {
		if b.ends[s.first+i].name == name {
			*next = i
			return s.first + i
		}
	}
	return b.endAt(id, name)
}

// hear notes that an end hears a known system.
func (b *builder) hear(at, system int32, n *v1alpha1.LLDPNeighbor) {
	if to := b.port(system, n); to != none {
		b.pair(at, to, n.Stale || b.of(at).silent)
		return
	}
	b.note(b.of(at).ObjectReference, "UnknownPort",
		"%s hears port %q (%s) of %s, which has no such port or NIC among those that it reports.", b.say(at), n.PortID, n.PortIDSubtype, b.systems[system])
}

func (b *builder) pair(from, to int32, stale bool) {
	bits := hears
	if stale {
		bits = heardOnce
	}
	b.half = append(b.half, half{from, to, none, bits}, half{to, from, none, bits.turned()})
}

// strange notes a neighbour that is nobody's.
func (b *builder) strange(at int32, n *v1alpha1.LLDPNeighbor) {
	b.foreign[at] = append(b.foreign[at], n)
	b.note(b.of(at).ObjectReference, "UnknownNeighbor", "%s hears %s, which is no Switch and no Host. If it is a server without an agent, make a Host with its NICs.", b.say(at), describe(n))
}

// describe is a neighbour as it calls itself.
func describe(n *v1alpha1.LLDPNeighbor) string {
	if n.SystemName != "" {
		return fmt.Sprintf("%q (chassis id %s), port %s", n.SystemName, n.ChassisID, n.PortID)
	}
	return fmt.Sprintf("chassis id %s, port %s", n.ChassisID, n.PortID)
}

// loop tells that an end hears its own system, once for both ends of a cable.
func (b *builder) loop(told map[[2]int32]bool, at, to int32, stale bool) {
	if to == none {
		to = at
	}
	key := [2]int32{min(at, to), max(at, to)}
	if stale || told[key] {
		return
	}
	told[key] = true
	s := b.of(at)
	if at == to {
		b.problem(s.ObjectReference, "Loop",
			"%s hears itself. Take the loopback plug out, or look for what sends its frames back.", b.say(at))
		return
	}
	b.problem(s.ObjectReference, "Loop",
		"%s hears %s of the same %s. Pull the cable between them; it makes no link.", b.say(key[0]), b.say(key[1]), strings.ToLower(string(s.Kind)))
}

// settle looks at the neighbours that have a system's name and not its chassis
// id. One that the system hears in turn is that system, as is one beside it: a
// second LLDP speaker on the same machine has a chassis id of its own choice.
func (b *builder) settle(doubts []doubt) {
	if len(doubts) == 0 {
		return
	}
	heard := map[[2]int32]bool{} // end, system
	back := map[[2]int32]bool{}  // end, end
	for _, h := range b.half {
		if h.bits&hears != 0 {
			heard[[2]int32{h.from, b.ends[h.to].system}] = true
			back[[2]int32{h.from, h.to}] = true
		}
	}
	for _, d := range doubts {
		stale := d.neighbor.Stale || b.of(d.at).silent
		switch {
		case heard[[2]int32{d.at, d.system}] || stale:
		case d.end != none && back[[2]int32{d.end, d.at}]:
			b.pair(d.at, d.end, false)
		default:
			b.foreign[d.at] = append(b.foreign[d.at], d.neighbor)
			b.problem(b.systems[d.system].ObjectReference, "NameTaken",
				"%s hears another device of the name %s, whose chassis id is %s. Give one of them another name.", b.say(d.at), d.neighbor.SystemName, d.neighbor.ChassisID)
		}
	}
}

// alike tells every system that cannot be told from another.
func (b *builder) alike(shared map[string][]int32) {
	told := map[[2]int32]bool{}
	for _, among := range shared {
		for _, s := range among {
			for _, other := range among {
				key := [2]int32{s, other}
				if s == other || told[key] {
					continue
				}
				told[key] = true
				b.problem(b.systems[s].ObjectReference, "SameIdentity",
					"%s cannot be told from %s: they have the same chassis id or system name, so no link is made of what hears them. Give them different host names and MAC addresses.", b.systems[s], b.systems[other])
			}
		}
	}
}

func (b *builder) problem(owner v1alpha1.ObjectReference, reason, format string, args ...any) {
	b.problems = append(b.problems, v1alpha1.Problem{Owner: owner, Reason: reason, Message: cut(fmt.Sprintf(format, args...), maxMessage)})
}

func (b *builder) note(owner v1alpha1.ObjectReference, reason, format string, args ...any) {
	b.notes = append(b.notes, v1alpha1.Problem{Owner: owner, Reason: reason, Message: cut(fmt.Sprintf(format, args...), maxMessage)})
}

// maxMessage is the longest message that a Problem or a Link can carry.
const maxMessage = 1024

// cut shortens a text to what the API takes.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-3], "") + "..."
}

// list is several ends as people write them, the first few of them.
func (b *builder) list(ends []int32) string {
	const most = 8
	var names []string
	for _, e := range ends {
		names = append(names, b.say(e))
	}
	slices.SortFunc(names, natural.Compare)
	if rest := len(names) - most; rest > 0 {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", rest)
	}
	if last := len(names) - 1; last > 0 {
		return strings.Join(names[:last], ", ") + " and " + names[last]
	}
	return strings.Join(names, "")
}
