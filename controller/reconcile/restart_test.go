package reconcile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// versions are the resource versions of all objects.
func (l *lab) versions(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, list := range []client.ObjectList{
		&v1alpha1.FabricList{}, &v1alpha1.VPCClassList{}, &v1alpha1.SwitchList{}, &v1alpha1.VPCList{},
		&v1alpha1.VPCAttachmentList{}, &v1alpha1.AllocationList{}, &v1alpha1.SwitchConfigList{},
		&v1alpha1.HostList{}, &v1alpha1.LinkList{},
	} {
		if err := l.List(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		for _, o := range items(list) {
			out[fmt.Sprintf("%T %s/%s", o, o.GetNamespace(), o.GetName())] = o.GetResourceVersion()
		}
	}
	return out
}

// restarted stops the controller, starts it anew, waits until it has looked at
// every object, and returns what it wrote.
func (l *lab) restarted(t *testing.T) []write {
	t.Helper()
	l.settle(t)
	before := l.versions(t)
	l.stop()
	done := gauge(t, "controller_runtime_reconcile_total")
	l.start(t)
	rbactest.Eventually(t, func() error {
		if n := gauge(t, "controller_runtime_reconcile_total") - done; n < float64(len(before)) {
			return fmt.Errorf("%v of %d objects were looked at", n, len(before))
		}
		return nil
	})
	l.settle(t)
	writes := l.requests.matching("")
	if diff := cmp.Diff(before, l.versions(t)); diff != "" && len(writes) == 0 {
		t.Errorf("resource versions before and after the restart:\n%s", diff)
	}
	return writes
}

// restart restarts the controller over every kind of state: VPCs that are
// ready, that are wrong, that have problems on a switch, that are on their way
// out.
func restart(t *testing.T, l *lab) {
	blue := l.running(t)
	leaving := vpc("tenant-b/leaving", "web 10.1.0.0/24")
	on1 := attach("tenant-b/l1", "leaving/web", "leaf2/Ethernet16")
	l.create(t, leaving, on1, vpc("tenant-b/overlap", "a 10.0.0.0/8", "b 10.1.0.0/16"), node("leaf1", "leaf"),
		attach("tenant-b/o1", "overlap/a", "leaf1/Ethernet8"), attach("tenant-b/none", "none/web", "leaf1/Ethernet8"),
		attach("tenant-b/nowhere", "leaving/web", "leaf9/Ethernet8"), pin("30000", "tenant-b/leaving", ""), pin("10500", "tenant-b/later", ""))
	l.ready(t, leaving, "1/1")
	if writes := l.restarted(t); len(writes) > 0 {
		t.Errorf("after a restart the controller wrote %v", writes)
	}

	l.agents["leaf2"].say(func(a *agent) { a.silent = true })
	owner := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "tenant-a", Name: "blue"}
	l.agents["leaf1"].say(func(a *agent) {
		a.problems = []v1alpha1.Problem{{Owner: owner, Reason: "NoGateway", Message: "This SONiC knows no anycast gateway."}}
	})
	l.delete(t, leaving, on1)
	l.wants(t, blue, expect{v1alpha1.VPCProgrammed, "False", "Problems", nil})
	// What leaf2 has is older than its SwitchConfig, and the controller has
	// forgotten whether the difference concerns blue: it waits for leaf2 again.
	for _, w := range l.restarted(t) {
		if !strings.Contains(w.path, "vpcs/blue/status") && !strings.Contains(w.path, "vpcattachments/b2/status") && !strings.Contains(w.path, "events") {
			t.Errorf("after a restart the controller wrote %s", w)
		}
	}

	l.agents["leaf1"].say(func(a *agent) { a.problems = nil })
	l.agents["leaf2"].say(func(a *agent) { a.silent = false })
	l.ready(t, blue, "2/2")
	rbactest.Eventually(t, func() error {
		for _, a := range l.allocations(t) {
			if a.Status.Phase == v1alpha1.AllocationQuarantined {
				return fmt.Errorf("%s is still %s", a.Name, a.Status.Phase)
			}
		}
		return nil
	})
}

// restartWithoutFabric restarts the controller while what it would plan from is
// gone: what runs stays.
func restartWithoutFabric(t *testing.T, l *lab) {
	blue := l.running(t)
	unchanged := l.unchanged(t)
	l.delete(t, fabric(), class("default", v1alpha1.VPCLimits{}))
	l.wants(t, blue, rejectedVPC("FabricNotFound"))
	if writes := l.restarted(t); len(writes) > 0 {
		t.Errorf("after a restart the controller wrote %v", writes)
	}
	unchanged()
}

// fewWrites counts what the controller writes.
func fewWrites(t *testing.T, l *lab) {
	blue := l.running(t)
	if n := len(l.requests.matching("namespaces/tenant-a/vpcs/blue/status")); n > 6 {
		t.Errorf("blue's status was written %d times until it was ready", n)
	}
	before := get(t, l, blue)
	l.requests.forget()

	red := vpc("tenant-b/red", "web 10.1.0.0/24")
	r1, r2 := attach("tenant-b/r1", "red/web", "leaf1/Ethernet8"), attach("tenant-b/r2", "red/web", "leaf2/Ethernet8")
	l.create(t, red, r1, r2)
	l.ready(t, red, "2/2")
	l.settle(t)
	for _, quiet := range []string{"tenant-a", "fabrics", "nodes", "vtep-"} {
		if writes := l.requests.matching(quiet); len(writes) > 0 {
			t.Errorf("another VPC came, and the controller wrote %v", writes)
		}
	}
	if n := len(l.requests.matching("vpcs/red/status")); n == 0 || n > 6 {
		t.Errorf("red's status was written %d times", n)
	}
	if n := len(l.requests.matching("switchconfigs/")); n > 4 {
		t.Errorf("SwitchConfigs were written %d times for one VPC on two switches: %v", n, l.requests.matching("switchconfigs/"))
	}

	// A change that changes nothing is no reason to write.
	l.requests.forget()
	edit(t, l, get(t, l, blue), func(v *v1alpha1.VPC) { v.Labels = map[string]string{"app": "shop"} })
	l.report(t, "leaf1", v1alpha1.SwitchStatus{Ports: ports(), ForeignVLANs: []int32{150}, AgentVersion: "2"})
	l.settle(t)
	if writes := l.requests.matching(""); len(writes) > 0 {
		t.Errorf("a label was set, and the controller wrote %v", writes)
	}

	// The time of a condition is that of its last change of status.
	edit(t, l, get(t, l, blue), func(v *v1alpha1.VPC) {
		v.Spec.Subnets = append(v.Spec.Subnets, v1alpha1.Subnet{Name: "db", CIDRs: []string{"10.2.0.0/24"}})
	})
	l.ready(t, blue, "2/2")
	l.settle(t)
	after := get(t, l, blue)
	for i, c := range before.Status.Conditions {
		if now := after.Status.Conditions[i]; now.Type == v1alpha1.VPCAccepted && !now.LastTransitionTime.Equal(&c.LastTransitionTime) {
			t.Errorf("condition %s was %s before and after, but its time moved from %s to %s", c.Type, c.Status, c.LastTransitionTime, now.LastTransitionTime)
		}
	}
}
