package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// leaf1 is what everyOrder comes to on leaf1. Identifiers follow from the names
// of their holders, so they are the same each time.
const leaf1 = `
revision: fc6b2cea3270c84d
vtep: 10.255.0.35
anycastMAC: "00:00:5e:00:01:01"
vrfs:
  - {vni: 13331, vlan: 109, owner: {kind: VPC, namespace: tenant-a, name: blue}}
segments:
  - vlan: 135
    vni: 16360
    vrf: 13331
    gateways: [10.2.0.1/24]
    ports: [{name: PortChannel0001, mode: Native, owner: {kind: VPCAttachment, namespace: tenant-a, name: b3}}]
    owner: {kind: VPC, namespace: tenant-a, name: blue}
    subnet: db
  - vlan: 149
    vni: 15948
    vrf: 13331
    gateways: [10.1.0.1/24, "fd00:1::1/64"]
    ports: [{name: Ethernet8, mode: Tagged, owner: {kind: VPCAttachment, namespace: tenant-a, name: b1}}]
    owner: {kind: VPC, namespace: tenant-a, name: blue}
    subnet: web
`

// everyOrder applies the fabric, two switches, a VPC and its attachments in
// each of the 24 orders.
func everyOrder(t *testing.T, l *lab) {
	steps := []func(){
		func() { l.create(t, fabric(), class("default", v1alpha1.VPCLimits{})) },
		func() { l.leaves(t, 2) },
		func() { l.create(t, vpc("tenant-a/blue", "web 10.1.0.0/24 fd00:1::/64", "db 10.2.0.0/24")) },
		func() {
			l.create(t, attach("tenant-a/b1", "blue/web", "leaf1/Ethernet8"), attach("tenant-a/b2", "blue/web", "leaf2/Ethernet12"),
				native(attach("tenant-a/b3", "blue/db", "leaf1/PortChannel0001")))
		},
	}
	var want v1alpha1.SwitchConfigSpec
	if err := yaml.UnmarshalStrict([]byte(leaf1), &want); err != nil {
		t.Fatal(err)
	}
	for i, order := range permutations(len(steps)) {
		if i > 0 {
			l.clear(t)
			l.start(t)
		}
		for _, step := range order {
			steps[step]()
		}
		l.ready(t, vpc("tenant-a/blue"), "2/2")
		for _, name := range []string{"b1", "b2", "b3"} {
			l.wants(t, attach("tenant-a/"+name, "", ""), expect{v1alpha1.ConditionReady, metav1.ConditionTrue, "Programmed", nil})
		}
		if diff := cmp.Diff(want, l.config(t, "leaf1").Spec); diff != "" {
			t.Fatalf("order %v: leaf1 -want +got\n%s", order, diff)
		}
		if got := l.config(t, "leaf2").Spec.Segments; len(got) != 1 || got[0].Subnet != "web" || got[0].Ports[0].Name != "Ethernet12" {
			t.Fatalf("order %v: leaf2 has the segments %+v, want web on Ethernet12 alone", order, got)
		}
	}
}

// permutations are all orders of 0 … n-1.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var out [][]int
	for _, p := range permutations(n - 1) {
		for i := range n {
			out = append(out, slices.Insert(slices.Clone(p), i, n-1))
		}
	}
	return out
}

// redundancyGroup has a host on two leaves.
func redundancyGroup(t *testing.T, l *lab) {
	l.create(t, fabric(), class("default", v1alpha1.VPCLimits{}))
	for _, name := range []string{"leaf1", "leaf2"} {
		l.join(t, name, v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf, RedundancyGroup: "rack1"})
	}
	blue := vpc("tenant-a/blue", "web 10.1.0.0/24")
	l.create(t, blue, attach("tenant-a/b1", "blue/web", "leaf1/Ethernet8"), attach("tenant-a/b2", "blue/web", "leaf2/Ethernet8"))
	l.ready(t, blue, "2/2")
	one, two := l.config(t, "leaf1").Spec, l.config(t, "leaf2").Spec
	if one.VRFs[0].VLAN != two.VRFs[0].VLAN || one.Segments[0].VLAN != two.Segments[0].VLAN {
		t.Errorf("VLAN ids differ: leaf1 has %+v, leaf2 %+v", one, two)
	}
	if one.VTEP == two.VTEP {
		t.Errorf("both have the VTEP address %s", one.VTEP)
	}
}

