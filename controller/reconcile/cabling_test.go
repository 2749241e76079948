package reconcile_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// underlayIs waits until the switches have these uplinks, an ASN and a router id
// each, which nobody else has.
func (w *wires) underlayIs(t *testing.T, want map[string][]string) {
	t.Helper()
	rbactest.Eventually(t, func() error {
		asns, ids := map[int64]string{}, map[string]string{}
		for _, name := range w.switches {
			spec := w.spec(t, name)
			if spec.BGP == nil {
				return fmt.Errorf("%s has no BGP", name)
			}
			if !slices.Equal(spec.Uplinks, want[name]) || !slices.Equal(spec.BGP.Uplinks, want[name]) {
				return fmt.Errorf("%s has the uplinks %q, of its own %q, want %q", name, spec.BGP.Uplinks, spec.Uplinks, want[name])
			}
			if other, ok := asns[spec.BGP.ASN]; ok || spec.BGP.ASN == 0 {
				return fmt.Errorf("%s has ASN %d, as has %q", name, spec.BGP.ASN, other)
			}
			if other, ok := ids[spec.BGP.RouterID]; ok || spec.BGP.RouterID == "" {
				return fmt.Errorf("%s has router id %q, as has %q", name, spec.BGP.RouterID, other)
			}
			asns[spec.BGP.ASN], ids[spec.BGP.RouterID] = name, name
		}
		return nil
	})
}

// spinesAndLeaves gives two spines and three leaves nothing but their roles.
func spinesAndLeaves(t *testing.T, l *lab) {
	l.create(t, cabled())
	w := l.wire(t, 2, 3, 0)
	w.plug(t, "leaf1/Ethernet0 spine1/Ethernet0", "leaf1/Ethernet4 spine2/Ethernet0", "leaf2/Ethernet0 spine1/Ethernet4",
		"leaf2/Ethernet4 spine2/Ethernet4", "leaf3/Ethernet0 spine1/Ethernet8", "leaf3/Ethernet4 spine2/Ethernet8", "spine1/Ethernet100 spine2/Ethernet100")
	up := []string{"Ethernet0", "Ethernet4"}
	spine := []string{"Ethernet0", "Ethernet4", "Ethernet8"}
	w.underlayIs(t, map[string][]string{"leaf1": up, "leaf2": up, "leaf3": up, "spine1": spine, "spine2": spine})
	if spec := w.config(t, "spine1").Spec; spec.VTEP != "" {
		t.Errorf("spine1 has the VTEP %s", spec.VTEP)
	}
	spine1 := &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "spine1"}}
	l.wants(t, spine1, expect{"Underlay", metav1.ConditionTrue, "Underlay", []string{"3 of its ports"}})
	l.wants(t, spine1, expect{v1alpha1.SwitchCabled, metav1.ConditionTrue, "Cabled", nil})

	// A cable that moves takes its uplink with it, after the time of grace.
	w.plug(t, "leaf3/Ethernet4 spine2/Ethernet12")
	w.state(t, "leaf3/Ethernet4", "spine2/Ethernet8", v1alpha1.LinkGone)
	w.underlayIs(t, map[string][]string{"leaf1": up, "leaf2": up, "leaf3": up, "spine1": spine, "spine2": append(slices.Clone(spine), "Ethernet12")})
	edit(t, l, cabled(), func(f *v1alpha1.Fabric) {
		f.Spec.LLDP.WithdrawAfter = &metav1.Duration{Duration: time.Millisecond}
	})
	w.underlayIs(t, map[string][]string{"leaf1": up, "leaf2": up, "leaf3": up, "spine1": spine, "spine2": {"Ethernet0", "Ethernet4", "Ethernet12"}})
	w.state(t, "leaf3/Ethernet4", "spine2/Ethernet8", "")
}

