package reconcile_test

import (
	"testing"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// vlanOfPods has room for one subnet on a leaf. A host that has not put its newest
// HostConfig into force could still send frames of the one that it had before: the other
// tenant's waits, also when the controller is restarted, and has the id the moment the
// host says that it is gone.
func vlanOfPods(t *testing.T, r *racks) {
	f := cabled()
	f.Spec.Pools.VLAN.Ranges = []v1alpha1.VLANRange{{First: 100, Last: 101}}
	blue := r.silentRack(t, f, 1, 0)
	web := podOn("host1", "tenant-a/web-0", "web")
	r.create(t, nadNamed("tenant-a/web", webConfig), web)
	sends := r.network(t, "host1", "tenant-a/blue/web", isReady("eth0 leaf1/Ethernet8", "eth1 leaf2/Ethernet8")).Uplinks[0].VLAN
	r.ready(t, blue, "2/2")
	if err := r.observe(t.Context(), r.hostConfig(t, "host1")); err != nil {
		t.Fatal(err)
	}

	r.remove(t, web)
	r.lacks(t, "host1")
	red := vpc("tenant-b/red", "web 10.1.0.0/24")
	next := attach("tenant-b/server", "red/web", "leaf1/Ethernet8")
	r.create(t, red, next)
	waits := rejectedAttachment("VLANExhausted", "switch leaf1: all 2 VLAN ids", "at the earliest: 1.")
	r.wants(t, next, waits)
	r.stop()
	r.start(t)
	r.settle(t)
	r.wants(t, next, waits)

	if err := r.observe(t.Context(), r.hostConfig(t, "host1")); err != nil {
		t.Fatal(err)
	}
	r.ready(t, red, "1/1")
	if s := r.spec(t, "leaf1").Segments; len(s) != 1 || s[0].Owner.Name != "red" {
		t.Errorf("leaf1 has %+v, want red, now that nobody sends frames of blue as Vlan%d", s, sends)
	}
}
