package plan

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// text is what can be compared of Inputs.
func text(t *rapid.T, in Inputs) string {
	vpcs := map[string]*v1alpha1.VPC{}
	for name, v := range in.VPCs {
		vpcs[name.String()] = v
	}
	out, err := json.MarshalIndent([]any{in.Switches, in.Attachments, in.Placements, in.Cables, in.Configs, vpcs, in.Peers.all()}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// domains are the VLAN ids of a spec by what they are for.
func domains(spec v1alpha1.SwitchConfigSpec) map[broadcastDomain]int32 {
	out := map[broadcastDomain]int32{}
	for _, v := range spec.VRFs {
		out[broadcastDomain{vpc: v.Owner.NamespacedName()}] = v.VLAN
	}
	for _, s := range spec.Segments {
		out[broadcastDomain{s.Owner.NamespacedName(), s.Subnet}] = s.VLAN
	}
	return out
}

// checkSpec: a switch can be configured so.
func checkSpec(t *rapid.T, in Inputs, sw *v1alpha1.Switch, out Result) {
	spec, ok := out.Specs[sw.Name]
	if !ok {
		t.Fatalf("%s has no spec", sw.Name)
	}
	ids, vnis, native := map[int32]bool{}, map[int32]bool{}, map[string]bool{}
	for d, id := range domains(spec) {
		if first, last := vlanIDs(); ids[id] || id < first || id > last {
			t.Fatalf("%s: VLAN %d of %s is used twice or outside the pool: %+v", sw.Name, id, d, spec)
		}
		ids[id] = true
		for _, member := range in.Switches {
			if GroupOf(member) == GroupOf(sw) && slices.Contains(member.Status.ForeignVLANs, id) {
				t.Fatalf("%s: VLAN %d of %s is somebody else's on %s", sw.Name, id, d, member.Name)
			}
		}
	}
	for _, v := range spec.VRFs {
		vnis[v.VNI] = true
	}
	for _, s := range spec.Segments {
		if !vnis[s.VRF] {
			t.Fatalf("%s: segment %+v is in a VRF that is not there", sw.Name, s)
		}
		if len(s.Ports) == 0 || spec.VTEP == "" {
			t.Fatalf("%s: segment %+v lacks ports, gateways or a VTEP", sw.Name, s)
		}
		for _, p := range s.Ports {
			if p.Mode == v1alpha1.ModeNative && native[p.Name] {
				t.Fatalf("%s: port %s has two native subnets", sw.Name, p.Name)
			}
			native[p.Name] = native[p.Name] || p.Mode == v1alpha1.ModeNative
		}
	}
}

// checkGroups: the switches of a group have the same VLAN ids.
func checkGroups(t *rapid.T, in Inputs, out Result) {
	type key struct {
		group string
		broadcastDomain
	}
	seen := map[key]int32{}
	for _, sw := range in.Switches {
		for d, id := range domains(out.Specs[sw.Name]) {
			k := key{GroupOf(sw), d}
			if other, ok := seen[k]; ok && other != id {
				t.Fatalf("%s is VLAN %d and VLAN %d in %s", d, id, other, k.group)
			}
			seen[k] = id
		}
	}
}

// checkSticky: a VPC's VLAN ids change only when somebody takes one of them by
// hand, or when switches with different ids become a group.
func checkSticky(t *rapid.T, in Inputs, out Result) {
	for _, g := range groups(in.Switches) {
		foreign := foreignVLANs(g)
		for _, sw := range g.switches {
			if in.Configs[sw.Name] == nil || disagree(in, g) {
				continue
			}
			now := domains(out.Specs[sw.Name])
			for d, was := range domains(in.Configs[sw.Name].Spec) {
				if is, ok := now[d]; ok && is != was && !taken(in, g, d.vpc, foreign) {
					t.Fatalf("%s: %s was VLAN %d and is VLAN %d for no reason", sw.Name, d, was, is)
				}
			}
		}
	}
}

// taken says whether somebody has taken a VLAN id of a VPC in a group.
func taken(in Inputs, g group, vpc types.NamespacedName, foreign map[int32]bool) bool {
	for _, sw := range g.switches {
		if config := in.Configs[sw.Name]; config != nil {
			for d, id := range domains(config.Spec) {
				if d.vpc == vpc && foreign[id] {
					return true
				}
			}
		}
	}
	return false
}

// disagree says whether the members of a group had ids that exclude each other.
func disagree(in Inputs, g group) bool {
	of, by := map[broadcastDomain]int32{}, map[int32]broadcastDomain{}
	for _, sw := range g.switches {
		if config := in.Configs[sw.Name]; config != nil {
			for d, id := range domains(config.Spec) {
				other, had := of[d]
				owner, taken := by[id]
				if had && other != id || taken && owner != d {
					return true
				}
				of[d], by[id] = id, d
			}
		}
	}
	return false
}

// checkProblems: an attachment that names a port has one problem or is in a spec,
// or keeps what it had, and then it says so. One that selects hosts has at most
// one on each switch. A used-up pool is used up.
func checkProblems(t *rapid.T, in Inputs, out Result) {
	type key struct {
		owner v1alpha1.ObjectReference
		on    string
	}
	placed, told := map[key]bool{}, map[key]bool{}
	for name, spec := range out.Specs {
		for _, s := range spec.Segments {
			for _, p := range s.Ports {
				placed[key{p.Owner, name}] = true
			}
		}
	}
	for _, p := range out.Problems {
		if p.Owner.Kind == v1alpha1.KindSwitch {
			continue
		}
		if told[key{p.Owner, p.Switch}] {
			t.Fatalf("%s has two problems on %s: %+v", p.Owner, p.Switch, out.Problems)
		}
		told[key{p.Owner, p.Switch}] = true
		held, is := strings.HasSuffix(p.Message, "What was programmed before stays in force."), placed[key{p.Owner, p.Switch}]
		if held && !is || is && !held && !selectsHosts(in, p.Owner) {
			t.Fatalf("%s is in the spec of %s: %t; its problem says: %s", p.Owner, p.Switch, is, p.Message)
		}
		if p.Reason == "VLANExhausted" && in.Pools != nil {
			checkExhausted(t, in, out, p)
		}
	}
}

// checkExhausted: there are too few ids for what the attachment needs.
func checkExhausted(t *rapid.T, in Inputs, out Result, p Problem) {
	places := allPlaces(in)
	i := slices.IndexFunc(places, func(a Placement) bool { return AttachmentRef(keyOf(a)) == p.Owner })
	a := attachment{Placement: places[i]}
	for _, g := range groups(in.Switches) {
		if !slices.ContainsFunc(g.switches, func(sw *v1alpha1.Switch) bool { return sw.Name == p.Switch }) {
			continue
		}
		used := foreignVLANs(g)
		have := map[broadcastDomain]bool{}
		for _, sw := range g.switches {
			for d, id := range domains(out.Specs[sw.Name]) {
				used[id], have[d] = true, true
			}
		}
		need := 0
		for _, d := range []broadcastDomain{a.vrf(), a.segment()} {
			if !have[d] {
				need++
			}
		}
		l2, l3 := in.Identifiers.VNI(a.vpcName(), a.Spec.Subnet), in.Identifiers.VNI(a.vpcName(), "")
		for id, vni := range newChooser(in, g, nil, nil).held {
			if vni != l2 && vni != l3 {
				used[id] = true
			}
		}
		if free := int(in.Pools.VLAN.Size()) - len(used); free >= need {
			t.Fatalf("%s gets no VLAN id, although it needs %d and %d are free in %s", p.Owner, need, free, g.name)
		}
	}
}

// checkOrder: it does not matter in which order the objects are listed.
func checkOrder(t *rapid.T, in Inputs, out Result) {
	shuffled := in
	shuffled.Switches = rapid.Permutation(in.Switches).Draw(t, "order of switches")
	shuffled.Attachments = rapid.Permutation(in.Attachments).Draw(t, "order of attachments")
	shuffled.Placements = rapid.Permutation(in.Placements).Draw(t, "order of places")
	if got := Build(shuffled); !cmp.Equal(out, got) {
		t.Fatalf("another order, another plan:\n%s", cmp.Diff(out, got))
	}
}

// checkAlone: a group planned alone is planned as among all.
func checkAlone(t *rapid.T, in Inputs, out Result) {
	for _, g := range groups(in.Switches) {
		alone := in
		alone.Switches = g.switches
		got := Build(alone)
		for _, sw := range g.switches {
			if !cmp.Equal(got.Specs[sw.Name], out.Specs[sw.Name]) {
				t.Fatalf("%s alone:\n%s", g.name, cmp.Diff(out.Specs[sw.Name], got.Specs[sw.Name]))
			}
		}
		for _, p := range got.Problems {
			if !slices.Contains(out.Problems, p) {
				t.Fatalf("%s alone has the problem %+v", g.name, p)
			}
		}
	}
}

// checkCondemned: what one switch has tried and taken back is given to no other
// that does not have it.
func checkCondemned(t *rapid.T, in Inputs, out Result) {
	for vpc, all := range in.Condemned {
		for name, spec := range out.Specs {
			have := v1alpha1.SwitchConfigSpec{}
			if config := in.Configs[name]; config != nil {
				have = config.Spec
			}
			for _, s := range spec.Segments {
				tried := func(c Condemned) bool {
					return c.Switch != name && (hasSegment(c.Tried, &s) && !hasSegment(&have, &s) || hasVRF(c.Tried, &s) && !hasVRF(&have, &s))
				}
				if s.Owner == VPCRef(vpc) && slices.ContainsFunc(all, tried) {
					t.Fatalf("%s is given %+v, which was taken back elsewhere; it had %+v", name, s, have)
				}
			}
		}
	}
}