// mesh is a fabric without spines.
func mesh(t *testing.T, l *lab) {
	l.create(t, cabled(), class("default", v1alpha1.VPCLimits{}))
	w := l.wire(t, 0, 3, 0)
	edit(t, l, &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}}, func(sw *v1alpha1.Switch) { sw.Spec.RedundancyGroup = "rack1" })
	edit(t, l, &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf2"}}, func(sw *v1alpha1.Switch) { sw.Spec.RedundancyGroup = "rack1" })
	w.plug(t, "leaf1/Ethernet0 leaf2/Ethernet0", "leaf2/Ethernet4 leaf3/Ethernet0", "leaf3/Ethernet4 leaf1/Ethernet4")
	up := []string{"Ethernet0", "Ethernet4"}
	w.underlayIs(t, map[string][]string{"leaf1": up, "leaf2": up, "leaf3": up})
	// An uplink carries no VLANs, and what carries VLANs does not become one.
	blue := vpc("tenant-a/blue", "web 10.1.0.0/24")
	b1, b2 := attach("tenant-a/b1", "blue/web", "leaf1/Ethernet0"), attach("tenant-a/b2", "blue/web", "leaf2/Ethernet8")
	l.create(t, blue, b1, b2)
	l.wants(t, b1, rejectedAttachment("PortUplink", "Ethernet0 of leaf1 is an uplink to leaf2", "Link leaf1.ethernet0--leaf2.ethernet0", "Name another port"))
	l.ready(t, blue, "1/1")
	w.plug(t, "leaf2/Ethernet8 leaf3/Ethernet8")
	l.wants(t, &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf2"}}, expect{"Underlay", metav1.ConditionFalse, "PortInUse",
		[]string{"Ethernet8 is cabled to leaf3", "VPCAttachment tenant-a/b2 is in force"}})
	w.carries(t, "leaf2", "Ethernet8")
	l.delete(t, b2)
	w.underlayIs(t, map[string][]string{"leaf1": up, "leaf2": append(up, "Ethernet8"), "leaf3": append(up, "Ethernet8")})
}

// hostsMove has an attachment follow the hosts that it selects.
func hostsMove(t *testing.T, l *lab) {
	l.create(t, cabled(), class("default", v1alpha1.VPCLimits{}))
	w := l.wire(t, 0, 3, 2)
	blue, web := vpc("tenant-a/blue", "web 10.1.0.0/24"), attachHosts("tenant-a/web", "blue/web", "app=web")
	l.create(t, web)
	l.wants(t, web, rejectedAttachment("VPCNotFound", `there is no VPC "blue"`))
	l.create(t, blue)
	l.wants(t, web, expect{v1alpha1.AttachmentAccepted, metav1.ConditionTrue, "NotCabled", []string{"None of 2 hosts", "host1, host2"}})
	w.plug(t, "host1/eth0 leaf1/Ethernet0", "host1/eth1 leaf2/Ethernet0", "host2/eth0 leaf2/Ethernet4")
	l.ready(t, blue, "2/2")
	w.carries(t, "leaf2", "Ethernet0", "Ethernet4")
	l.wants(t, web, expect{v1alpha1.ConditionReady, metav1.ConditionTrue, "Programmed", []string{"In force on 2 switches"}})
	w.placesAre(t, web, "host1/eth0 leaf1/Ethernet0", "host1/eth1 leaf2/Ethernet0", "host2/eth0 leaf2/Ethernet4")
	l.wants(t, &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "host1"}}, expect{v1alpha1.HostCabled, metav1.ConditionTrue, "Cabled", []string{"eth0 is at leaf1/Ethernet0, eth1 is at leaf2/Ethernet0"}})

	// host1 moves from leaf1 to leaf3, where it is at once; leaf1 forgets it later.
	w.plug(t, "host1/eth0 leaf3/Ethernet8")
	w.carries(t, "leaf3", "Ethernet8")
	w.state(t, "host1/eth0", "leaf1/Ethernet0", v1alpha1.LinkGone)
	l.ready(t, blue, "3/3")
	w.carries(t, "leaf1", "Ethernet0")
	edit(t, l, cabled(), func(f *v1alpha1.Fabric) {
		f.Spec.LLDP.WithdrawAfter = &metav1.Duration{Duration: time.Millisecond}
	})
	w.carries(t, "leaf1")
	l.ready(t, blue, "2/2")
	w.placesAre(t, web, "host1/eth0 leaf3/Ethernet8", "host1/eth1 leaf2/Ethernet0", "host2/eth0 leaf2/Ethernet4")

	// A host that is no longer selected leaves at once, one that is selected comes.
	edit(t, l, &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "host2"}}, func(h *v1alpha1.Host) { h.Labels["app"] = "db" })
	w.carries(t, "leaf2", "Ethernet0")
	l.create(t, attachHosts("tenant-a/db", "blue/web", "app=db", "eth0"))
	w.carries(t, "leaf2", "Ethernet0", "Ethernet4")
	none := attachHosts("tenant-a/none", "blue/web", "app=none")
	l.create(t, none)
	l.wants(t, none, expect{v1alpha1.AttachmentAccepted, metav1.ConditionTrue, "NoHosts", nil})
	l.wants(t, none, expect{v1alpha1.ConditionReady, metav1.ConditionTrue, "NoPlaces", nil})
}

