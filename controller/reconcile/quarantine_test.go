package reconcile_test

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// threeVNIs makes a fabric in which two VPCs do not fit, and two leaves.
func (l *lab) threeVNIs(t *testing.T) {
	t.Helper()
	f := fabric()
	f.Spec.Pools.VNI.Ranges[0].Last = 10002
	l.create(t, f, class("default", v1alpha1.VPCLimits{}))
	l.leaves(t, 2)
}

// kept restarts the controller and makes sure that VPC red gets none of the VNIs
// that blue had, before and after. free then lets them go.
func (l *lab) kept(t *testing.T, free func()) {
	t.Helper()
	red := vpc("tenant-b/red", "web 10.1.0.0/24")
	l.create(t, red, attach("tenant-b/r1", "red/web", "leaf1/Ethernet8"))
	exhausted := rejectedVPC("VNIExhausted", "in use or in quarantine")
	l.wants(t, red, exhausted)
	l.restarted(t)
	quarantined := 0
	for _, a := range l.allocations(t) {
		if a.Spec.Holder.Name == "blue" && a.Status.Phase == v1alpha1.AllocationQuarantined {
			quarantined++
		}
	}
	if quarantined != 2 {
		t.Errorf("after the restart %d of blue's 2 VNIs are in quarantine", quarantined)
	}
	l.wants(t, red, exhausted)
	free()
	l.ready(t, red, "1/1")
}

// quarantineOverRestart has leaf2 say nothing while it is given a VPC and has to
// give it up again: it may be at work on any of that.
func quarantineOverRestart(t *testing.T, l *lab) {
	l.threeVNIs(t)
	l.settle(t)
	l.agents["leaf2"].say(func(a *agent) { a.silent = true })
	blue, b2 := vpc("tenant-a/blue", "web 10.1.0.0/24"), attach("tenant-a/b2", "blue/web", "leaf2/Ethernet8")
	l.create(t, blue, b2)
	l.segments(t, "leaf2", 1)
	l.delete(t, b2, blue)
	l.segments(t, "leaf2", 0)
	l.kept(t, func() { l.agents["leaf2"].say(func(a *agent) { a.silent = false }) })
}

// trialOverRestart has leaf2 give up a VPC on trial: it goes back to it if
// something else breaks.
func trialOverRestart(t *testing.T, l *lab) {
	l.threeVNIs(t)
	blue, b2 := vpc("tenant-a/blue", "web 10.1.0.0/24"), attach("tenant-a/b2", "blue/web", "leaf2/Ethernet8")
	l.create(t, blue, b2)
	l.ready(t, blue, "1/1")
	l.settle(t)
	l.agents["leaf2"].say(func(a *agent) { a.onTrial = true })
	l.delete(t, b2, blue)
	l.segments(t, "leaf2", 0)
	rbactest.Eventually(t, func() error {
		if c := l.config(t, "leaf2"); c.Status.AppliedGeneration != c.Generation || len(c.Status.VNIs) > 0 {
			return fmt.Errorf("leaf2 reports %+v of generation %d", c.Status, c.Generation)
		}
		return nil
	})
	l.kept(t, func() { l.agents["leaf2"].say(func(a *agent) { a.onTrial = false }) })
}

// remadeConfig has somebody delete the SwitchConfig of a switch that has not let
// go of a VPC.
func remadeConfig(t *testing.T, l *lab) {
	l.threeVNIs(t)
	l.settle(t)
	l.agents["leaf2"].say(func(a *agent) { a.silent = true })
	blue, b2 := vpc("tenant-a/blue", "web 10.1.0.0/24"), attach("tenant-a/b2", "blue/web", "leaf2/Ethernet8")
	l.create(t, blue, b2)
	l.segments(t, "leaf2", 1)
	l.delete(t, b2, blue)
	l.segments(t, "leaf2", 0)
	old := l.config(t, "leaf2")
	l.delete(t, old)
	rbactest.Eventually(t, func() error {
		var all v1alpha1.SwitchConfigList
		if err := l.List(t.Context(), &all); err != nil {
			return err
		}
		for _, c := range all.Items {
			if c.Name == old.Name && c.UID != old.UID {
				return nil
			}
		}
		return fmt.Errorf("it has not been made anew")
	})
	l.kept(t, func() { l.agents["leaf2"].say(func(a *agent) { a.silent = false }) })
}

// segments waits until a switch's spec has so many.
func (l *lab) segments(t *testing.T, name string, n int) {
	t.Helper()
	rbactest.Eventually(t, func() error {
		if got := l.config(t, name).Spec.Segments; len(got) != n {
			return fmt.Errorf("%s has %d segments, want %d", name, len(got), n)
		}
		return nil
	})
}

// editedMeanwhile edits a VPC none of whose attachments is accepted.
func editedMeanwhile(t *testing.T, l *lab) {
	l.create(t, fabric(), class("default", v1alpha1.VPCLimits{}))
	l.leaves(t, 1)
	blue := vpc("tenant-a/blue", "web 10.1.0.0/24")
	b1 := attach("tenant-a/b1", "blue/web", "leaf1/Ethernet999")
	l.create(t, blue, b1)
	l.wants(t, b1, rejectedAttachment("PortNotFound"))
	l.settle(t)
	for range 5 { // the VPC's turn may come before the switch is compiled, or after
		l.stop()
		edit(t, l, blue, func(v *v1alpha1.VPC) {
			v.Spec.Subnets[0].CIDRs[0] = fmt.Sprintf("10.%d.0.0/24", v.Generation+1)
		})
		l.start(t)
		rbactest.Eventually(t, func() error {
			now := get(t, l, blue)
			if c := meta.FindStatusCondition(now.Status.Conditions, v1alpha1.VPCAccepted); c == nil || c.Status != metav1.ConditionTrue || c.ObservedGeneration != now.Generation {
				return fmt.Errorf("of generation %d, Accepted is %+v", now.Generation, c)
			}
			return nil
		})
	}
}