// deletion deletes a VPC that is on two switches, one of which is silent.
func deletion(t *testing.T, l *lab) {
	f := fabric()
	f.Spec.Pools.VNI.Ranges[0].Last = 10002 // three VNIs: two VPCs do not fit
	l.create(t, f, class("default", v1alpha1.VPCLimits{}))
	l.leaves(t, 2)
	blue := vpc("tenant-a/blue", "web 10.1.0.0/24")
	b1, b2 := attach("tenant-a/b1", "blue/web", "leaf1/Ethernet8"), attach("tenant-a/b2", "blue/web", "leaf2/Ethernet8")
	l.create(t, blue, b1, b2)
	l.ready(t, blue, "2/2")
	held := map[string]bool{}
	for _, a := range l.allocations(t) {
		if a.Spec.Pool == v1alpha1.PoolVNI {
			held[a.Name] = true
		}
	}
	if len(held) != 2 {
		t.Fatalf("the VPC holds %v, want two VNIs", held)
	}

	l.agents["leaf2"].say(func(a *agent) { a.silent = true })
	l.delete(t, b1, blue, b2)
	quarantined := func() error {
		for _, a := range l.allocations(t) {
			if held[a.Name] && a.Status.Phase != v1alpha1.AllocationQuarantined {
				return fmt.Errorf("%s is %s", a.Name, a.Status.Phase)
			}
		}
		return nil
	}
	rbactest.Eventually(t, quarantined)
	rbactest.Eventually(t, func() error { // leaf1 has confirmed
		if c := l.config(t, "leaf1"); len(c.Spec.VRFs) > 0 || len(c.Status.VNIs) > 0 || c.Status.AppliedGeneration != c.Generation {
			return fmt.Errorf("leaf1 still has %+v, reports %+v", c.Spec, c.Status)
		}
		return nil
	})
	red := vpc("tenant-b/red", "web 10.1.0.0/24")
	l.create(t, red, attach("tenant-b/r1", "red/web", "leaf1/Ethernet8"))
	l.wants(t, red, rejectedVPC("VNIExhausted", "in use or in quarantine"))
	l.settle(t)
	if err := quarantined(); err != nil || countIn(l.allocations(t), held) != 2 {
		t.Fatalf("leaf2 has confirmed nothing, and only %d Allocations are left: %v", countIn(l.allocations(t), held), err)
	}

	l.agents["leaf2"].say(func(a *agent) { a.silent = false })
	l.ready(t, red, "1/1")
	for _, a := range l.allocations(t) {
		if a.Spec.Pool == v1alpha1.PoolVNI && a.Spec.Holder.Name == "blue" {
			t.Errorf("%s is still held by %s", a.Name, a.Spec.Holder)
		}
	}
	if spec := l.config(t, "leaf2").Spec; spec.Segments != nil || spec.VRFs != nil {
		t.Errorf("leaf2 still has %+v", spec)
	}
}

func countIn(all []v1alpha1.Allocation, names map[string]bool) int {
	n := 0
	for _, a := range all {
		if names[a.Name] {
			n++
		}
	}
	return n
}

// removedSubnet takes a subnet out of a VPC.
func removedSubnet(t *testing.T, l *lab) {
	l.create(t, fabric(), class("default", v1alpha1.VPCLimits{}))
	l.leaves(t, 1)
	blue := vpc("tenant-a/blue", "web 10.1.0.0/24", "db 10.2.0.0/24")
	db := attach("tenant-a/db", "blue/db", "leaf1/Ethernet12")
	l.create(t, blue, attach("tenant-a/web", "blue/web", "leaf1/Ethernet8"), db)
	l.ready(t, blue, "1/1")
	vni := get(t, l, blue).Status.Subnets[1].VNI
	edit(t, l, blue, func(v *v1alpha1.VPC) { v.Spec.Subnets = v.Spec.Subnets[:1] })
	l.wants(t, db, expect{v1alpha1.AttachmentAccepted, metav1.ConditionFalse, "SubnetNotFound", []string{`spec.subnet: VPC blue has no subnet "db"`, "Add it"}})
	l.gone(t, &v1alpha1.Allocation{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("vni-%d", vni)}})
	l.ready(t, blue, "1/1")
	if got := get(t, l, blue).Status.Subnets; len(got) != 1 || got[0].Name != "web" {
		t.Errorf("status.subnets = %+v, want web alone", got)
	}
}

