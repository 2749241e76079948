package topology

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// bond is a bond of a host.
type bond struct {
	host int32
	name string
}

// judgePlaces looks for cables that are in the wrong place.
func (b *builder) judgePlaces() {
	bonds := map[bond][]int32{} // the switch ports of each bond
	for i := range b.links {
		l := &b.links[i]
		if l.a == none || l.state == v1alpha1.LinkGone {
			continue
		}
		x, y := b.of(l.a), b.of(l.b)
		switch {
		case x.sw != nil && y.sw != nil:
			b.judgeSwitches(l)
		case x.host != nil && y.sw != nil:
			b.judgeHost(l, l.a, l.b, bonds)
		case x.sw != nil && y.host != nil:
			b.judgeHost(l, l.b, l.a, bonds)
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(bonds), func(x, y bond) int {
		return cmp.Or(cmp.Compare(x.host, y.host), cmp.Compare(x.name, y.name))
	}) {
		b.judgeBond(k, bonds[k])
	}
}

func (b *builder) judgeHost(l *found, nic, port int32, bonds map[bond][]int32) {
	host, sw := b.of(nic), b.of(port)
	if sw.sw.Spec.Role == v1alpha1.RoleSpine {
		b.problem(host.ObjectReference, "HostOnSpine",
			"%s is cabled to %s, and a spine carries no attachments. Cable it to a leaf, or correct spec.role of %s.", b.say(nic), b.say(port), sw)
		return
	}
	if n := b.ends[nic].nic; n != nil && n.Bond != "" && l.state != v1alpha1.LinkStale {
		k := bond{b.ends[nic].system, n.Bond}
		bonds[k] = append(bonds[k], port)
	}
}

// judgeBond tells of a bond whose switches do not act as one.
func (b *builder) judgeBond(k bond, ports []int32) {
	groups := map[string]bool{}
	for _, p := range ports {
		groups[groupOf(b.of(p).sw)] = true
	}
	if len(groups) < 2 {
		return
	}
	b.problem(b.systems[k.host].ObjectReference, "BondSplit",
		"%s is cabled to %s, which are not in one redundancy group, so that they do not act as one switch to it. Cable it to one group, or set spec.redundancyGroup of the Switches.",
		k.name, b.list(ports))
}

// groupOf names the redundancy group of a switch, which is one of its own if it
// is in none.
func groupOf(sw *v1alpha1.Switch) string {
	if sw.Spec.RedundancyGroup == "" {
		return "switch/" + sw.Name
	}
	return "group/" + sw.Spec.RedundancyGroup
}

// judgeSwitches notes a cable that makes no uplink, on both of its switches.
func (b *builder) judgeSwitches(l *found) {
	first, second := l.a, l.b
	if b.compare(first, second) > 0 {
		first, second = second, first
	}
	x, y := b.of(first), b.of(second)
	if joins(x.sw.Spec.Role, y.sw.Spec.Role) {
		return
	}
	for _, s := range []*system{x, y} {
		b.note(s.ObjectReference, "NoUplink", "%s and %s are cabled to each other, %s to %s, which makes no uplink.",
			b.say(first), b.say(second), strings.ToLower(string(x.sw.Spec.Role)), strings.ToLower(string(y.sw.Spec.Role)))
	}
}