// placesAre waits until an attachment tells these places, each with its VLAN.
func (w *wires) placesAre(t *testing.T, a *v1alpha1.VPCAttachment, want ...string) {
	t.Helper()
	rbactest.Eventually(t, func() error {
		status, got := get(t, w.lab, a).Status, []string{}
		for _, p := range status.Places {
			if p.VLAN == 0 {
				return fmt.Errorf("%+v has no VLAN", p)
			}
			got = append(got, fmt.Sprintf("%s/%s %s/%s", p.Host, p.NIC, p.Switch, p.Port))
		}
		if diff := cmp.Diff(want, got); diff != "" || int(status.PlacesTotal) != len(want) {
			return fmt.Errorf("%d places, -want +got\n%s", status.PlacesTotal, diff)
		}
		return nil
	})
}

// portReused has a host come to the port of another one, long before its time of grace
// is over, and a host that the class does not allow.
func portReused(t *testing.T, l *lab) {
	rack := class("default", v1alpha1.VPCLimits{})
	l.create(t, cabled(), rack)
	w := l.wire(t, 0, 2, 2)
	edit(t, l, &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "host2"}}, func(h *v1alpha1.Host) { h.Labels["app"] = "db" })
	blue, red := vpc("tenant-a/blue", "web 10.1.0.0/24"), vpc("tenant-b/red", "web 10.2.0.0/24")
	db := attachHosts("tenant-b/db", "red/web", "app=db")
	l.create(t, blue, red, attachHosts("tenant-a/web", "blue/web", "app=web"), db)
	w.plug(t, "host1/eth0 leaf1/Ethernet8")
	l.ready(t, blue, "1/1")
	w.plug(t, "host1/eth0 leaf2/Ethernet8", "host2/eth0 leaf1/Ethernet8")
	l.ready(t, red, "1/1")
	w.carries(t, "leaf1", "Ethernet8")
	w.carries(t, "leaf2", "Ethernet8")
	if owner := l.config(t, "leaf1").Spec.Segments[0].Owner; owner.Name != "red" {
		t.Errorf("leaf1 carries %s, want red alone", owner)
	}
	w.state(t, "host1/eth0", "leaf1/Ethernet8", v1alpha1.LinkGone)

	// The network team has the class for rack 7, where host2 is not, and then is.
	edit(t, l, rack, func(c *v1alpha1.VPCClass) {
		c.Spec.HostSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"rack": "7"}}
	})
	w.carries(t, "leaf1")
	w.carries(t, "leaf2")
	l.wants(t, db, expect{v1alpha1.AttachmentAccepted, metav1.ConditionFalse, "HostNotAllowed",
		[]string{"spec.hosts: Host host2", `"rack=7"`, "VPCClass default, spec.hostSelector", "Select other hosts"}})
	edit(t, l, &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "host2"}}, func(h *v1alpha1.Host) { h.Labels["rack"] = "7" })
	w.carries(t, "leaf1", "Ethernet8")
	l.wants(t, db, expect{v1alpha1.ConditionReady, metav1.ConditionTrue, "Programmed", nil})
}

