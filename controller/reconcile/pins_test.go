package reconcile_test

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// pins have switches say which ASN and VTEP address they are to have.
func pins(t *testing.T, l *lab) {
	l.create(t, cabled())
	w := l.wire(t, 0, 3, 0)
	leaf := func(name string) *v1alpha1.Switch { return &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: name}} }
	set := func(name string, asn int64, vtep string) {
		edit(t, l, leaf(name), func(sw *v1alpha1.Switch) { sw.Spec.ASN, sw.Spec.VTEP = asn, vtep })
	}
	has := func(name string, asn int64, vtep string) {
		t.Helper()
		rbactest.Eventually(t, func() error {
			spec := l.spec(t, name)
			if spec.BGP == nil || spec.BGP.ASN != asn || spec.VTEP != vtep || spec.BGP.RouterID != vtep {
				return fmt.Errorf("%s has %+v and VTEP %s, want ASN %d and %s", name, spec.BGP, spec.VTEP, asn, vtep)
			}
			return nil
		})
	}
	w.plug(t, "leaf1/Ethernet0 leaf2/Ethernet0", "leaf2/Ethernet4 leaf3/Ethernet0", "leaf3/Ethernet4 leaf1/Ethernet4")
	up := []string{"Ethernet0", "Ethernet4"}
	w.underlayIs(t, map[string][]string{"leaf1": up, "leaf2": up, "leaf3": up})
	set("leaf1", 65001, "192.0.2.1") // of no pool
	has("leaf1", 65001, "192.0.2.1")
	two := l.config(t, "leaf2").Spec

	// What another switch has nobody else gets, and what runs stays.
	set("leaf2", 65001, "192.0.2.1")
	l.wants(t, leaf("leaf2"), expect{"Underlay", metav1.ConditionFalse, "VTEPConflict", []string{"spec.vtep: 192.0.2.1 belongs to Switch leaf1", "spec.asn: 65001 belongs to Switch leaf1", "Choose another value"}})
	has("leaf2", two.BGP.ASN, two.VTEP)

	// When it is let go of, and the switch has confirmed that, it is free.
	l.agents["leaf1"].say(func(a *agent) { a.onTrial = true })
	set("leaf1", 65009, "192.0.2.9")
	has("leaf1", 65009, "192.0.2.9")
	l.settle(t)
	has("leaf2", two.BGP.ASN, two.VTEP)
	l.agents["leaf1"].say(func(a *agent) { a.onTrial = false })
	has("leaf2", 65001, "192.0.2.1")
	l.wants(t, leaf("leaf2"), expect{"Underlay", metav1.ConditionTrue, "Underlay", nil})
	l.gone(t, &v1alpha1.Allocation{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("asn-%d", two.BGP.ASN)}})

	// What a Switch says of BGP is as it says, also where that is somebody else's.
	edit(t, l, leaf("leaf3"), func(sw *v1alpha1.Switch) { sw.Spec.BGP = &v1alpha1.BGP{ASN: 65001, Uplinks: []string{"Ethernet120"}} })
	l.wants(t, leaf("leaf3"), expect{"Underlay", metav1.ConditionFalse, "ASNConflict", []string{"spec.bgp.asn: 65001 belongs to Switch leaf2"}})
	rbactest.Eventually(t, func() error {
		if got := l.config(t, "leaf3").Spec.BGP; got.ASN != 65001 || len(got.Uplinks) != 3 || got.Uplinks[0] != "Ethernet120" {
			return fmt.Errorf("leaf3 has %+v", got)
		}
		return nil
	})
}

// hostsOfNodes has Nodes join that are no switches.
func hostsOfNodes(t *testing.T, l *lab) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "server1", Labels: map[string]string{"rack": "r1", "app": "web"}}}
	host := &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "server1"}}
	l.create(t, cabled(), node)
	labels := func(want map[string]string) {
		t.Helper()
		rbactest.Eventually(t, func() error {
			now := &v1alpha1.Host{}
			if err := l.Get(t.Context(), client.ObjectKeyFromObject(host), now); err != nil {
				return err
			}
			for key, value := range want {
				if got, ok := now.Labels[key]; got != value || ok != (value != "") {
					return fmt.Errorf("label %s is %q, want %q", key, got, value)
				}
			}
			return nil
		})
	}
	labels(map[string]string{"rack": "r1", "app": "web"})
	l.wants(t, host, expect{v1alpha1.HostCabled, metav1.ConditionUnknown, "NoCable", []string{"no host agent has told of its NICs", "spec.nodeName=server1"}})

	// What somebody sets by hand stays, also where the Node says something else.
	edit(t, l, host, func(h *v1alpha1.Host) { h.Labels["app"], h.Labels["tier"] = "db", "1" })
	edit(t, l, node, func(n *corev1.Node) { n.Labels["rack"] = "r2"; n.Labels["zone"] = "z"; n.Labels["tier"] = "2" })
	labels(map[string]string{"rack": "r2", "zone": "z", "app": "db", "tier": "1"})
	edit(t, l, node, func(n *corev1.Node) { delete(n.Labels, "rack") })
	labels(map[string]string{"rack": "", "zone": "z", "app": "db", "tier": "1"})
	if writes := l.restarted(t); len(writes) > 0 {
		t.Errorf("after a restart the controller wrote %v", writes)
	}

	// It was a switch all along.
	edit(t, l, node, func(n *corev1.Node) { n.Labels[v1alpha1.LabelRole] = "leaf" })
	l.gone(t, host)
}
