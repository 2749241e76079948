package topology

import (
	"fmt"
	"testing"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// A fabric of 1,000 switches with 64 ports, every one of which is cabled: 10
// spines' worth of uplinks among them, and hosts with agents at the rest. The
// Links are known from before, as they are in a controller that runs.
func BenchmarkTopology1000(b *testing.B) {
	in := large(1000)
	in.Links = remembered(nil, Build(in))
	b.ReportAllocs()
	for b.Loop() {
		if t := Build(in); len(t.Problems) > 0 {
			b.Fatal(t.Problems[0])
		}
	}
}

// large makes leaves and, for every ten of them, a spine; the remaining ports
// have hosts.
func large(switches int) Inputs {
	var in Inputs
	for i := range switches {
		role := v1alpha1.RoleLeaf
		if i%11 == 0 {
			role = v1alpha1.RoleSpine
		}
		sw := &v1alpha1.Switch{Spec: v1alpha1.SwitchSpec{Role: role}}
		sw.Name = fmt.Sprintf("switch-%04d", i)
		sw.Status.MAC = fmt.Sprintf("52:54:00:00:%02x:%02x", i/256, i%256)
		sw.Status.ChassisID, sw.Status.SystemName = sw.Status.MAC, sw.Name
		for p := range 64 {
			sw.Status.Ports = append(sw.Status.Ports, v1alpha1.SwitchPort{Name: fmt.Sprintf("Ethernet%d", 4*p), Alias: fmt.Sprintf("etp%d", p+1)})
		}
		in.Switches = append(in.Switches, sw)
	}
	for i, sw := range in.Switches {
		spine := in.Switches[i-i%11]
		for p, port := range sw.Status.Ports {
			switch {
			case sw != spine && p < 5:
				join(sw, p, spine, (i%11-1)*5+p)
			case sw != spine:
				in.Hosts = append(in.Hosts, hostAt(sw, port, i, p))
			}
		}
	}
	return in
}

func join(a *v1alpha1.Switch, p int, b *v1alpha1.Switch, q int) {
	hear := func(at *v1alpha1.Switch, p int, from *v1alpha1.Switch, q int) {
		at.Status.Neighbors = append(at.Status.Neighbors, v1alpha1.LLDPNeighbor{
			Port: at.Status.Ports[p].Name, ChassisIDSubtype: v1alpha1.ChassisMACAddress, ChassisID: from.Status.MAC,
			PortIDSubtype: v1alpha1.PortLocal, PortID: from.Status.Ports[q].Alias, PortDescription: from.Status.Ports[q].Name, SystemName: from.Name,
		})
	}
	hear(a, p, b, q)
	hear(b, q, a, p)
}

func hostAt(sw *v1alpha1.Switch, port v1alpha1.SwitchPort, i, p int) *v1alpha1.Host {
	h := &v1alpha1.Host{}
	h.Name = fmt.Sprintf("host-%04d-%02d", i, p)
	h.Status = v1alpha1.HostStatus{
		ChassisID: h.Name, SystemName: h.Name,
		NICs: []v1alpha1.HostNIC{{Name: "eth0", MAC: fmt.Sprintf("02:00:00:%02x:%02x:%02x", i/256, i%256, p)}},
		Neighbors: []v1alpha1.LLDPNeighbor{{
			Port: "eth0", ChassisIDSubtype: v1alpha1.ChassisMACAddress, ChassisID: sw.Status.MAC,
			PortIDSubtype: v1alpha1.PortLocal, PortID: port.Alias, PortDescription: port.Name, SystemName: sw.Name,
		}},
	}
	sw.Status.Neighbors = append(sw.Status.Neighbors, v1alpha1.LLDPNeighbor{
		Port: port.Name, ChassisIDSubtype: v1alpha1.ChassisLocal, ChassisID: h.Name,
		PortIDSubtype: v1alpha1.PortInterfaceName, PortID: "eth0", SystemName: h.Name,
	})
	return h
}
