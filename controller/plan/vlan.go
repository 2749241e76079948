package plan

import (
	"cmp"
	"fmt"
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
// become Problems and are taken out of accepted. It returns the peerings that the
// switches get, too.
func assignVLANs(in Inputs, g group, accepted map[string][]attachment, near peerings, res *Result) (vlans, map[string][]Peering) {
	domains := needed(accepted)
	for sw, attachments := range accepted {
		addPeers(domains, near.wanted(sw, attachments))
	}
	for {
		try := tryVLANs(in, g, accepted, domains, near)
		// What kept an id that in the end nobody uses must not keep it from
		// others: once more without it, or the next plan would be another one.
		used := needed(try.accepted)
		maps.Copy(used, try.waiting)
		for _, peers := range try.peers {
			addPeers(used, peers)
		}
		n := len(domains)
		maps.DeleteFunc(domains, func(d broadcastDomain, _ bool) bool { return !used[d] && hasID(try.ids, d) })
		if len(domains) == n {
			maps.Copy(accepted, try.accepted)
			res.Problems = append(res.Problems, try.problems.Problems...)
			res.Awaited, res.Waiting = res.Awaited || try.problems.Awaited, try.problems.Waiting
			return try.ids, try.peers
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
	accepted map[string][]attachment  // those that got theirs
	waiting  map[broadcastDomain]bool // what those need that a host keeps from their port
	peers    map[string][]Peering     // those that the switches get
	problems Result
}

// tryVLANs keeps the ids of domains and gives the other ones theirs in turn.
func tryVLANs(in Inputs, g group, accepted map[string][]attachment, domains map[broadcastDomain]bool, near peerings) assignment {
	used := foreignVLANs(g)
	out := assignment{ids: keepVLANs(in, g, domains, used), accepted: make(map[string][]attachment, len(accepted)), waiting: map[broadcastDomain]bool{}, peers: map[string][]Peering{}}
	choose := newChooser(in, g, out.ids, used)
	for _, sw := range g.switches {
		out.accepted[sw.Name] = make([]attachment, 0, len(accepted[sw.Name]))
		for _, a := range accepted[sw.Name] {
			if out.place(in, choose, a) {
				out.accepted[sw.Name] = append(out.accepted[sw.Name], a)
			}
		}
	}
	for _, sw := range g.switches { // attachments come before peerings
		for _, p := range near.wanted(sw.Name, out.accepted[sw.Name]) {
			if out.placePeer(choose, near, sw.Name, p) {
				out.peers[sw.Name] = append(out.peers[sw.Name], p)
			}
		}
	}
	return out
}

// addPeers adds the VRFs of peers.
func addPeers(domains map[broadcastDomain]bool, peers []Peering) {
	for _, p := range peers {
		domains[broadcastDomain{vpc: p.peer()}] = true
	}
}

// placePeer gives the VRF of a peer its id, or notes what is in the way.
func (t *assignment) placePeer(choose *chooser, near peerings, sw string, p Peering) bool {
	wrong := near.condemned(sw, p)
	if wrong == nil && !choose.assign(broadcastDomain{vpc: p.peer()}, near.vni(sw, p)) {
		wrong = problem(PeeringRef(p.VPCPeering), "VLANExhausted",
			"switch %s: all VLAN ids of Fabric %s, spec.pools.vlan, are in use there, so the VRF of VPC %s gets none. Extend the pool, or delete attachments of other subnets.", sw, v1alpha1.FabricName, p.peer())
		waited := choose.waited()
		t.problems.Awaited = t.problems.Awaited || waited > 0
	}
	if wrong != nil {
		t.problems.add(sw, wrong)
	}
	return wrong == nil
}

// place gives an attachment its ids, or notes what is in the way.
func (t *assignment) place(in Inputs, choose *chooser, a attachment) bool {
	sw, given := a.Port.Switch, choose.assignBoth(a)
	var waits *v1alpha1.Problem
	if given {
		waits = inTheWay(in, a, t.ids[a.segment()])
	}
	switch {
	case waits != nil:
		t.waiting[a.vrf()], t.waiting[a.segment()] = true, true
		t.problems.add(sw, waits)
		wait := Wait{VLAN: t.ids[a.segment()], Problem: waits.Message}
		if a.Spec.Mode == v1alpha1.ModeNative {
			wait.VLAN = 0
		}
		l2, _ := a.vnis()
		t.problems.wait(Carrier{Switch: sw, Port: a.Port.Name, VPC: a.vpcName(), VNI: l2}, wait)
	case given && a.held != nil:
		t.problems.addHeld(sw, *a.problem)
	case a.held != nil: // its VLAN id was taken by hand: nothing stays in force
		t.problems.add(sw, a.problem)
	case !given:
		waited := choose.waited()
		t.problems.Awaited = t.problems.Awaited || waited > 0
		t.problems.add(sw, exhausted(in, a, sw, waited))
	}
	return given && waits == nil
}

// exhausted is the problem of an attachment that gets no id. Of the ids some may wait
// for those who had them.
func exhausted(in Inputs, a attachment, sw string, waited int) *v1alpha1.Problem {
	hint := ""
	if waited > 0 {
		hint = fmt.Sprintf(" Given back and free when no switch, and no host at its ports, can use them any more, after spec.lldp.withdrawAfter at the earliest: %d.", waited)
	}
	return problem(a.owner(), "VLANExhausted",
		"switch %s: all %d VLAN ids of Fabric %s, spec.pools.vlan, are in use there.%s Extend the pool, move the attachment to another switch, or delete attachments of other subnets.",
		sw, in.Pools.VLAN.Size(), v1alpha1.FabricName, hint)
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
