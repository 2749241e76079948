package plan

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
	"github.com/switchlet/switchlet/controller/topology"
)

// Which VLAN id a subnet with VNI 10101 gets of 100 to 103, of which somebody uses 100.
func TestChoose(t *testing.T) {
	pool, err := alloc.NewPool([]alloc.Range{{First: 100, Last: 103}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		former []Former
		want   int32 // 0: none
	}{
		{"the one that it had last", []Former{{VLAN: 101, VNI: 10101, At: 1}, {VLAN: 102, VNI: 10101, At: 2}}, 102},
		{"… also while that is held for it", []Former{{VLAN: 103, VNI: 10101, At: 2, Held: true}}, 103},
		{"… not if somebody else may use it as well", []Former{{VLAN: 103, VNI: 10101, At: 2, Held: true}, {VLAN: 103, VNI: 20202, Held: true}, {VLAN: 101, At: 1}}, 102},
		{"… not if somebody uses it", []Former{{VLAN: 100, VNI: 10101, At: 2}, {VLAN: 101, At: 1}, {VLAN: 103, At: 1}}, 102},
		{"… not if it is none of the pool", []Former{{VLAN: 99, VNI: 10101, At: 2}, {VLAN: 101, At: 1}, {VLAN: 103, At: 1}}, 102},
		{"one that nobody has had for long", []Former{{VLAN: 101, VNI: 20202, At: 1}, {VLAN: 103, VNI: 20203, At: 1}}, 102},
		{"then the one that was given back first", []Former{{VLAN: 101, VNI: 20202, At: 3}, {VLAN: 102, VNI: 20203, At: 1}, {VLAN: 103, VNI: 20204, At: 2}}, 102},
		{"not what is held", []Former{{VLAN: 101, VNI: 20202, At: 3}, {VLAN: 102, VNI: 20203, At: 1, Held: true}, {VLAN: 103, VNI: 20204, At: 2}}, 103},
		{"none, if all are held", []Former{{VLAN: 101, VNI: 20202, Held: true}, {VLAN: 102, VNI: 20203, Held: true}, {VLAN: 103, VNI: 20204, Held: true}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := Inputs{Pools: &alloc.Pools{VLAN: pool}, Former: map[string][]Former{"leaf1": c.former}}
			g := group{switches: []*v1alpha1.Switch{{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}}}}
			if got, _ := newChooser(in, g, vlans{}, map[int32]bool{100: true}).choose(broadcastDomain{blue(), "web"}, 10101); got != c.want {
				t.Errorf("it gets %d, want %d", got, c.want)
			}
		})
	}
}

// What it costs to know who may still use which id: a pair of leaves with 20 VPCs and
// 200 attachments, 512 ids on each that were given back, and 48 hosts with 20 networks
// and 20 former ones each. Reading all annotations is measured with it.
func BenchmarkBuildWithHistory(b *testing.B) {
	in := pairOfLeaves(b)
	var hosts []*v1alpha1.HostConfig
	for h := range 48 {
		was, is := "", []string{}
		for n := range int32(20) {
			is = append(is, fmt.Sprintf("eth0/%d/%d", 2000+n, 30000+n))
			was += fmt.Sprintf(" eth0/%d/%d@4", 2100+n, 30100+n)
		}
		c := reporting(sending(5, was, is...), 4)
		c.Name = fmt.Sprint("host", h)
		hosts = append(hosts, c)
	}
	former := ""
	for i := range 512 {
		former += fmt.Sprintf(" %d/%d@3+%d", 3000+i, 40000+i, i)
	}
	for name, history := range map[string]bool{"without": false, "with": true} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				in.Former, in.Tags = map[string][]Former{}, map[v1alpha1.PortReference][]Tag{}
				for _, sw := range in.Switches {
					for h := range hosts {
						if history {
							in.AddTags(sw.Name, []topology.Place{at("eth0", "", sw.Name, fmt.Sprintf("Ethernet%d", 4*h))}, TagsOf(hosts[h]))
						}
					}
					if history {
						in.Former[sw.Name] = FormerOf(having(4, 4, former), time.Unix(1000, 0), time.Minute)
					}
				}
				if out := Build(in); len(out.Problems) > 0 {
					b.Fatal(out.Problems[0])
				}
			}
		})
	}
}

// pairOfLeaves is a redundancy group that has been compiled before.
func pairOfLeaves(b *testing.B) Inputs {
	b.Helper()
	pool, err := alloc.NewPool([]alloc.Range{{First: 2, Last: 4094}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	in := Inputs{
		Pools: &alloc.Pools{VLAN: pool}, VPCs: map[types.NamespacedName]*v1alpha1.VPC{}, Configs: map[string]*v1alpha1.SwitchConfig{},
		Classes: map[string]*v1alpha1.VPCClass{"default": {}},
	}
	vnis := map[broadcastDomain]int32{}
	for v := range 20 {
		name := types.NamespacedName{Namespace: "tenant", Name: fmt.Sprint("vpc", v)}
		in.VPCs[name] = webAndDB(name)
		vnis[broadcastDomain{name, ""}], vnis[broadcastDomain{name, "web"}] = int32(10000+2*v), int32(10001+2*v)
		for p := range 10 {
			a := &v1alpha1.VPCAttachment{ObjectMeta: metav1.ObjectMeta{Namespace: "tenant", Name: fmt.Sprintf("a%d-%d", v, p)}}
			a.Spec = v1alpha1.VPCAttachmentSpec{VPC: name.Name, Subnet: "web", Mode: v1alpha1.ModeTagged, Port: v1alpha1.PortReference{Switch: fmt.Sprint("leaf", p%2), Name: fmt.Sprintf("Ethernet%d", 4*p)}}
			in.Attachments = append(in.Attachments, a)
		}
	}
	in.Identifiers = Identifiers{
		VNI:  func(vpc types.NamespacedName, subnet string) int32 { return vnis[broadcastDomain{vpc, subnet}] },
		VTEP: func(string) netip.Addr { return netip.MustParseAddr("10.255.0.1") },
	}
	for i := range 2 {
		sw := &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("leaf", i)}, Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf, RedundancyGroup: "rack1"}}
		for p := range 64 {
			sw.Status.Ports = append(sw.Status.Ports, v1alpha1.SwitchPort{Name: fmt.Sprintf("Ethernet%d", 4*p)})
		}
		in.Switches = append(in.Switches, sw)
	}
	for name, spec := range Build(in).Specs {
		in.Configs[name] = &v1alpha1.SwitchConfig{Spec: spec}
	}
	return in
}
