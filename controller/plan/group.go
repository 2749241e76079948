package plan

import (
	"cmp"
	"slices"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// group is a redundancy group: switches that share their VLAN ids.
type group struct {
	name     string
	switches []*v1alpha1.Switch // by name
}

// GroupOf names the redundancy group of a switch. A switch that is in none is
// one of its own, under a name that no redundancy group can have.
func GroupOf(sw *v1alpha1.Switch) string {
	if sw.Spec.RedundancyGroup == "" {
		return "switch/" + sw.Name
	}
	return "group/" + sw.Spec.RedundancyGroup
}

// groups sorts switches into their groups, both by name.
func groups(switches []*v1alpha1.Switch) []group {
	members := make(map[string][]*v1alpha1.Switch, len(switches))
	for _, sw := range switches {
		members[GroupOf(sw)] = append(members[GroupOf(sw)], sw)
	}
	out := make([]group, 0, len(members))
	for name, m := range members {
		slices.SortFunc(m, func(a, b *v1alpha1.Switch) int { return cmp.Compare(a.Name, b.Name) })
		out = append(out, group{name: name, switches: m})
	}
	slices.SortFunc(out, func(a, b group) int { return cmp.Compare(a.name, b.name) })
	return out
}
