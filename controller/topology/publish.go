package topology

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Link is one Link as it should be.
type Link struct {
	// Name of the Link.
	Name string
	// Declared says whether somebody made it; else it is the controller's to make
	// and to delete.
	Declared bool
	// Status but for its conditions.
	Status v1alpha1.LinkStatus
	// Ready and Reason are those of the condition; its message is the Status's.
	Ready  metav1.ConditionStatus
	Reason string
}

// publish turns what was found into Links, by name.
func (b *builder) publish() []Link {
	taken := map[string]bool{}
	for _, l := range b.in.Links {
		if len(l.Spec.Ends) > 0 {
			taken[l.Name] = true
		}
	}
	order := make([]named, len(b.links))
	for i := range b.links {
		l := &b.links[i]
		if l.a != none && b.hostFirst(l.a, l.b) > 0 {
			l.a, l.b, l.hears = l.b, l.a, !l.hears
		}
		order[i] = named{b.nameOf(l, taken), int32(i)}
	}
	slices.SortFunc(order, func(x, y named) int { return strings.Compare(x.name, y.name) })
	out, of := make([]Link, len(order)), make([]found, len(order))
	ends := make([]v1alpha1.LinkEnd, 2*len(order))
	for i, n := range order {
		of[i] = b.links[n.at]
		out[i].Name = n.name
		b.fillIn(&out[i], &of[i], ends[2*i:2*i+2:2*i+2])
	}
	b.links = of
	return out
}

// named is a link by its name.
type named struct {
	name string
	at   int32
}

// hostFirst orders the ends of a link: that of a host first, and then by name.
func (b *builder) hostFirst(x, y int32) int {
	if b.of(x).Kind != b.of(y).Kind {
		return -b.compare(x, y)
	}
	return b.compare(x, y)
}

// fillIn says what is known of a link; ends is the room for its ends.
func (b *builder) fillIn(out *Link, l *found, ends []v1alpha1.LinkEnd) {
	out.Declared, out.Reason, out.Ready = l.declared != nil, string(l.state), metav1.ConditionTrue
	status := &out.Status
	status.Ends, status.State, status.Source = ends, l.state, l.source
	if l.a == none {
		copy(ends, l.declared.Spec.Ends)
		status.A, status.B, status.Message = ends[0].String(), ends[1].String(), l.message
		out.Ready, out.Reason = metav1.ConditionFalse, l.reason
		return
	}
	var before v1alpha1.LinkStatus
	if l.link != none {
		before = b.in.Links[l.link].Status
	}
	ends[0], ends[1] = b.linkEnd(l.a), b.linkEnd(l.b)
	status.A, status.B, status.Message = b.show(l.a, before.A), b.show(l.b, before.B), b.message(l)
	switch l.state {
	case v1alpha1.LinkStale:
		out.Ready = metav1.ConditionUnknown
	case v1alpha1.LinkGone:
		out.Ready = metav1.ConditionFalse
	case v1alpha1.LinkMismatch:
		out.Ready, status.Found = metav1.ConditionFalse, b.findings(l)
	default: // it is as it should be, as far as anybody tells
	}
}

// maxFindings is how many findings a Link can carry.
const maxFindings = 16

func (b *builder) findings(l *found) []v1alpha1.LinkFinding {
	var out []v1alpha1.LinkFinding
	for _, f := range l.findings[:min(len(l.findings), maxFindings)] {
		finding := v1alpha1.LinkFinding{At: b.linkEnd(f.at), Neighbor: cut(f.text, maxShown)}
		if f.peer != none {
			peer := b.linkEnd(f.peer)
			finding.Peer, finding.Neighbor = &peer, b.show(f.peer, "")
		}
		out = append(out, finding)
	}
	return out
}

// maxShown is the longest text for an end.
const maxShown = 640

// show is an end with what is printed beside the port, if that is another name.
// before is what it was shown as, which is taken if it is the same.
func (b *builder) show(e int32, before string) string {
	parts := [...]string{b.of(e).Name, "/", b.ends[e].name, "", "", ""}
	if p := b.ends[e].port; p != nil && p.Alias != "" && p.Alias != p.Name {
		parts[3], parts[4], parts[5] = " (", p.Alias, ")"
	}
	rest, same := before, true
	for _, p := range parts {
		if same {
			rest, same = strings.CutPrefix(rest, p)
		}
	}
	if same && rest == "" {
		return before
	}
	return strings.Join(parts[:], "")
}

// message says why a link is in its state.
func (b *builder) message(l *found) string {
	switch l.state {
	case v1alpha1.LinkConfirmed:
		return "Both ends hear each other."
	case v1alpha1.LinkOneWay:
		return b.oneWay(l)
	case v1alpha1.LinkStale:
		return "Neither end hears the other any more. Nothing is withdrawn until one of them is heard elsewhere."
	case v1alpha1.LinkGone:
		return "One of the ends is cabled elsewhere now. What the port carries for it is withdrawn after the Fabric's spec.lldp.withdrawAfter."
	case v1alpha1.LinkUnseen:
		return "Declared; neither end hears the other or anything else."
	default:
		return b.mismatch(l)
	}
}

func (b *builder) oneWay(l *found) string {
	hears, other := l.a, l.b
	if !l.hears {
		hears, other = l.b, l.a
	}
	if s := b.of(other); len(s.neighbors) == 0 {
		return b.say(hears) + " hears " + b.say(other) + "; " + s.Name + " reports no neighbours at all."
	}
	return b.say(hears) + " hears " + b.say(other) + ", which does not hear it."
}

func (b *builder) mismatch(l *found) string {
	var parts []string
	for _, f := range l.findings[:min(len(l.findings), 4)] {
		what := f.text
		if f.peer != none {
			what = b.say(f.peer)
		}
		parts = append(parts, b.say(f.at)+" is at "+what)
	}
	return cut(fmt.Sprintf("Declared: %s at %s. Found: %s. What was declared stays in force: correct the cable, or spec.ends.",
		b.say(l.a), b.say(l.b), strings.Join(parts, "; ")), maxMessage)
}
