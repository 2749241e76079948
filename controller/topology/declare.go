package topology

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// declaration is a Link that says what should be there.
type declaration struct {
	link *v1alpha1.Link
	a, b int32
}

// declare takes the Links that somebody declared. Of two that have an end in
// common the older one is in force.
func (b *builder) declare() {
	var links []*v1alpha1.Link
	for _, l := range b.in.Links {
		if len(l.Spec.Ends) == 2 {
			links = append(links, l)
		}
	}
	slices.SortFunc(links, func(a, b *v1alpha1.Link) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	for _, l := range links {
		x, y, message := b.declaredEnds(l)
		if message != "" {
			b.reject(l, v1alpha1.LinkUnseen, "EndNotFound", message)
			continue
		}
		if older := cmp.Or(b.claimOf(x), b.claimOf(y)); older != nil {
			b.reject(l, v1alpha1.LinkMismatch, "DeclaredTwice", fmt.Sprintf(
				"Link %s, which is older, says that %s and %s are joined. Delete one of the two, or correct its ends.", older.link.Name, b.say(older.a), b.say(older.b)))
			continue
		}
		b.declared = append(b.declared, declaration{l, x, y})
		b.claim(x, y)
	}
}

// declaredEnds finds the ends that a Link declares, or says what is missing.
func (b *builder) declaredEnds(l *v1alpha1.Link) (x, y int32, missing string) {
	var found [2]int32
	for i, e := range l.Spec.Ends {
		s := b.systemOf(e)
		if s == none {
			return 0, 0, fmt.Sprintf("There is no %s. Correct the name, or create it.", e.Reference())
		}
		if found[i] = b.endAt(s, e.Interface()); found[i] == none {
			return 0, 0, fmt.Sprintf("%s has no port or NIC %s. Correct the name.", e.Reference(), e.Interface())
		}
	}
	if found[0] == found[1] {
		return 0, 0, fmt.Sprintf("Both ends are %s, which has two names. Correct one of them.", b.say(found[0]))
	}
	return found[0], found[1], ""
}

// claim gives two ends to the newest declaration.
func (b *builder) claim(ends ...int32) {
	for len(b.claimed) < len(b.ends) {
		b.claimed = append(b.claimed, none)
	}
	for _, e := range ends {
		b.claimed[e] = int32(len(b.declared) - 1)
	}
}

// claimOf is the declaration in force of an end, or nil.
func (b *builder) claimOf(e int32) *declaration {
	if int(e) >= len(b.claimed) || b.claimed[e] == none {
		return nil
	}
	return &b.declared[b.claimed[e]]
}

// reject publishes a declaration that is not in force.
func (b *builder) reject(l *v1alpha1.Link, state v1alpha1.LinkState, reason, message string) {
	b.problem(v1alpha1.ObjectReference{Kind: v1alpha1.KindLink, Name: l.Name}, reason, "%s", message)
	b.links = append(b.links, found{a: none, b: none, state: state, source: v1alpha1.SourceStatic, declared: l, reason: reason, message: message})
}

// remember takes what was known before.
func (b *builder) remember() {
	for i, l := range b.in.Links {
		if len(l.Spec.Ends) != 0 || len(l.Status.Ends) != 2 {
			continue
		}
		x, y := b.lastSeen(l.Status.Ends[0]), b.lastSeen(l.Status.Ends[1])
		if x == none || y == none || x == y {
			continue // a Switch or Host that was deleted has no links
		}
		bits := known
		if l.Status.State == v1alpha1.LinkGone {
			bits |= knownGone
		}
		b.half = append(b.half, half{x, y, int32(i), bits}, half{y, x, int32(i), bits})
	}
	b.claim()
	b.hub, b.definite, b.clash, b.mistaken = make([]bool, len(b.ends)), make([]bool, len(b.ends)), make([]bool, len(b.ends)), make([]bool, len(b.ends))
}

// lastSeen finds an end that there was, even if its system no longer tells of it.
func (b *builder) lastSeen(e v1alpha1.LinkEnd) int32 {
	s := b.systemOf(e)
	if s == none {
		return none
	}
	if at := b.endAt(s, e.Interface()); at != none {
		return at
	}
	return b.invent(s, e.Interface())
}

// decideDeclared compares the declarations with what is heard.
func (b *builder) decideDeclared() {
	for _, d := range b.declared {
		l := found{a: d.a, b: d.b, declared: d.link, source: v1alpha1.SourceStatic, link: none}
		t := b.ties.between(d.a, d.b)
		elsewhere := b.elsewhere(d, t)
		b.definite[d.a], b.definite[d.b] = true, true
		switch {
		case len(elsewhere) > 0:
			l.state, l.findings = v1alpha1.LinkMismatch, elsewhere
			b.mistaken[d.a], b.mistaken[d.b] = true, true
			b.problem(v1alpha1.ObjectReference{Kind: v1alpha1.KindLink, Name: d.link.Name}, "Mismatch", "%s", b.message(&l))
		case t.bits&mutual == mutual:
			l.state, l.source = v1alpha1.LinkConfirmed, v1alpha1.SourceLLDP
		case t.bits&fresh != 0:
			l.state, l.source, l.hears = v1alpha1.LinkOneWay, v1alpha1.SourceLLDPOneSided, t.bits&hears != 0
		case t.bits&stale != 0 || b.wasThere(d):
			l.state = v1alpha1.LinkStale
		default:
			l.state = v1alpha1.LinkUnseen
		}
		b.links = append(b.links, l)
	}
}

// wasThere says whether a declared link was heard since it was declared so.
func (b *builder) wasThere(d declaration) bool {
	switch before := d.link.Status; before.State {
	case v1alpha1.LinkConfirmed, v1alpha1.LinkOneWay, v1alpha1.LinkStale:
		x, y := b.linkEnd(d.a), b.linkEnd(d.b)
		return slices.Contains(before.Ends, x) && slices.Contains(before.Ends, y)
	default:
		return false
	}
}

// elsewhere is what is cabled to the ends of a declaration instead. An end that
// hears its declared peer hears the right thing, whatever else it hears.
func (b *builder) elsewhere(d declaration, t tie) []finding {
	var out []finding
	for _, side := range []struct {
		at, peer int32
		bits     evidence
	}{{d.a, d.b, t.bits}, {d.b, d.a, t.bits.turned()}} {
		look := fresh
		if t.bits&fresh != 0 {
			look = hears // who else claims to hear it does not matter then
		}
		if side.bits&hears != 0 {
			continue
		}
		for _, other := range b.ties.with(side.at, look) {
			if other != side.peer {
				out = append(out, finding{at: side.at, peer: other})
			}
		}
		if t.bits&fresh != 0 || b.of(side.at).silent {
			continue
		}
		for _, n := range b.foreign[side.at] {
			if !n.Stale {
				out = append(out, finding{at: side.at, peer: none, text: describe(n)})
			}
		}
	}
	return out
}
