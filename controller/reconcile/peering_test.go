package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// peering makes one side, named "namespace/name", of a VPC such as "blue" for another
// one such as "tenant-b/red".
func peering(name, vpc, peer string, subnets ...string) *v1alpha1.VPCPeering {
	p := &v1alpha1.VPCPeering{ObjectMeta: objectMeta(name)}
	m := objectMeta(peer)
	p.Spec = v1alpha1.VPCPeeringSpec{VPC: vpc, Peer: v1alpha1.VPCReference{Namespace: m.Namespace, Name: m.Name}, Subnets: subnets}
	return p
}

// routedLeaves makes leaf1, leaf2, … that speak BGP.
func (l *lab) routedLeaves(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		l.join(t, fmt.Sprintf("leaf%d", i+1), v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf, BGP: &v1alpha1.BGP{ASN: 65001 + int64(i), Uplinks: []string{"Ethernet64"}}})
	}
}

// imports waits until the VRFs of a switch take over just this: "tenant-a/blue < tenant-b/red 10.2.0.0/24".
func (l *lab) imports(t *testing.T, name string, want ...string) {
	t.Helper()
	rbactest.Eventually(t, func() error {
		spec := l.config(t, name).Spec
		owners := map[int32]string{}
		for _, v := range spec.VRFs {
			owners[v.VNI] = v.Owner.NamespacedName().String()
		}
		var got []string
		for _, v := range spec.VRFs {
			for _, i := range v.Imports {
				got = append(got, fmt.Sprintf("%s < %s %s", owners[v.VNI], owners[i.VRF], strings.Join(i.Prefixes, " ")))
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("%s: -want +got\n%s", name, diff)
		}
		return nil
	})
}

// twoVPCs are blue on leaf1 and red on leaf2.
func twoVPCs(t *testing.T, l *lab) {
	l.create(t, fabric(), class("default", v1alpha1.VPCLimits{}))
	l.routedLeaves(t, 2)
	l.create(t, vpc("tenant-a/blue", "web 10.1.0.0/24 fd00:1::/64", "db 10.1.1.0/24"), vpc("tenant-b/red", "web 10.2.0.0/24"),
		attach("tenant-a/b1", "blue/web", "leaf1/Ethernet8"), attach("tenant-b/r1", "red/web", "leaf2/Ethernet8"))
	l.ready(t, vpc("tenant-a/blue"), "1/1")
	l.ready(t, vpc("tenant-b/red"), "1/1")
}

// accepted waits until both sides of a peering say whether it is in force.
func (l *lab) accepted(t *testing.T, status metav1.ConditionStatus, reason string, sides ...*v1alpha1.VPCPeering) {
	t.Helper()
	for _, side := range sides {
		l.wants(t, side, expect{v1alpha1.PeeringAccepted, status, reason, nil})
	}
}

// consent: a peering is in force as long as both sides want it, whichever comes or goes.
func consent(t *testing.T, l *lab) {
	twoVPCs(t, l)
	blue, red := peering("tenant-a/to-red", "blue", "tenant-b/red", "web"), peering("tenant-b/to-blue", "red", "tenant-a/blue")
	for _, order := range [][2]*v1alpha1.VPCPeering{{blue, red}, {red, blue}} {
		l.create(t, order[0])
		l.wants(t, order[0], expect{v1alpha1.ConditionReady, metav1.ConditionFalse, "WaitingForPeer", []string{"spec.vpc: " + order[1].Spec.VPC}})
		l.imports(t, "leaf1")
		l.create(t, order[1])
		for _, side := range order {
			l.wants(t, side, expect{v1alpha1.ConditionReady, metav1.ConditionTrue, "Programmed", []string{"2 of 2"}})
			if got := get(t, l, side).Status.Switches; got != "2/2" {
				t.Errorf("%s: %s switches", side.Name, got)
			}
		}
		l.wants(t, blue, expect{v1alpha1.PeeringAccepted, metav1.ConditionTrue, "Accepted", []string{"Hosts in db get no answers"}})
		l.imports(t, "leaf1", "tenant-a/blue < tenant-b/red 10.2.0.0/24")
		l.imports(t, "leaf2", "tenant-b/red < tenant-a/blue 10.1.0.0/24 fd00:1::/64")
		if diff := cmp.Diff([]string{"10.1.0.0/24", "fd00:1::/64"}, get(t, l, red).Status.PeerShown); diff != "" {
			t.Errorf("tenant-b reaches -want +got\n%s", diff)
		}
		l.delete(t, order[0])
		l.wants(t, order[1], expect{v1alpha1.ConditionReady, metav1.ConditionFalse, "WaitingForPeer", nil})
		l.imports(t, "leaf1")
		l.imports(t, "leaf2")
		l.delete(t, order[1])
	}
	for _, name := range []string{"leaf1", "leaf2"} {
		if spec := l.config(t, name).Spec; len(spec.VRFs) != 1 {
			t.Errorf("%s keeps a VRF that nobody needs: %+v", name, spec.VRFs)
		}
	}
	l.ready(t, vpc("tenant-a/blue"), "1/1")
}

// badPeerings: what is wrong with a peering is told, and harms nobody else.
func badPeerings(t *testing.T, l *lab) {
	twoVPCs(t, l)
	blue, red := peering("tenant-a/to-red", "blue", "tenant-b/red"), peering("tenant-b/to-blue", "red", "tenant-a/blue")
	twice := peering("tenant-a/twice", "blue", "tenant-b/red")
	l.create(t, blue, red, twice, vpc("tenant-b/white", "mail 10.2.0.128/25"), vpc("tenant-b/like-blue", "all 10.0.0.0/8"))
	l.accepted(t, metav1.ConditionTrue, "Accepted", blue, red)
	absent, isolated := peering("tenant-a/absent", "blue", "tenant-b/white", "wbe"), peering("tenant-b/white", "white", "tenant-a/blue")
	l.create(t, absent, isolated)
	l.wants(t, absent, expect{v1alpha1.PeeringAccepted, metav1.ConditionFalse, "NoSuchSubnet", []string{`no subnet "wbe"`}})
	l.accepted(t, metav1.ConditionFalse, "PeerNoSuchSubnet", isolated)
	l.delete(t, absent, isolated)
	third, back := peering("tenant-a/third", "blue", "tenant-b/white"), peering("tenant-b/third", "white", "tenant-a/blue")
	l.create(t, third, back)
	l.wants(t, third, expect{v1alpha1.PeeringAccepted, metav1.ConditionFalse, "OverlappingCIDR", []string{"10.2.0.0/24 of VPC tenant-b/red", "VPCPeering tenant-a/to-red", "10.2.0.128/25 of VPC tenant-b/white"}})
	l.accepted(t, metav1.ConditionFalse, "OverlappingCIDR", back)
	same, other := peering("tenant-a/same", "blue", "tenant-b/like-blue"), peering("tenant-b/same", "like-blue", "tenant-a/blue")
	l.create(t, same, other, peering("tenant-a/self", "blue", "tenant-a/blue"), peering("tenant-a/nobody", "nobody", "tenant-b/red"))
	l.wants(t, same, expect{v1alpha1.PeeringAccepted, metav1.ConditionFalse, "OverlappingCIDR", []string{"Subnet web of VPC tenant-a/blue (10.1.0.0/24)", "subnet all of VPC tenant-b/like-blue (10.0.0.0/8)"}})
	l.accepted(t, metav1.ConditionFalse, "Duplicate", twice)
	l.accepted(t, metav1.ConditionFalse, "OwnPeer", peering("tenant-a/self", "", ""))
	l.accepted(t, metav1.ConditionFalse, "VPCNotFound", peering("tenant-a/nobody", "", ""))
	l.imports(t, "leaf1", "tenant-a/blue < tenant-b/red 10.2.0.0/24")
	l.delete(t, blue) // the one that says the same takes over
	l.accepted(t, metav1.ConditionTrue, "Accepted", twice, red)
	l.imports(t, "leaf1", "tenant-a/blue < tenant-b/red 10.2.0.0/24")
	l.imports(t, "leaf2", "tenant-b/red < tenant-a/blue 10.1.0.0/24 10.1.1.0/24 fd00:1::/64")
	l.delete(t, twice) // the next one is the third
	l.accepted(t, metav1.ConditionTrue, "Accepted", third, back)
	l.imports(t, "leaf1", "tenant-a/blue < tenant-b/white 10.2.0.128/25")
	l.imports(t, "leaf2")
}

// isolation: an isolated subnet has no gateway and is in no peering, from one moment to
// the next.
func isolation(t *testing.T, l *lab) {
	twoVPCs(t, l)
	l.create(t, attach("tenant-a/b2", "blue/db", "leaf1/Ethernet12"))
	blue, red := peering("tenant-a/to-red", "blue", "tenant-b/red"), peering("tenant-b/to-blue", "red", "tenant-a/blue")
	l.create(t, blue, red)
	l.imports(t, "leaf2", "tenant-b/red < tenant-a/blue 10.1.0.0/24 10.1.1.0/24 fd00:1::/64")
	isolate := func(to bool) {
		edit(t, l, vpc("tenant-a/blue"), func(v *v1alpha1.VPC) { v.Spec.Subnets[1].Isolated = to })
	}
	isolate(true)
	l.imports(t, "leaf2", "tenant-b/red < tenant-a/blue 10.1.0.0/24 fd00:1::/64")
	gateways := func(want ...string) { // of the subnet; leaf1 is compiled in its own time
		t.Helper()
		rbactest.Eventually(t, func() error {
			segments := l.config(t, "leaf1").Spec.Segments
			i := slices.IndexFunc(segments, func(s v1alpha1.SegmentConfig) bool { return s.Subnet == "db" })
			if i < 0 || !slices.Equal(segments[i].Gateways, want) {
				return fmt.Errorf("the segments are %+v, want subnet db with the gateways %q", segments, want)
			}
			return nil
		})
	}
	gateways()
	edit(t, l, blue, func(p *v1alpha1.VPCPeering) { p.Spec.Subnets = []string{"db"} })
	l.accepted(t, metav1.ConditionFalse, "Isolated", blue)
	l.accepted(t, metav1.ConditionFalse, "PeerIsolated", red)
	l.imports(t, "leaf2")
	isolate(false)
	l.imports(t, "leaf2", "tenant-b/red < tenant-a/blue 10.1.1.0/24")
	l.accepted(t, metav1.ConditionTrue, "Accepted", blue, red)
	gateways("10.1.1.1/24")
}

// peeringProblems: what keeps a peering from a switch is told by both sides, and what runs
// stays when a VPC cannot be judged.
func peeringProblems(t *testing.T, l *lab) {
	twoVPCs(t, l)
	blue, red := peering("tenant-a/to-red", "blue", "tenant-b/red"), peering("tenant-b/to-blue", "red", "tenant-a/blue")
	l.agents["leaf2"].say(func(a *agent) { a.silent = true })
	l.create(t, blue, red)
	l.wants(t, blue, expect{v1alpha1.PeeringProgrammed, metav1.ConditionFalse, "Progressing", []string{"1/2", "waiting for leaf2"}})
	owner := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPCPeering, Namespace: "tenant-b", Name: "to-blue"}
	l.agents["leaf2"].say(func(a *agent) {
		a.silent, a.problems = false, []v1alpha1.Problem{{Owner: owner, Reason: "RefusedByFRR", Message: "FRR does not want it."}}
	})
	for _, side := range []*v1alpha1.VPCPeering{blue, red} {
		l.wants(t, side, expect{v1alpha1.PeeringProgrammed, metav1.ConditionFalse, "Problems", []string{"leaf2: FRR does not want it."}})
	}
	l.ready(t, vpc("tenant-b/red"), "1/1")
	l.agents["leaf2"].say(func(a *agent) { a.problems = nil })
	l.wants(t, blue, expect{v1alpha1.ConditionReady, metav1.ConditionTrue, "Programmed", nil})
	l.delete(t, class("default", v1alpha1.VPCLimits{}))
	l.accepted(t, metav1.ConditionFalse, "VPCNotAccepted", blue, red)
	l.imports(t, "leaf1", "tenant-a/blue < tenant-b/red 10.2.0.0/24")
	l.delete(t, red)
	l.imports(t, "leaf1")
}

// routed is the condition by which an agent says that FRR has all.
func routed(config *v1alpha1.SwitchConfig) []metav1.Condition {
	if config.Spec.BGP == nil {
		return nil
	}
	return []metav1.Condition{{
		Type: v1alpha1.ConfigRouted, Status: metav1.ConditionTrue, Reason: "Routed", ObservedGeneration: config.Generation,
		LastTransitionTime: metav1.NewTime(time.Unix(1767225600, 0)),
	}}
}
