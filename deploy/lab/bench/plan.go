package main

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
	"github.com/switchlet/switchlet/controller/plan"
)

// The size of the large fabric: 1,000 switches in pairs, 10,000 VPCs, 100,000
// attachments.
const (
	switches         = 1000
	vpcsPerSwitch    = 10
	attachmentsInVPC = 10
)

// measurePlan compiles a large fabric from nothing, and then the groups that
// one VPC touches, there and in a fabric of a tenth of the size.
func measurePlan(context.Context, string) ([]Result, error) {
	large := newInputs(switches)
	var full []time.Duration
	var before, after runtime.MemStats
	for range 3 {
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := time.Now()
		result := plan.Build(large.all())
		full = append(full, time.Since(start))
		runtime.ReadMemStats(&after)
		if len(result.Problems) > 0 {
			return nil, fmt.Errorf("the large fabric has problems: %v", result.Problems[0])
		}
	}
	one, small := large.one(1000), newInputs(switches/10).one(1000)
	goal := []time.Duration{5 * time.Second}
	return []Result{
		durations("plan_full", fmt.Sprintf("%d switches, %d VPCs, %d attachments from nothing, %d MiB allocated; floor: the goal of 5 s",
			switches, switches*vpcsPerSwitch, switches*vpcsPerSwitch*attachmentsInVPC, (after.TotalAlloc-before.TotalAlloc)>>20), full, goal),
		durations("plan_one", "one VPC changed there; floor: the same in a fabric of 100 switches", one, small),
	}, nil
}

// fabricInputs are the planner's inputs of a fabric by redundancy group.
type fabricInputs struct {
	groups []plan.Inputs
}

func (f fabricInputs) all() plan.Inputs {
	all := f.groups[0]
	for _, g := range f.groups[1:] {
		all.Switches = append(all.Switches, g.Switches...)
		all.Attachments = append(all.Attachments, g.Attachments...)
	}
	return all
}

// one measures the compilation of one group after another, n times.
func (f fabricInputs) one(n int) []time.Duration {
	out := make([]time.Duration, n)
	for i := range n {
		start := time.Now()
		plan.Build(f.groups[i%len(f.groups)])
		out[i] = time.Since(start)
	}
	return out
}

func newInputs(n int) fabricInputs {
	pools, err := alloc.NewPools(v1alpha1.Pools{
		VNI:  v1alpha1.VNIPool{Ranges: []v1alpha1.VNIRange{{First: 10000, Last: 9999999}}},
		VLAN: v1alpha1.VLANPool{Ranges: []v1alpha1.VLANRange{{First: 2, Last: 4094}}},
		VTEP: v1alpha1.VTEPPool{CIDRs: []string{"10.255.0.0/16"}},
	})
	if err != nil {
		panic(err)
	}
	shared := plan.Inputs{
		Pools: &pools, AnycastMAC: "00:00:5e:00:01:01",
		Classes: map[string]*v1alpha1.VPCClass{"default": {ObjectMeta: metav1.ObjectMeta{Name: "default"}}},
		VPCs:    make(map[types.NamespacedName]*v1alpha1.VPC, n*vpcsPerSwitch),
	}
	vni := make(map[string]int32, 2*n*vpcsPerSwitch)
	shared.Identifiers = plan.Identifiers{
		VNI:  func(vpc types.NamespacedName, subnet string) int32 { return vni[vpc.Name+"/"+subnet] },
		VTEP: func(string) netip.Addr { return netip.AddrFrom4([4]byte{10, 255, 0, 1}) },
	}
	out := fabricInputs{groups: make([]plan.Inputs, n/2)}
	for g := range out.groups {
		out.groups[g] = newGroup(shared, g, vni)
	}
	return out
}

// newGroup makes two switches and their VPCs, each with five attachments on
// either.
func newGroup(in plan.Inputs, g int, vni map[string]int32) plan.Inputs {
	for s := range 2 {
		in.Switches = append(in.Switches, newSwitch(fmt.Sprintf("leaf%d", 2*g+s), fmt.Sprintf("rack%d", g)))
	}
	for v := range 2 * vpcsPerSwitch {
		name := types.NamespacedName{Namespace: "tenant", Name: fmt.Sprintf("vpc%d-%d", g, v)}
		vpc := &v1alpha1.VPC{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}}
		vpc.Spec = v1alpha1.VPCSpec{Class: "default", Subnets: []v1alpha1.Subnet{{Name: "web", CIDRs: []string{"10.1.0.0/24"}}}}
		in.VPCs[name] = vpc
		vni[name.Name+"/"], vni[name.Name+"/web"] = int32(10000+2*len(vni)), int32(10001+2*len(vni))
		for a := range attachmentsInVPC {
			in.Attachments = append(in.Attachments, &v1alpha1.VPCAttachment{
				ObjectMeta: metav1.ObjectMeta{Namespace: "tenant", Name: fmt.Sprintf("%s-%d", name.Name, a)},
				Spec: v1alpha1.VPCAttachmentSpec{VPC: name.Name, Subnet: "web", Mode: v1alpha1.ModeTagged, Port: v1alpha1.PortReference{
					Switch: in.Switches[a%2].Name, Name: fmt.Sprintf("Ethernet%d", 4*(a/2)),
				}},
			})
		}
	}
	return in
}

func newSwitch(name, group string) *v1alpha1.Switch {
	sw := &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf, RedundancyGroup: group}}
	for i := range 32 {
		sw.Status.Ports = append(sw.Status.Ports, v1alpha1.SwitchPort{Name: fmt.Sprintf("Ethernet%d", 4*i)})
	}
	return sw
}
