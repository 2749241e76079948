package plan

import (
	"cmp"
	"maps"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// broadcastDomain is what needs a VLAN id on a switch: a subnet, or a VPC's VRF
// (empty subnet), whose VLAN stands for the L3 VNI.
type broadcastDomain struct {
	vpc    types.NamespacedName
	subnet string
}

func (d broadcastDomain) String() string { return d.vpc.String() + "/" + d.subnet }

// vlans are the VLAN ids of a group.
type vlans map[broadcastDomain]int32

// assignVLANs chooses the VLAN id of everything that the accepted attachments
// of a group need. Ids that were given before stay. Attachments that get none
// become Problems and are taken out of accepted.
func assignVLANs(in Inputs, g group, accepted map[string][]attachment, res *Result) vlans {
	domains := needed(accepted)
	for {
		try := tryVLANs(in, g, accepted, domains)
		// What kept an id that in the end nobody uses must not keep it from
		// others: once more without it, or the next plan would be another one.
		used := needed(try.accepted)
		n := len(domains)
		maps.DeleteFunc(domains, func(d broadcastDomain, _ bool) bool { return !used[d] && hasID(try.ids, d) })
		if len(domains) == n {
			maps.Copy(accepted, try.accepted)
			res.Problems = append(res.Problems, try.problems.Problems...)
			return try.ids
		}
	}
}

func hasID(ids vlans, d broadcastDomain) bool {
	_, ok := ids[d]
	return ok
}

// assignment is a try to give everything an id.
type assignment struct {
	ids      vlans
	accepted map[string][]attachment // those that got theirs
	problems Result
}

// tryVLANs keeps the ids of domains and gives the other ones theirs in turn.
func tryVLANs(in Inputs, g group, accepted map[string][]attachment, domains map[broadcastDomain]bool) assignment {
	used := foreignVLANs(g)
	out := assignment{ids: keepVLANs(in, g, domains, used), accepted: make(map[string][]attachment, len(accepted))}
	for _, sw := range g.switches {
		out.accepted[sw.Name] = make([]attachment, 0, len(accepted[sw.Name]))
		for _, a := range accepted[sw.Name] {
			given := out.ids.assignBoth(in, a, used)
			switch {
			case given && a.held != nil:
				out.problems.addHeld(sw.Name, *a.problem)
			case a.held != nil: // its VLAN id was taken by hand: nothing stays in force
				out.problems.add(sw.Name, a.problem)
			case !given:
				out.problems.add(sw.Name, problem(a.owner(), "VLANExhausted",
					"switch %s: all %d VLAN ids of Fabric %s, spec.pools.vlan, are in use there. Extend the pool, move the attachment to another switch, or delete attachments of other subnets.",
					sw.Name, in.Pools.VLAN.Size(), v1alpha1.FabricName))
			}
			if given {
				out.accepted[sw.Name] = append(out.accepted[sw.Name], a)
			}
		}
	}
	return out
}

// assignBoth gives an attachment's VRF and segment their ids, or neither.
func (v vlans) assignBoth(in Inputs, a attachment, used map[int32]bool) bool {
	vrf := a.vrf()
	had := hasID(v, vrf)
	if !v.assign(in, vrf, used) {
		return false
	}
	if v.assign(in, a.segment(), used) {
		return true
	}
	if !had {
		delete(used, v[vrf])
		delete(v, vrf)
	}
	return false
}

// assign gives d a VLAN id unless it has one, and says whether it has one now.
func (v vlans) assign(in Inputs, d broadcastDomain, used map[int32]bool) bool {
	if _, ok := v[d]; ok || in.Pools == nil {
		return ok
	}
	id, ok := in.Pools.VLAN.Pick(d.String(), func(id uint32) bool { return used[int32(id)] })
	if ok {
		v[d], used[int32(id)] = int32(id), true
	}
	return ok
}

// needed is everything that the accepted attachments need a VLAN id for.
func needed(accepted map[string][]attachment) map[broadcastDomain]bool {
	out := map[broadcastDomain]bool{}
	for _, attachments := range accepted {
		for _, a := range attachments {
			out[a.vrf()], out[a.segment()] = true, true
		}
	}
	return out
}

// foreignVLANs are the ids that a switch of the group has from somebody else.
func foreignVLANs(g group) map[int32]bool {
	used := map[int32]bool{}
	for _, sw := range g.switches {
		for _, id := range sw.Status.ForeignVLANs {
			used[id] = true
		}
	}
	return used
}

// keepVLANs takes over the ids that the group's switches were given before, as
// far as they are still needed and nobody else has taken them by hand. Where
// the switches disagree the first one is right.
func keepVLANs(in Inputs, g group, needed map[broadcastDomain]bool, used map[int32]bool) vlans {
	out := vlans{}
	keep := func(d broadcastDomain, id int32) {
		if _, ok := out[d]; !ok && needed[d] && !used[id] {
			out[d], used[id] = id, true
		}
	}
	for _, sw := range g.switches {
		config := in.Configs[sw.Name]
		if config == nil {
			continue
		}
		for _, v := range config.Spec.VRFs {
			keep(broadcastDomain{vpc: v.Owner.NamespacedName()}, v.VLAN)
		}
		for _, s := range config.Spec.Segments {
			keep(broadcastDomain{s.Owner.NamespacedName(), s.Subnet}, s.VLAN)
		}
	}
	return out
}

func compareVLAN(a, b v1alpha1.SegmentConfig) int { return cmp.Compare(a.VLAN, b.VLAN) }