// notes has LLDP tell what is no mistake, and worth knowing.
func notes(t *testing.T, l *lab) {
	l.create(t, cabled())
	w := l.wire(t, 2, 1, 1)
	w.plug(t, "leaf1/Ethernet0 firewall/ge0", "leaf1/Ethernet4 host1/eth9", "spine1/Ethernet0 spine2/Ethernet0", "host1/eth1 nas/1")
	for _, want := range []struct {
		object  client.Object
		message []string
	}{
		{&v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}}, []string{
			`UnknownNeighbor: leaf1/Ethernet0 hears "firewall"`, "make a Host with its NICs", `UnknownPort: leaf1/Ethernet4 hears port "eth9"`}},
		{&v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "spine1"}}, []string{"NoUplink: spine1/Ethernet0 and spine2/Ethernet0"}},
	} {
		l.wants(t, want.object, expect{v1alpha1.SwitchCabled, metav1.ConditionTrue, "Cabled", want.message})
	}
	host := &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "host1"}}
	l.wants(t, host, expect{v1alpha1.HostCabled, metav1.ConditionUnknown, "NoCable", []string{`UnknownNeighbor: host1/eth1 hears "nas"`}})
	w.pull("host1/eth1")
	w.tell(t)
	l.wants(t, host, expect{v1alpha1.HostCabled, metav1.ConditionUnknown, "NoCable", []string{"No switch port is known for host1: no LLDP is heard on eth0, eth1.", "Or declare a Link."}})
}

// lldpLost takes everything away that LLDP told, and restarts the controller.
func lldpLost(t *testing.T, l *lab) {
	l.create(t, cabled(), class("default", v1alpha1.VPCLimits{}))
	w := l.wire(t, 1, 2, 2)
	blue := vpc("tenant-a/blue", "web 10.1.0.0/24")
	l.create(t, blue, attachHosts("tenant-a/web", "blue/web", "app=web"))
	w.plug(t, "leaf1/Ethernet0 spine1/Ethernet0", "leaf2/Ethernet0 spine1/Ethernet4", "host1/eth0 leaf1/Ethernet8", "host2/eth0 leaf2/Ethernet8")
	l.ready(t, blue, "2/2")
	w.underlayIs(t, map[string][]string{"leaf1": {"Ethernet0"}, "leaf2": {"Ethernet0"}, "spine1": {"Ethernet0", "Ethernet4"}})
	l.settle(t)
	before := w.generations(t)
	if writes := l.restarted(t); len(writes) > 0 {
		t.Errorf("after a restart the controller wrote %v", writes)
	}
	cables := w.ends
	w.ends = map[string]string{}
	w.tell(t)
	w.state(t, "host1/eth0", "leaf1/Ethernet8", v1alpha1.LinkStale)
	w.state(t, "leaf2/Ethernet0", "spine1/Ethernet4", v1alpha1.LinkStale)
	l.settle(t)
	if diff := cmp.Diff(before, w.generations(t)); diff != "" {
		t.Errorf("LLDP is lost, and SwitchConfigs changed:\n%s", diff)
	}
	if writes := l.restarted(t); len(writes) > 0 {
		t.Errorf("after a restart without LLDP the controller wrote %v", writes)
	}
	w.ends = cables
	w.tell(t)
	w.state(t, "host1/eth0", "leaf1/Ethernet8", v1alpha1.LinkConfirmed)
	l.settle(t)
	if diff := cmp.Diff(before, w.generations(t)); diff != "" {
		t.Errorf("LLDP is back, and SwitchConfigs changed:\n%s", diff)
	}
}