// pinFirst pins VNIs for a VPC that comes later.
func pinFirst(t *testing.T, l *lab) {
	l.create(t, fabric(), class("default", v1alpha1.VPCLimits{}))
	l.leaves(t, 1)
	l3, l2 := pin("10100", "tenant-a/blue", ""), pin("10101", "tenant-a/blue", "web")
	l.create(t, l3, l2)
	phase := func(a *v1alpha1.Allocation, want v1alpha1.AllocationPhase) {
		rbactest.Eventually(t, func() error {
			if got := get(t, l, a).Status.Phase; got != want {
				return fmt.Errorf("%s is %q, want %s", a.Name, got, want)
			}
			return nil
		})
	}
	phase(l3, v1alpha1.AllocationReserved)
	phase(l2, v1alpha1.AllocationReserved)
	blue := vpc("tenant-a/blue", "web 10.1.0.0/24")
	b1 := attach("tenant-a/b1", "blue/web", "leaf1/Ethernet8")
	l.create(t, blue, b1)
	l.ready(t, blue, "1/1")
	phase(l3, v1alpha1.AllocationBound)
	if s := get(t, l, blue).Status; s.VNI != 10100 || s.Subnets[0].VNI != 10101 {
		t.Errorf("the VPC has VNIs %d and %d, want the pinned 10100 and 10101", s.VNI, s.Subnets[0].VNI)
	}
	// A pin outlives its VPC: it is the network team's.
	l.delete(t, b1, blue)
	phase(l3, v1alpha1.AllocationReserved)
	phase(l2, v1alpha1.AllocationReserved)
}

// moved deletes the Allocation of a running VPC's L3 VNI.
func moved(t *testing.T, l *lab) {
	l.create(t, fabric(), class("default", v1alpha1.VPCLimits{}))
	l.leaves(t, 2)
	blue := vpc("tenant-a/blue", "web 10.1.0.0/24")
	l.create(t, blue, attach("tenant-a/b1", "blue/web", "leaf1/Ethernet8"), attach("tenant-a/b2", "blue/web", "leaf2/Ethernet8"))
	l.ready(t, blue, "2/2")
	was := get(t, l, blue).Status.VNI
	vlan := l.config(t, "leaf1").Spec.VRFs[0].VLAN
	old := &v1alpha1.Allocation{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("vni-%d", was)}}
	l.delete(t, old)
	l.gone(t, old)
	l.ready(t, blue, "2/2")
	is := get(t, l, blue).Status.VNI
	if is == was || is == 0 {
		t.Errorf("the VPC's VNI was %d and is %d, want another one", was, is)
	}
	for name, a := range l.agents {
		if got := l.config(t, name).Spec.VRFs; len(got) != 1 || got[0].VNI != is {
			t.Errorf("%s has the VRFs %+v, want VNI %d", name, got, is)
		}
		began := false
		for _, spec := range a.history() {
			if began = began || len(spec.Segments) > 0; began && len(spec.Segments) != 1 {
				t.Errorf("%s was given a spec without the VPC: %+v", name, spec)
			}
		}
	}
	if got := l.config(t, "leaf1").Spec.VRFs[0].VLAN; got != vlan {
		t.Errorf("the VRF's VLAN was %d and is %d", vlan, got)
	}
}

