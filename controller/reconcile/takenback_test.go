package reconcile_test

import (
	"fmt"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// breaks makes a takesBack of an agent: a VPC breaks something when the spec has
// that gateway.
func breaks(vpc, gateway string) func(*v1alpha1.SwitchConfigSpec) *v1alpha1.ObjectReference {
	m := objectMeta(vpc)
	owner := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: m.Namespace, Name: m.Name}
	return func(spec *v1alpha1.SwitchConfigSpec) *v1alpha1.ObjectReference {
		if has(spec, owner, gateway) {
			return &owner
		}
		return nil
	}
}

// has says whether a spec has a gateway for a VPC.
func has(spec *v1alpha1.SwitchConfigSpec, vpc v1alpha1.ObjectReference, gateway string) bool {
	return slices.ContainsFunc(spec.Segments, func(s v1alpha1.SegmentConfig) bool {
		return s.Owner == vpc && slices.Contains(s.Gateways, gateway)
	})
}

// gateway gives subnet web of a VPC another gateway.
func (l *lab) gateway(t *testing.T, v *v1alpha1.VPC, address string) {
	t.Helper()
	edit(t, l, v, func(v *v1alpha1.VPC) { v.Spec.Subnets[0].Gateways = []string{address} })
}

// takenBack has leaf1 take back a change of blue before leaf2 and leaf3 were
// given it, since the controller was away in between.
func takenBack(t *testing.T, l *lab) {
	blue := l.running(t)
	l.join(t, "leaf3", v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf})
	l.gateway(t, blue, "10.1.0.254")
	l.ready(t, blue, "2/2")
	bad := l.config(t, "leaf1").Spec
	l.gateway(t, blue, "10.1.0.1")
	l.ready(t, blue, "2/2")
	l.settle(t)

	l.stop()
	l.agents["leaf1"].say(func(a *agent) { a.takesBack = breaks("tenant-a/blue", "10.1.0.254/24") })
	l.gateway(t, blue, "10.1.0.254")
	one, two := l.config(t, "leaf1"), l.config(t, "leaf2")
	edit(t, l, one, func(c *v1alpha1.SwitchConfig) { c.Spec = bad })
	rbactest.Eventually(t, func() error {
		if got := l.config(t, "leaf1").Status.BadRevision; got != bad.Revision {
			return fmt.Errorf("leaf1 has taken back %q, want %q", got, bad.Revision)
		}
		return nil
	})
	l.start(t)

	// Its tenant reads what happened where, and what to do.
	says := []string{"leaf1", bad.Revision, "bgp/10.0.0.1 is down"}
	l.wants(t, blue, expect{v1alpha1.VPCProgrammed, metav1.ConditionFalse, "Problems", says})
	l.wants(t, attach("tenant-a/b1", "", ""), expect{v1alpha1.AttachmentProgrammed, metav1.ConditionFalse, "RolledBack", says[1:]})
	l.wants(t, attach("tenant-a/b2", "", ""), rejectedAttachment("RolledBack",
		append(says, "Switch leaf1 tried this of VPC blue", "leaf2 does not get it", "Change the VPC", "spec.paused", "What was programmed before stays in force.")...))
	// What is new does not get it either; others go on, also on the same switches.
	b3 := attach("tenant-a/b3", "blue/web", "leaf3/Ethernet8")
	red := vpc("tenant-b/red", "web 10.1.0.0/24")
	l.create(t, b3, red, attach("tenant-b/r2", "red/web", "leaf2/Ethernet8"), attach("tenant-b/r3", "red/web", "leaf3/Ethernet8"))
	l.wants(t, b3, rejectedAttachment("RolledBack", "leaf3 does not get it"))
	l.ready(t, red, "2/2")
	l.settle(t)
	if now := l.config(t, "leaf1"); now.Generation != one.Generation {
		t.Errorf("leaf1 took its spec back and was given generation %d after %d", now.Generation, one.Generation)
	}
	owner := two.Spec.Segments[0].Owner
	for _, name := range []string{"leaf2", "leaf3"} {
		if spec := l.config(t, name).Spec; has(&spec, owner, "10.1.0.254/24") {
			t.Errorf("%s was given what leaf1 took back", name)
		}
	}
	if spec := l.config(t, "leaf2").Spec; !has(&spec, owner, "10.1.0.1/24") {
		t.Errorf("leaf2 has lost what it had: %+v", spec)
	}

	// Another change is another try, everywhere.
	l.gateway(t, blue, "10.1.0.253")
	l.ready(t, blue, "3/3")
	l.wants(t, b3, expect{v1alpha1.ConditionReady, metav1.ConditionTrue, "Programmed", nil})
}

// takenAfterAll has leaf1 take back a new VPC, and take it after all.
func takenAfterAll(t *testing.T, l *lab) {
	l.create(t, fabric(), class("default", v1alpha1.VPCLimits{}))
	l.leaves(t, 2)
	l.agents["leaf1"].say(func(a *agent) { a.takesBack = breaks("tenant-a/blue", "10.1.0.1/24") })
	blue, b2 := vpc("tenant-a/blue", "web 10.1.0.0/24"), attach("tenant-a/b2", "blue/web", "leaf2/Ethernet8")
	l.create(t, blue, attach("tenant-a/b1", "blue/web", "leaf1/Ethernet8"))
	l.wants(t, blue, expect{v1alpha1.VPCProgrammed, metav1.ConditionFalse, "Problems", []string{"leaf1: ", "bgp/10.0.0.1 is down"}})
	l.create(t, b2)
	l.wants(t, b2, rejectedAttachment("RolledBack", "Switch leaf1 tried this of VPC blue"))
	for _, spec := range l.agents["leaf2"].history() {
		if len(spec.Segments) > 0 {
			t.Errorf("leaf2 was given %+v", spec)
		}
	}
	l.agents["leaf1"].say(func(a *agent) { a.takesBack = nil })
	l.ready(t, blue, "2/2")
}

// limitOverSwitches has a VPC whose class allows one attachment, on two switches.
func limitOverSwitches(t *testing.T, l *lab) {
	l.create(t, fabric(), class("default", v1alpha1.VPCLimits{MaxAttachments: limit(1)}))
	l.leaves(t, 2)
	blue, b1, b2 := vpc("tenant-a/blue", "web 10.1.0.0/24"), attach("tenant-a/b1", "blue/web", "leaf1/Ethernet8"), attach("tenant-a/b2", "blue/web", "leaf2/Ethernet8")
	l.create(t, blue, b1)
	l.ready(t, blue, "1/1")
	l.create(t, b2)
	l.wants(t, b2, rejectedAttachment("LimitExceeded", "Delete one"))
	l.delete(t, b1)
	l.wants(t, b2, expect{v1alpha1.ConditionReady, metav1.ConditionTrue, "Programmed", nil})
	l.ready(t, blue, "1/1")
}