// contradictions has LLDP tell what cannot be.
func contradictions(t *testing.T, l *lab) {
	l.create(t, cabled(), class("default", v1alpha1.VPCLimits{}))
	declared := &v1alpha1.Link{ObjectMeta: metav1.ObjectMeta{Name: "server9"}, Spec: v1alpha1.LinkSpec{Ends: []v1alpha1.LinkEnd{{Host: "server9", NIC: "a"}, {Switch: "leaf2", Port: "Ethernet16"}}}}
	l.create(t, declared, &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "server9", Labels: map[string]string{"app": "web"}}, Spec: v1alpha1.HostSpec{NICs: []v1alpha1.DeclaredNIC{{Name: "a"}}}})
	w := l.wire(t, 0, 2, 2)
	blue, web := vpc("tenant-a/blue", "web 10.1.0.0/24"), attachHosts("tenant-a/web", "blue/web", "app=web")
	l.create(t, blue, web)
	w.plug(t, "host1/eth0 leaf1/Ethernet8", "host2/eth0 leaf2/Ethernet8")
	w.state(t, "server9/a", "leaf2/Ethernet16", v1alpha1.LinkUnseen)
	w.carries(t, "leaf1", "Ethernet8")
	w.carries(t, "leaf2", "Ethernet16", "Ethernet8")
	l.ready(t, blue, "2/2")
	l.settle(t)
	before := w.generations(t)

	// Another machine has the name of host1, and somebody has plugged host2 into
	// the port that was declared for server9.
	w.plug(t, "host1~/eth0 leaf2/Ethernet12", "host2/eth1 leaf2/Ethernet16")
	l.wants(t, &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "host1"}}, expect{v1alpha1.HostCabled, metav1.ConditionFalse, "HeardTwice",
		[]string{"host1/eth0 is heard by leaf1/Ethernet8 and leaf2/Ethernet12", "give one of the machines another name"}})
	l.wants(t, declared, expect{v1alpha1.ConditionReady, metav1.ConditionFalse, "Mismatch",
		[]string{"Declared: server9/a at leaf2/Ethernet16", "Found: leaf2/Ethernet16 is at host2/eth1"}})
	l.settle(t)
	if diff := cmp.Diff(before, w.generations(t)); diff != "" {
		t.Errorf("SwitchConfigs changed:\n%s", diff)
	}
	if writes := l.restarted(t); len(writes) > 0 {
		t.Errorf("after a restart the controller wrote %v", writes)
	}
	w.placesAre(t, web, "host1/eth0 leaf1/Ethernet8", "host2/eth0 leaf2/Ethernet8", "server9/a leaf2/Ethernet16")

	// Who deletes what was found forgets it; what is heard is found again.
	l.delete(t, &v1alpha1.Link{ObjectMeta: metav1.ObjectMeta{Name: "host2.eth0--leaf2.ethernet8"}})
	w.state(t, "host2/eth0", "leaf2/Ethernet8", v1alpha1.LinkConfirmed)
	w.pull("host2/eth0")
	w.tell(t)
	w.state(t, "host2/eth0", "leaf2/Ethernet8", v1alpha1.LinkStale)
	l.delete(t, &v1alpha1.Link{ObjectMeta: metav1.ObjectMeta{Name: "host2.eth0--leaf2.ethernet8"}})
	w.carries(t, "leaf2", "Ethernet16")
}

// deadHost has a host die, whose agent tells no more that it has left its port,
// and another host come to that port. The port is never in the networks of both.
func deadHost(t *testing.T, l *lab) {
	f := cabled()
	f.Spec.LLDP.WithdrawAfter = &metav1.Duration{}
	l.create(t, f, class("default", v1alpha1.VPCLimits{}))
	w := l.wire(t, 0, 1, 2)
	blue, red := vpc("tenant-a/blue", "web 10.1.0.0/24"), vpc("tenant-b/red", "web 10.2.0.0/24")
	edit(t, l, &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "host2"}}, func(h *v1alpha1.Host) { h.Labels["app"] = "db" })
	l.create(t, blue, red, attachHosts("tenant-a/web", "blue/web", "app=web"), attachHosts("tenant-b/db", "red/web", "app=db"))
	w.plug(t, "host1/eth0 leaf1/Ethernet8")
	l.ready(t, blue, "1/1")
	w.hosts = []string{"host2"}
	w.plug(t, "host2/eth0 leaf1/Ethernet8")
	w.carries(t, "leaf1", "Ethernet8") // although host1 says that it is there
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "host1"}}
	edit(t, l, node, func(*corev1.Node) {})
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, Reason: "NodeStatusUnknown"}}
	if err := l.Status().Update(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	w.carries(t, "leaf1", "Ethernet8")
	l.ready(t, red, "1/1")
	if owner := l.config(t, "leaf1").Spec.Segments[0].Owner; owner.Name != "red" {
		t.Errorf("leaf1 carries %s, want red alone", owner)
	}
}
