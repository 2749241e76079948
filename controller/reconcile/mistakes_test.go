package reconcile_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

func limit(n int32) *int32 { return &n }

// mistake is something wrong that somebody applies.
type mistake struct {
	name    string
	objects []client.Object // the last one is told
	expect  expect
}

func rejectedAttachment(reason string, words ...string) expect {
	return expect{v1alpha1.AttachmentAccepted, metav1.ConditionFalse, reason, words}
}

func rejectedVPC(reason string, words ...string) expect {
	return expect{v1alpha1.VPCAccepted, metav1.ConditionFalse, reason, words}
}

// wrong are the mistakes that can be made beside VPC green, which is on
// Ethernet0 of leaf1, with mode Native, and holds the VNIs 15000 and 15001. The
// words name the field, the value, what it conflicts with and the way out.
func wrong() []mistake {
	one := func(name, subnet, port string, e expect) mistake {
		return mistake{name, []client.Object{attach("tenant-a/"+name, subnet, port)}, e}
	}
	return []mistake{
		{"overlap", []client.Object{vpc("tenant-a/overlap", "a 10.1.0.0/16", "b 10.1.2.0/24")},
			rejectedVPC("SubnetOverlap", "spec.subnets[b].cidrs: 10.1.2.0/24", "spec.subnets[a].cidrs: 10.1.0.0/16", "change one of the two")},
		{"no-class", []client.Object{ofClass("gold", vpc("tenant-a/no-class", "a 10.1.0.0/16"))},
			rejectedVPC("ClassNotFound", "spec.class", `"gold"`, "kubectl get vpcclasses")},
		{"too-many-subnets", []client.Object{ofClass("small", vpc("tenant-a/too-many-subnets", "a 10.1.0.0/24", "b 10.2.0.0/24"))},
			rejectedVPC("LimitExceeded", "spec.subnets", "2 subnets", "VPCClass small allows 1", "Remove some")},
		{"network-address", []client.Object{withGateway("10.1.0.0", vpc("tenant-a/network-address", "a 10.1.0.0/24"))},
			rejectedVPC("InvalidSubnet", "spec.subnets[a]", "gateways: 10.1.0.0", "choose another address")},
		{"too-many-attachments", []client.Object{
			ofClass("small", vpc("tenant-a/small", "a 10.1.0.0/24")),
			attach("tenant-a/first", "small/a", "leaf1/Ethernet4"), attach("tenant-a/second", "small/a", "leaf1/Ethernet8")},
			rejectedAttachment("LimitExceeded", "VPC small already has the 1 attachments", "VPCClass small", "Delete one")},
		one("no-vpc", "grene/web", "leaf1/Ethernet4", rejectedAttachment("VPCNotFound", "spec.vpc", `"grene"`, "correct the name")),
		one("no-subnet", "green/wbe", "leaf1/Ethernet4", rejectedAttachment("SubnetNotFound", "spec.subnet", `"wbe"`, "correct the name")),
		one("no-switch", "green/web", "leaf9/Ethernet4", rejectedAttachment("SwitchNotFound", "spec.port.switch", `"leaf9"`, "kubectl get switches")),
		one("spine", "green/web", "spine1/Ethernet4", rejectedAttachment("SwitchNotLeaf", "spec.port.switch", "spine1", "Name a leaf")),
		one("silent", "green/web", "silent/Ethernet4", rejectedAttachment("SwitchUnknown", "spec.port.switch", "silent", "kubectl describe switch silent")),
		one("no-port", "green/web", "leaf1/Ethernet999", rejectedAttachment("PortNotFound", "spec.port.name", "leaf1 has no port Ethernet999", "Correct the name")),
		one("member", "green/web", "leaf1/Ethernet112", rejectedAttachment("PortInPortChannel", "spec.port.name", "Ethernet112", "member of PortChannel0001", "Name PortChannel0001 instead")),
		one("routed", "green/web", "leaf1/Ethernet120", rejectedAttachment("PortRouted", "spec.port.name", "Ethernet120", "INTERFACE|Ethernet120", "Name another port")),
		{"by-hand", []client.Object{native(attach("tenant-a/by-hand", "green/web", "leaf1/Ethernet124"))},
			rejectedAttachment("PortConflict", "spec.mode", "Vlan150", "Ethernet124", "Use mode Tagged")},
		{"second-native", []client.Object{vpc("tenant-b/other", "web 10.1.0.0/24"), native(attach("tenant-b/second-native", "other/web", "leaf1/Ethernet0"))},
			rejectedAttachment("PortConflict", "spec.mode", "an attachment in another namespace", "Ethernet0", "Use mode Tagged")},
		{"same-subnet", []client.Object{attach("tenant-a/same-subnet", "green/web", "leaf1/Ethernet0")},
			rejectedAttachment("PortConflict", "spec.port", "VPCAttachment tenant-a/green", "Ethernet0", "Delete one of the two")},
		{"outside", []client.Object{pin("20000", "tenant-a/outside", "")},
			expect{v1alpha1.AllocationAccepted, metav1.ConditionFalse, "OutsidePool", []string{"spec.value: 20000", "spec.pools.vni", "extend the pool"}}},
		{"second-vni", []client.Object{pin("15002", "tenant-a/green", "")},
			expect{v1alpha1.AllocationAccepted, metav1.ConditionFalse, "HolderHasAnother", []string{"VPC tenant-a/green", "VNI 15000", "Allocation vni-15000", "delete Allocation vni-15000"}}},
	}
}