// nodeJoins has kubelets join.
func nodeJoins(t *testing.T, l *lab) {
	l.create(t, fabric(), node("leaf7", "leaf"), node("odd", "router"),
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "server"}})
	rbactest.Eventually(t, func() error {
		sw := v1alpha1.Switch{}
		if err := l.Get(t.Context(), client.ObjectKey{Name: "leaf7"}, &sw); err != nil {
			return err
		}
		if sw.Spec.Role != v1alpha1.RoleLeaf {
			return fmt.Errorf("its role is %s", sw.Spec.Role)
		}
		if _, ok := get(t, l, node("leaf7", "")).Labels["node-role.kubernetes.io/leaf"]; !ok {
			return fmt.Errorf("kubectl get nodes shows no role")
		}
		config := v1alpha1.SwitchConfig{}
		if err := l.Get(t.Context(), client.ObjectKey{Name: "leaf7"}, &config); err != nil {
			return err
		}
		if config.Spec.VTEP == "" {
			return fmt.Errorf("it has no VTEP address")
		}
		return nil
	})
	rbactest.Eventually(t, func() error {
		var events eventsv1.EventList
		if err := l.List(t.Context(), &events); err != nil {
			return err
		}
		if !slices.ContainsFunc(events.Items, func(e eventsv1.Event) bool {
			return e.Regarding.Name == "odd" && e.Reason == "UnknownRole" && strings.Contains(e.Note, `"router" is not a role. Use leaf, spine or border.`)
		}) {
			return fmt.Errorf("no event says that router is not a role")
		}
		return nil
	})
	l.settle(t)
	var all v1alpha1.SwitchList
	if err := l.List(t.Context(), &all); err != nil || len(all.Items) != 1 {
		t.Errorf("there are %d switches, want leaf7 alone: %v", len(all.Items), err)
	}
	// The network team's Switch is not changed by its Node.
	edit(t, l, &all.Items[0], func(sw *v1alpha1.Switch) { sw.Spec.Role = v1alpha1.RoleBorder })
	edit(t, l, node("leaf7", ""), func(n *corev1.Node) { n.Labels["rack"] = "r1" })
	l.settle(t)
	if role := get(t, l, &all.Items[0]).Spec.Role; role != v1alpha1.RoleBorder {
		t.Errorf("the role went back to %s", role)
	}
}

// problems has an agent report what it could not put into force.
func problems(t *testing.T, l *lab) {
	l.create(t, fabric(), class("default", v1alpha1.VPCLimits{}))
	l.leaves(t, 2)
	blue, red := vpc("tenant-a/blue", "web 10.1.0.0/24"), vpc("tenant-b/red", "web 10.1.0.0/24")
	b1, b2, r1 := attach("tenant-a/b1", "blue/web", "leaf1/Ethernet8"), attach("tenant-a/b2", "blue/web", "leaf2/Ethernet8"), attach("tenant-b/r1", "red/web", "leaf1/Ethernet8")
	l.create(t, blue, red, b1, b2, r1)
	l.ready(t, blue, "2/2")
	l.ready(t, red, "1/1")

	report := func(p ...v1alpha1.Problem) { l.agents["leaf1"].say(func(a *agent) { a.problems = p }) }
	owner := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPCAttachment, Namespace: "tenant-a", Name: "b1"}
	report(v1alpha1.Problem{Owner: owner, Reason: "RowTaken", Message: "VLAN_MEMBER|Vlan100|Ethernet8 was made by hand."})
	l.wants(t, b1, expect{v1alpha1.AttachmentProgrammed, metav1.ConditionFalse, "RowTaken", []string{"VLAN_MEMBER|Vlan100|Ethernet8 was made by hand."}})
	l.wants(t, blue, expect{v1alpha1.VPCProgrammed, metav1.ConditionFalse, "Problems", []string{"leaf1: VLAN_MEMBER|Vlan100|Ethernet8"}})
	l.wants(t, blue, expect{v1alpha1.ConditionReady, metav1.ConditionFalse, "Problems", nil})
	if s := get(t, l, blue).Status.Switches; s != "1/2" {
		t.Errorf("status.switches = %q, want 1/2", s)
	}

	owner = v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "tenant-a", Name: "blue"}
	report(v1alpha1.Problem{Owner: owner, Reason: "NoGateway", Message: "This SONiC knows no anycast gateway."})
	l.wants(t, b1, expect{v1alpha1.AttachmentProgrammed, metav1.ConditionFalse, "NoGateway", []string{"knows no anycast gateway"}})
	l.wants(t, blue, expect{v1alpha1.VPCProgrammed, metav1.ConditionFalse, "Problems", []string{"leaf1: This SONiC knows no anycast gateway."}})

	report()
	l.wants(t, b1, expect{v1alpha1.ConditionReady, metav1.ConditionTrue, "Programmed", nil})
	l.ready(t, blue, "2/2")
	l.wants(t, b2, expect{v1alpha1.ConditionReady, metav1.ConditionTrue, "Programmed", nil})
	l.ready(t, red, "1/1")
}
