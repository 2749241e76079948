package reconcile_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// running brings VPC blue up on leaf1 and leaf2.
func (l *lab) running(t *testing.T) *v1alpha1.VPC {
	t.Helper()
	l.create(t, fabric(), class("default", v1alpha1.VPCLimits{}))
	l.leaves(t, 2)
	blue := vpc("tenant-a/blue", "web 10.1.0.0/24")
	l.create(t, blue, attach("tenant-a/b1", "blue/web", "leaf1/Ethernet8"), attach("tenant-a/b2", "blue/web", "leaf2/Ethernet8"))
	l.ready(t, blue, "2/2")
	l.settle(t)
	return blue
}

// unchanged is to be called later: it says whether a SwitchConfig has changed
// since.
func (l *lab) unchanged(t *testing.T) func() {
	t.Helper()
	before := map[string]*v1alpha1.SwitchConfig{"leaf1": l.config(t, "leaf1"), "leaf2": l.config(t, "leaf2")}
	return func() {
		t.Helper()
		for name, was := range before {
			if is := l.config(t, name); is.Generation != was.Generation {
				t.Errorf("SwitchConfig %s changed: -was +is\n%s", name, cmp.Diff(was.Spec, is.Spec))
			}
		}
	}
}

func fabricDeleted(t *testing.T, l *lab) {
	blue := l.running(t)
	unchanged := l.unchanged(t)
	l.delete(t, fabric())
	l.wants(t, blue, rejectedVPC("FabricNotFound", `Fabric "default"`, "create it"))
	l.wants(t, attach("tenant-a/b1", "", ""), rejectedAttachment("VPCNotAccepted", "VPC blue is not accepted", "What was programmed before stays in force."))
	l.settle(t)
	unchanged()
	for _, a := range l.allocations(t) {
		if a.Status.Phase != v1alpha1.AllocationBound {
			t.Errorf("Allocation %s is %s", a.Name, a.Status.Phase)
		}
	}
	l.create(t, fabric())
	l.ready(t, blue, "2/2")
	l.settle(t)
	unchanged()
}

func classDeleted(t *testing.T, l *lab) {
	blue := l.running(t)
	unchanged := l.unchanged(t)
	l.delete(t, class("default", v1alpha1.VPCLimits{}))
	l.wants(t, blue, rejectedVPC("ClassNotFound", `VPCClass "default"`))
	l.settle(t)
	unchanged()
	l.create(t, class("default", v1alpha1.VPCLimits{}))
	l.ready(t, blue, "2/2")
	l.settle(t)
	unchanged()
}

func nonsense(t *testing.T, l *lab) {
	blue := l.running(t)
	unchanged := l.unchanged(t)
	edit(t, l, blue, func(v *v1alpha1.VPC) {
		v.Spec.Subnets = append(v.Spec.Subnets, v1alpha1.Subnet{Name: "all", CIDRs: []string{"10.0.0.0/8"}})
	})
	l.wants(t, blue, rejectedVPC("SubnetOverlap", "spec.subnets[all].cidrs: 10.0.0.0/8", "spec.subnets[web].cidrs: 10.1.0.0/24"))
	l.wants(t, attach("tenant-a/b1", "", ""), rejectedAttachment("VPCNotAccepted", "What was programmed before stays in force."))
	late := attach("tenant-a/late", "blue/web", "leaf1/Ethernet12")
	l.create(t, late)
	l.wants(t, late, rejectedAttachment("VPCNotAccepted", "overlaps"))
	l.settle(t)
	unchanged()
	edit(t, l, blue, func(v *v1alpha1.VPC) { v.Spec.Subnets = v.Spec.Subnets[:1] })
	l.ready(t, blue, "2/2")
	l.wants(t, late, expect{v1alpha1.ConditionReady, metav1.ConditionTrue, "Programmed", nil})
}

func editedByHand(t *testing.T, l *lab) {
	blue := l.running(t)
	before := l.config(t, "leaf1")
	config := l.config(t, "leaf1")
	edit(t, l, config, func(c *v1alpha1.SwitchConfig) {
		c.Spec.Segments[0].Ports[0].Name = "Ethernet64"
		c.Spec.Revision = "by hand"
	})
	rbactest.Eventually(t, func() error {
		if diff := cmp.Diff(before.Spec, l.config(t, "leaf1").Spec); diff != "" {
			return fmt.Errorf("not put back: %s", diff)
		}
		return nil
	})
	// The revision, too, may be what a hand left alone.
	edit(t, l, config, func(c *v1alpha1.SwitchConfig) { c.Spec.VTEP = "10.255.0.77" })
	rbactest.Eventually(t, func() error {
		if diff := cmp.Diff(before.Spec, l.config(t, "leaf1").Spec); diff != "" {
			return fmt.Errorf("not put back: %s", diff)
		}
		return nil
	})
	l.ready(t, blue, "2/2")
}

// configDeleted deletes a SwitchConfig, as the network team may.
func configDeleted(t *testing.T, l *lab) {
	blue := l.running(t)
	other := vpc("tenant-b/other", "web 10.1.0.0/24") // makes leaf1 of a higher generation than a new one is
	l.create(t, other, attach("tenant-b/o1", "other/web", "leaf1/Ethernet8"))
	l.ready(t, other, "1/1")
	before := l.config(t, "leaf1")
	l.delete(t, before)
	rbactest.Eventually(t, func() error {
		now := v1alpha1.SwitchConfig{}
		if err := l.Get(t.Context(), client.ObjectKeyFromObject(before), &now); err != nil {
			return err
		}
		if now.UID == before.UID {
			return fmt.Errorf("it is not deleted yet")
		}
		if diff := cmp.Diff(before.Spec, now.Spec); diff != "" {
			return fmt.Errorf("-was +is\n%s", diff)
		}
		return nil
	})
	l.ready(t, blue, "2/2")
	l.ready(t, other, "1/1")
	// Status follows again, also of what comes after.
	third := vpc("tenant-b/third", "web 10.1.0.0/24")
	l.create(t, third, attach("tenant-b/t1", "third/web", "leaf1/Ethernet8"))
	l.ready(t, third, "1/1")
}