func ofClass(name string, v *v1alpha1.VPC) *v1alpha1.VPC {
	v.Spec.Class = name
	return v
}

func withGateway(gateway string, v *v1alpha1.VPC) *v1alpha1.VPC {
	v.Spec.Subnets[0].Gateways = []string{gateway}
	return v
}

// mistakes makes all of them, one after the other, and then something right.
func mistakes(t *testing.T, l *lab) {
	l.create(t, fabric(), class("default", v1alpha1.VPCLimits{}),
		class("small", v1alpha1.VPCLimits{MaxSubnets: limit(1), MaxAttachments: limit(1)}))
	l.leaves(t, 1)
	l.join(t, "spine1", v1alpha1.SwitchSpec{Role: v1alpha1.RoleSpine})
	l.create(t, &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "silent"}, Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf}})
	green := vpc("tenant-a/green", "web 10.1.0.0/24")
	l.create(t, pin("15000", "tenant-a/green", ""), pin("15001", "tenant-a/green", "web"))
	l.create(t, green, native(attach("tenant-a/green", "green/web", "leaf1/Ethernet0")))
	l.ready(t, green, "1/1")
	for _, m := range wrong() {
		t.Run(m.name, func(t *testing.T) {
			l.create(t, m.objects...)
			l.wants(t, m.objects[len(m.objects)-1], m.expect)
			l.wants(t, m.objects[len(m.objects)-1], expect{v1alpha1.ConditionReady, metav1.ConditionFalse, m.expect.reason, m.expect.words})
		})
	}
	l.ready(t, green, "1/1")
	blue := vpc("tenant-b/blue", "web 10.1.0.0/24")
	l.create(t, blue, attach("tenant-b/b1", "blue/web", "leaf1/Ethernet0"))
	l.ready(t, blue, "1/1")
	// What was wrong is mended, and what waited for it goes on.
	l.create(t, class("gold", v1alpha1.VPCLimits{}))
	l.wants(t, vpc("tenant-a/no-class"), expect{v1alpha1.ConditionReady, metav1.ConditionTrue, "NoAttachments", nil})
	l.delete(t, attach("tenant-a/first", "", ""))
	l.wants(t, attach("tenant-a/second", "", ""), expect{v1alpha1.ConditionReady, metav1.ConditionTrue, "Programmed", nil})
	l.report(t, "silent", v1alpha1.SwitchStatus{Ports: ports()})
	l.wants(t, attach("tenant-a/silent", "", ""), expect{v1alpha1.AttachmentAccepted, metav1.ConditionTrue, "Accepted", nil})
	l.join(t, "leaf9", v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf})
	l.wants(t, attach("tenant-a/no-switch", "", ""), expect{v1alpha1.ConditionReady, metav1.ConditionTrue, "Programmed", nil})
	edit(t, l, vpc("tenant-a/overlap"), func(v *v1alpha1.VPC) { v.Spec.Subnets[1].CIDRs = []string{"10.9.0.0/24"} })
	l.wants(t, vpc("tenant-a/overlap"), expect{v1alpha1.VPCAccepted, metav1.ConditionTrue, "Accepted", nil})
	l.delete(t, pin("15000", "tenant-a/green", ""))
	l.wants(t, pin("15002", "", ""), expect{v1alpha1.AllocationAccepted, metav1.ConditionTrue, "Accepted", nil})
	l.wants(t, green, expect{v1alpha1.VPCProgrammed, metav1.ConditionFalse, "Progressing", []string{"2 of 3 switches; waiting for silent."}})
	l.startAgent(t, "silent") // which may have used the VNI as long as it does not say otherwise
	l.gone(t, pin("15000", "", ""))
}

