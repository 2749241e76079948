package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
)

// An attachment brings the subnet that pods need to their port, tagged or untagged, and
// they use what it brings. But where they have tagged frames it does not change that
// under them.
func TestAttachmentsBesidePods(t *testing.T) {
	const native, tagged = v1alpha1.ModeNative, v1alpha1.ModeTagged
	for _, c := range []struct {
		name  string
		mode  v1alpha1.AttachmentMode
		had   []string // at the port, see carrying
		pods  bool
		class *metav1.LabelSelector
		want  string // mode and owner at the port
	}{
		{"pods alone", "", nil, true, nil, "Tagged VPC"},
		{"both come at once", native, nil, true, nil, "Native VPCAttachment"},
		{"the attachment was there", native, []string{"Ethernet0 100 native"}, true, nil, "Native VPCAttachment"},
		{"the pods were", native, []string{"Ethernet0 100"}, true, nil, "Tagged VPC, PortConflict"},
		{"the pods were, and it is tagged, too", tagged, []string{"Ethernet0 100"}, true, nil, "Tagged VPCAttachment"},
		{"the pods are gone", native, []string{"Ethernet0 100"}, false, nil, "Native VPCAttachment"},
		{"the pods were at another port", native, []string{"Ethernet4 100"}, true, nil, "Native VPCAttachment"},
		{"pods whose host the class does not allow", native, []string{"Ethernet0 100"}, true, &metav1.LabelSelector{MatchLabels: map[string]string{"rack": "7"}}, "Native VPCAttachment"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := besidePods(t, c.class, carrying(c.had...))
			if c.mode != "" {
				a := &v1alpha1.VPCAttachment{ObjectMeta: metav1.ObjectMeta{Namespace: "tenant-a", Name: "server"}}
				a.Spec = v1alpha1.VPCAttachmentSpec{VPC: "blue", Subnet: "web", Port: v1alpha1.PortReference{Switch: "leaf1", Name: "Ethernet0"}, Mode: c.mode}
				in.Attachments = []*v1alpha1.VPCAttachment{a}
			}
			if c.pods {
				host := &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "host1"}}
				in.Placements = []Placement{ForPods(blue(), "web", host, at("eth0", "", "leaf1", "Ethernet0"))}
			}
			out := Build(in)
			var got []string
			for _, s := range out.Specs["leaf1"].Segments {
				for _, p := range s.Ports {
					got = append(got, fmt.Sprintf("%s %s", p.Mode, p.Owner.Kind))
				}
			}
			for _, p := range out.Problems {
				got = append(got, p.Reason)
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("the port has %q, want %q; problems: %+v", text, c.want, out.Problems)
			}
			in.Configs["leaf1"] = &v1alpha1.SwitchConfig{Spec: out.Specs["leaf1"]}
			if again := Build(in); again.Specs["leaf1"].Revision != out.Specs["leaf1"].Revision {
				t.Errorf("planned again the port has %+v", again.Specs["leaf1"].Segments)
			}
		})
	}
}

// besidePods is a leaf with one VPC.
func besidePods(t *testing.T, class *metav1.LabelSelector, config *v1alpha1.SwitchConfig) Inputs {
	t.Helper()
	vpc := blueVPC()
	vpc.Spec.Class = "default"
	pool, err := alloc.NewPool([]alloc.Range{{First: 100, Last: 199}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range config.Spec.Segments {
		config.Spec.Segments[i].VRF = 10100
	}
	return Inputs{
		Pools: &alloc.Pools{VLAN: pool}, VPCs: map[types.NamespacedName]*v1alpha1.VPC{blue(): vpc},
		Classes:  map[string]*v1alpha1.VPCClass{"default": {Spec: v1alpha1.VPCClassSpec{HostSelector: class}}},
		Switches: []*v1alpha1.Switch{{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}, Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf}, Status: v1alpha1.SwitchStatus{Ports: somePorts()}}},
		Configs:  map[string]*v1alpha1.SwitchConfig{"leaf1": config},
		Identifiers: Identifiers{
			VNI: func(_ types.NamespacedName, subnet string) int32 {
				return 10100 + int32(slices.Index([]string{"", "web"}, subnet))
			},
			VTEP: func(string) netip.Addr { return netip.MustParseAddr("10.255.0.1") },
		},
	}
}
