package topology

import (
	"slices"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// found is a link before it is published.
type found struct {
	a, b     int32 // none for a declaration that is not in force
	state    v1alpha1.LinkState
	source   v1alpha1.LinkSource
	hears    bool           // OneWay: it is a that hears b
	declared *v1alpha1.Link // nil if it was not
	link     int32          // of Inputs.Links that it was known by, or none
	findings []finding
	reason   string // why a declaration is not in force
	message  string
}

// finding is what is at one end of a declared link instead.
type finding struct {
	at, peer int32 // peer is none if it is no known end
	text     string
}

// linked marks a tie that a link was made of.
const linked = knownGone << 1

// decideFresh makes the links that are heard now. Both ends agree, or one speaks
// and nobody contradicts; where it is not clear, only what was known stays.
func (b *builder) decideFresh() {
	b.links = slices.Grow(b.links, len(b.ends)/2)
	for e := range b.ends {
		list := b.ties.of(int32(e))
		for i := range list {
			t := &list[i]
			if t.to <= int32(e) || t.bits&fresh == 0 || b.claimed[e] != none || b.claimed[t.to] != none {
				continue
			}
			hub, clash := b.hub[e] || b.hub[t.to], b.clash[e] || b.clash[t.to]
			sure := !hub && (t.bits&mutual == mutual || !clash)
			if !sure && t.bits&(known|knownGone) != known {
				continue
			}
			b.definite[e], b.definite[t.to] = b.definite[e] || sure, b.definite[t.to] || sure
			b.linkFresh(int32(e), t)
		}
	}
}

func (b *builder) linkFresh(e int32, t *tie) {
	l := found{a: e, b: t.to, link: t.link, state: v1alpha1.LinkOneWay, source: v1alpha1.SourceLLDPOneSided, hears: t.bits&hears != 0}
	if t.bits&mutual == mutual {
		l.state, l.source = v1alpha1.LinkConfirmed, v1alpha1.SourceLLDP
	}
	t.bits |= linked
	b.links = append(b.links, l)
}

// decideKnown keeps the links that were known and are no longer heard. They are
// gone once one of their ends is definitely elsewhere, and remain so until they
// are heard again.
func (b *builder) decideKnown() {
	for e := range b.ends {
		for _, t := range b.ties.of(int32(e)) {
			if t.to <= int32(e) || t.bits&linked != 0 || b.claimed[e] != none && b.claimed[e] == b.claimed[t.to] {
				continue
			}
			switch {
			case t.bits&known != 0:
				b.linkKnown(int32(e), t)
			case t.bits&fresh == 0 && t.bits&stale != 0 && b.free(int32(e)) && b.free(t.to):
				l := found{a: int32(e), b: t.to, link: none, state: v1alpha1.LinkStale, source: v1alpha1.SourceLLDPOneSided}
				if t.bits&stale == stale {
					l.source = v1alpha1.SourceLLDP
				}
				b.links = append(b.links, l)
			}
		}
	}
}

// free says whether the only thing that is known of an end is one stale neighbour.
func (b *builder) free(e int32) bool { return len(b.ties.of(e)) == 1 && !b.definite[e] }

func (b *builder) linkKnown(e int32, t tie) {
	before := b.in.Links[t.link].Status
	l := found{a: e, b: t.to, link: t.link, state: v1alpha1.LinkStale, source: before.Source}
	if t.bits&knownGone != 0 || b.definite[e] || b.definite[t.to] {
		l.state = v1alpha1.LinkGone
	}
	b.links = append(b.links, l)
}