// vlansUsedUp has room for one VPC with one subnet.
func vlansUsedUp(t *testing.T, l *lab) {
	f := fabric()
	f.Spec.Pools.VLAN.Ranges = []v1alpha1.VLANRange{{First: 100, Last: 102}}
	l.create(t, f, class("default", v1alpha1.VPCLimits{}))
	l.leaves(t, 2)
	blue, red := vpc("tenant-a/blue", "web 10.1.0.0/24"), vpc("tenant-b/red", "web 10.1.0.0/24")
	l.create(t, blue, attach("tenant-a/b1", "blue/web", "leaf1/Ethernet8"))
	l.ready(t, blue, "1/1")
	before := l.config(t, "leaf1").Spec
	r1 := attach("tenant-b/r1", "red/web", "leaf1/Ethernet8")
	l.create(t, red, r1)
	l.wants(t, r1, rejectedAttachment("VLANExhausted", "switch leaf1: all 3 VLAN ids", "spec.pools.vlan", "Extend the pool"))
	l.create(t, attach("tenant-b/r2", "red/web", "leaf2/Ethernet8")) // VLAN ids are a switch's own
	l.ready(t, red, "1/1")
	l.ready(t, blue, "1/1")
	if after := l.config(t, "leaf1").Spec; after.Revision != before.Revision {
		t.Errorf("leaf1 has %+v, want %+v as before", after, before)
	}
	edit(t, l, fabric(), func(f *v1alpha1.Fabric) { f.Spec.Pools.VLAN.Ranges[0].Last = 103 })
	l.ready(t, red, "2/2")
}

// vnisUsedUp has room for one VPC with one subnet.
func vnisUsedUp(t *testing.T, l *lab) {
	f := fabric()
	f.Spec.Pools.VNI.Ranges = []v1alpha1.VNIRange{{First: 10000, Last: 10002}}
	l.create(t, f, class("default", v1alpha1.VPCLimits{}))
	l.leaves(t, 1)
	blue, red := vpc("tenant-a/blue", "web 10.1.0.0/24"), vpc("tenant-b/red", "web 10.1.0.0/24")
	b1 := attach("tenant-a/b1", "blue/web", "leaf1/Ethernet8")
	l.create(t, blue, b1)
	l.ready(t, blue, "1/1")
	l.create(t, red, attach("tenant-b/r1", "red/web", "leaf1/Ethernet8"))
	l.wants(t, red, rejectedVPC("VNIExhausted", "spec.pools.vni", "extend the pool"))
	l.ready(t, blue, "1/1")
	l.delete(t, blue, b1) // gives back two
	l.ready(t, red, "1/1")
}

// vtepsUsedUp has room for one leaf.
func vtepsUsedUp(t *testing.T, l *lab) {
	f := fabric()
	f.Spec.Pools.VTEP.CIDRs = []string{"10.255.0.1/32"}
	l.create(t, f, class("default", v1alpha1.VPCLimits{}))
	l.leaves(t, 1)
	blue := vpc("tenant-a/blue", "web 10.1.0.0/24")
	l.create(t, blue, attach("tenant-a/b1", "blue/web", "leaf1/Ethernet8"))
	l.ready(t, blue, "1/1")
	l.join(t, "leaf2", v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf})
	b2 := attach("tenant-a/b2", "blue/web", "leaf2/Ethernet8")
	l.create(t, b2)
	l.wants(t, b2, rejectedAttachment("VTEPExhausted", "switch leaf2", "spec.pools.vtep", "extend the pool"))
	l.ready(t, blue, "1/1")
	edit(t, l, fabric(), func(f *v1alpha1.Fabric) { f.Spec.Pools.VTEP.CIDRs = []string{"10.255.0.0/30"} })
	l.ready(t, blue, "2/2")
	// Two addresses, two leaves. A third leaf waits until one leaves for good.
	l.join(t, "leaf3", v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf})
	b3 := attach("tenant-a/b3", "blue/web", "leaf3/Ethernet8")
	l.create(t, b3)
	l.wants(t, b3, rejectedAttachment("VTEPExhausted", "switch leaf3"))
	l.delete(t, b2)
	l.ready(t, blue, "1/1")
	l.delete(t, &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf2"}}, l.config(t, "leaf2"))
	l.ready(t, blue, "2/2")
}
