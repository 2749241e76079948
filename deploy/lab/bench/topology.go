package main

import (
	"context"
	"fmt"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/topology"
)

// The cabling that is measured: leaves in pairs of 64 ports, 16 of them towards
// spines, the others with hosts that are cabled to both leaves of a pair.
const (
	portsPerSwitch = 64
	uplinksPerLeaf = 16
	leavesPerSpine = portsPerSwitch
)

// measureTopology builds the port map of 1,000 switches with 64 ports, all of
// them cabled and known from before, as a controller does when a cable moves.
func measureTopology(context.Context, string) ([]Result, error) {
	in := cabled(switches)
	known := topology.Build(in)
	for _, link := range known.Links {
		l := &v1alpha1.Link{Status: link.Status}
		l.Name = link.Name
		in.Links = append(in.Links, l)
	}
	var all []time.Duration
	for range 10 {
		start := time.Now()
		built := topology.Build(in)
		all = append(all, time.Since(start))
		if len(built.Problems) > 0 {
			return nil, fmt.Errorf("the cabling has problems: %v", built.Problems[0])
		}
		if len(built.Links) != len(known.Links) {
			return nil, fmt.Errorf("%d links, and then %d", len(known.Links), len(built.Links))
		}
	}
	return []Result{durations("topology_1000", fmt.Sprintf("%d switches of %d ports, %d hosts, %d links that are known already; floor: the goal of 200 ms",
		switches, portsPerSwitch, len(in.Hosts), len(in.Links)), all, []time.Duration{200 * time.Millisecond})}, nil
}

// cabled is a fabric with what everybody in it hears.
func cabled(size int) topology.Inputs {
	var in topology.Inputs
	leaves := size * leavesPerSpine / (leavesPerSpine + uplinksPerLeaf) &^ 1
	for i := range size {
		in.Switches = append(in.Switches, silent(i, i >= leaves))
	}
	spines := in.Switches[leaves:]
	for i, leaf := range in.Switches[:leaves] {
		for u := range uplinksPerLeaf {
			n := i*uplinksPerLeaf + u // spread over the spines, port by port
			if at := n / len(spines); at < portsPerSwitch {
				cable(leaf, u, spines[n%len(spines)], at)
			}
		}
	}
	for i := 0; i < leaves; i += 2 {
		for p := uplinksPerLeaf; p < portsPerSwitch; p++ {
			in.Hosts = append(in.Hosts, dualHomed(fmt.Sprintf("host%d-%d", i, p), p, in.Switches[i], in.Switches[i+1]))
		}
	}
	return in
}

// silent is a switch that hears nothing yet.
func silent(i int, spine bool) *v1alpha1.Switch {
	sw := &v1alpha1.Switch{Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf, RedundancyGroup: fmt.Sprintf("pair%d", i/2)}}
	if spine {
		sw.Spec = v1alpha1.SwitchSpec{Role: v1alpha1.RoleSpine}
	}
	sw.Name = fmt.Sprintf("switch%d", i)
	mac := fmt.Sprintf("52:54:00:00:%02x:%02x", i/256, i%256)
	sw.Status.MAC, sw.Status.ChassisID, sw.Status.SystemName = mac, mac, sw.Name
	for p := range portsPerSwitch {
		sw.Status.Ports = append(sw.Status.Ports, v1alpha1.SwitchPort{Name: fmt.Sprintf("Ethernet%d", 4*p), Alias: fmt.Sprintf("etp%d", p+1)})
	}
	return sw
}

// cable joins a port of a switch to one of another.
func cable(a *v1alpha1.Switch, p int, b *v1alpha1.Switch, q int) {
	a.Status.Neighbors = append(a.Status.Neighbors, asHeard(a.Status.Ports[p].Name, b, q))
	b.Status.Neighbors = append(b.Status.Neighbors, asHeard(b.Status.Ports[q].Name, a, p))
}

// asHeard is a switch's port as SONiC sends it.
func asHeard(at string, sw *v1alpha1.Switch, p int) v1alpha1.LLDPNeighbor {
	return v1alpha1.LLDPNeighbor{
		Port: at, ChassisIDSubtype: v1alpha1.ChassisMACAddress, ChassisID: sw.Status.MAC, SystemName: sw.Name,
		PortIDSubtype: v1alpha1.PortLocal, PortID: sw.Status.Ports[p].Alias, PortDescription: sw.Status.Ports[p].Name,
	}
}

// dualHomed is a host with one NIC at the same port of each of two leaves.
func dualHomed(name string, p int, leaves ...*v1alpha1.Switch) *v1alpha1.Host {
	h := &v1alpha1.Host{}
	h.Name = name
	h.Status.ChassisID, h.Status.SystemName = name, name
	for i, leaf := range leaves {
		nic := fmt.Sprintf("eth%d", i)
		h.Status.NICs = append(h.Status.NICs, v1alpha1.HostNIC{Name: nic})
		h.Status.Neighbors = append(h.Status.Neighbors, asHeard(nic, leaf, p))
		leaf.Status.Neighbors = append(leaf.Status.Neighbors, v1alpha1.LLDPNeighbor{
			Port: leaf.Status.Ports[p].Name, ChassisIDSubtype: v1alpha1.ChassisLocal, ChassisID: name, SystemName: name,
			PortIDSubtype: v1alpha1.PortInterfaceName, PortID: nic,
		})
	}
	return h
}
