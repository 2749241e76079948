package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/topology"
)

// carrying is a switch that carries the subnet at ports, such as "Ethernet8 101", or
// "Ethernet8 101 native".
func carrying(ports ...string) *v1alpha1.SwitchConfig {
	config := &v1alpha1.SwitchConfig{}
	for _, text := range ports {
		words := strings.Fields(text)
		port := v1alpha1.SegmentPort{Name: words[0], Mode: v1alpha1.ModeTagged, Owner: VPCRef(blue())}
		if len(words) > 2 {
			port.Mode = v1alpha1.ModeNative
		}
		var vlan int32
		if _, err := fmt.Sscan(words[1], &vlan); err != nil {
			panic(err)
		}
		config.Spec.Segments = append(config.Spec.Segments, v1alpha1.SegmentConfig{VNI: 10101, VLAN: vlan, Owner: VPCRef(blue()), Subnet: "web", Ports: []v1alpha1.SegmentPort{port}})
	}
	return config
}

func host1() *v1alpha1.Host {
	return &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "host1"}}
}

// of is host1 with the NICs of some places, and eth2.
func of(places []topology.Place) *v1alpha1.Host {
	h := host1()
	for _, p := range places {
		h.Status.NICs = append(h.Status.NICs, v1alpha1.HostNIC{Name: p.NIC, Bond: p.Bond})
	}
	if len(places) > 0 {
		h.Status.NICs = append(h.Status.NICs, v1alpha1.HostNIC{Name: "eth2"})
	}
	return h
}

func blue() types.NamespacedName { return types.NamespacedName{Namespace: "tenant-a", Name: "blue"} }

func blueVPC() *v1alpha1.VPC {
	v := &v1alpha1.VPC{Spec: v1alpha1.VPCSpec{AttachFrom: []string{"shared"}, Subnets: []v1alpha1.Subnet{{Name: "web", CIDRs: []string{"10.1.0.0/24", "fd00:1::/64"}, Gateways: []string{"10.1.0.254"}}}}}
	v.Namespace, v.Name = "tenant-a", "blue"
	return v
}

func at(nic, bond, sw, port string) topology.Place {
	return topology.Place{NIC: nic, Bond: bond, Switch: sw, Port: port}
}

// A NIC is to be left while its switch is being drained, and until it is; that of a bond is
// the bond's own matter.
func TestBuildHostOfADrain(t *testing.T) {
	for _, c := range []struct {
		name   string
		bond   string
		ask    *v1alpha1.SwitchMaintenance
		answer *v1alpha1.MaintenanceStatus
		want   bool
	}{
		{"no maintenance", "", nil, nil, false},
		{"without a drain", "", &v1alpha1.SwitchMaintenance{}, nil, false},
		{"asked for", "", &v1alpha1.SwitchMaintenance{Drain: true}, nil, true},
		{"begun", "", &v1alpha1.SwitchMaintenance{Drain: true}, &v1alpha1.MaintenanceStatus{}, true},
		{"done", "", &v1alpha1.SwitchMaintenance{Drain: true}, &v1alpha1.MaintenanceStatus{Drained: true}, false},
		{"that the switch refuses", "", &v1alpha1.SwitchMaintenance{Drain: true, SingleHomed: []v1alpha1.SingleHomedHost{{Name: "host2"}}}, nil, false},
		{"forced", "", &v1alpha1.SwitchMaintenance{Drain: true, Force: true, SingleHomed: []v1alpha1.SingleHomedHost{{Name: "host2"}}}, nil, true},
		{"of a bond", "bond0", &v1alpha1.SwitchMaintenance{Drain: true}, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			leaf1 := carrying("Ethernet8 101")
			leaf1.Spec.Maintenance, leaf1.Status.Maintenance = c.ask, c.answer
			places := []topology.Place{at("eth0", c.bond, "leaf1", "Ethernet8")}
			spec := BuildHost(HostInputs{
				Host: of(places), Places: places, Configs: map[string]*v1alpha1.SwitchConfig{"leaf1": leaf1},
				Networks: []HostNetwork{{Name: blue(), Subnet: "web", VPC: blueVPC(), VNI: 10101}},
				Standing: func(Carrier) Standing { return Standing{InForce: true} },
			})
			if n := spec.Networks[0]; len(n.Uplinks) != 1 || n.Uplinks[0].Draining != c.want || !n.Ready {
				t.Errorf("ready %t, uplinks %+v, want draining %t", n.Ready, n.Uplinks, c.want)
			}
		})
	}
}

// How a host reaches a subnet, and when it is ready.
func TestBuildHost(t *testing.T) {
	inForce := Standing{InForce: true}
	two := []topology.Place{at("eth0", "", "leaf1", "Ethernet8"), at("eth1", "", "leaf2", "Ethernet8")}
	bond := []topology.Place{at("eth0", "bond0", "leaf1", "Ethernet8"), at("eth1", "bond0", "leaf2", "Ethernet8")}
	for _, c := range []struct {
		name     string
		master   string
		places   []topology.Place
		leaf1    *v1alpha1.SwitchConfig
		leaf2    *v1alpha1.SwitchConfig
		standing map[string]Standing // by switch
		uplinks  string
		ready    bool
		message  string // a part of it
	}{
		{"two NICs at two switches", "", two, carrying("Ethernet8 101"), carrying("Ethernet8 102"), map[string]Standing{"leaf1": inForce, "leaf2": inForce},
			"eth0 101 leaf1/Ethernet8, eth1 102 leaf2/Ethernet8", true, ""},
		{"untagged", "", two[:1], carrying("Ethernet8 101 native"), nil, map[string]Standing{"leaf1": inForce}, "eth0 0 leaf1/Ethernet8", true, ""},
		{"one switch has not taken it", "", two, carrying("Ethernet8 101"), carrying("Ethernet8 102"), map[string]Standing{"leaf1": inForce},
			"eth0 101 leaf1/Ethernet8, eth1 102 leaf2/Ethernet8", false, "Waiting for leaf2."},
		{"one switch has not been given it", "", two, carrying("Ethernet8 101"), carrying(), map[string]Standing{"leaf1": inForce},
			"eth0 101 leaf1/Ethernet8", false, "Waiting for leaf2."},
		{"no switch has a configuration", "", two, nil, nil, nil, "", false, "Waiting for leaf1, leaf2."},
		{"one port can never carry it", "", two, carrying("Ethernet8 101"), carrying(), map[string]Standing{"leaf1": inForce, "leaf2": {Problem: "Ethernet8 is routed."}},
			"eth0 101 leaf1/Ethernet8", true, ""},
		{"no port can", "", two[1:], nil, carrying(), map[string]Standing{"leaf2": {Problem: "Ethernet8 is routed."}}, "", false, "leaf2: Ethernet8 is routed."},
		{"a switch could not do it", "", two[:1], carrying("Ethernet8 101"), nil, map[string]Standing{"leaf1": {Problem: "VLAN 101 is taken."}},
			"eth0 101 leaf1/Ethernet8", false, "leaf1: VLAN 101 is taken."},
		{"a bond is one uplink", "", bond, carrying("Ethernet8 101"), carrying("Ethernet8 101"), map[string]Standing{"leaf1": inForce, "leaf2": inForce},
			"bond0 101 leaf1/Ethernet8", true, ""},
		{"a bond needs all of its NICs", "", bond, carrying("Ethernet8 101"), carrying(), map[string]Standing{"leaf1": inForce, "leaf2": {Problem: "Ethernet8 is routed."}},
			"bond0 101 leaf1/Ethernet8", false, "leaf2: Ethernet8 is routed."},
		{"a bond has one VLAN id", "", bond, carrying("Ethernet8 101"), carrying("Ethernet8 102"), map[string]Standing{"leaf1": inForce, "leaf2": inForce},
			"bond0 101 leaf1/Ethernet8", false, "Put these switches into one redundancy group."},
		{"at one of two NICs", "eth1", two, carrying("Ethernet8 101"), carrying("Ethernet8 102"), map[string]Standing{"leaf2": inForce}, "eth1 102 leaf2/Ethernet8", true, ""},
		{"at a bond", "bond0", append(bond, at("eth2", "", "leaf1", "Ethernet12")), carrying("Ethernet8 101"), carrying("Ethernet8 101"), map[string]Standing{"leaf1": inForce, "leaf2": inForce},
			"bond0 101 leaf1/Ethernet8", true, ""},
		{"at the bond of a NIC", "eth1", bond, carrying("Ethernet8 101"), carrying("Ethernet8 101"), map[string]Standing{"leaf1": inForce},
			"bond0 101 leaf1/Ethernet8", false, "Waiting for leaf2."},
		{"at a NIC without cable", "eth2", two, carrying("Ethernet8 101"), carrying("Ethernet8 102"), map[string]Standing{"leaf1": inForce, "leaf2": inForce}, "", false, "No switch port is known for "},
		{"no cable", "", nil, nil, nil, nil, "", false, "No switch port is known for host1: no host agent has told of its NICs. See kubectl describe host host1."},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := BuildHost(HostInputs{
				Host: of(c.places), Places: c.places, Configs: map[string]*v1alpha1.SwitchConfig{"leaf1": c.leaf1, "leaf2": c.leaf2},
				Networks: []HostNetwork{{Name: blue(), Subnet: "web", VPC: blueVPC(), VNI: 10101, Master: c.master}},
				Standing: func(at Carrier) Standing { return c.standing[at.Switch] },
			})
			n := spec.Networks[0]
			var uplinks []string
			for _, u := range n.Uplinks {
				uplinks = append(uplinks, fmt.Sprintf("%s %d %s/%s", u.NIC, u.VLAN, u.Switch, u.Port))
			}
			if got := strings.Join(uplinks, ", "); got != c.uplinks || n.Ready != c.ready || !strings.Contains(n.Message, c.message) || n.Ready != (n.Message == "") || n.Master != c.master {
				t.Errorf("uplinks %q, ready %t, %q; want %q, %t, %q", got, n.Ready, n.Message, c.uplinks, c.ready, c.message)
			}
			if !slices.Equal(n.Namespaces, []string{"shared", "tenant-a"}) || !slices.Equal(n.Gateways, []string{"10.1.0.254", "fd00:1::1"}) {
				t.Errorf("namespaces %q, gateways %q", n.Namespaces, n.Gateways)
			}
		})
	}
}

// What pods are attached to stays when its VPC goes; nothing new is attached.
func TestBuildHostKeepsWhatRuns(t *testing.T) {
	before := &v1alpha1.HostNetwork{VNI: 10101, Owner: VPCRef(blue()), Subnet: "web", CIDRs: []string{"10.1.0.0/24"}, Gateways: []string{"10.1.0.1"}, Namespaces: []string{"tenant-a"}, Ready: true}
	slicesBefore := []v1alpha1.AddressRange{{First: "10.1.0.4", Last: "10.1.0.7"}}
	spec := BuildHost(HostInputs{Host: host1(), Networks: []HostNetwork{{Name: blue(), Subnet: "web", Before: before, VNI: 10101, Slices: slicesBefore}}, Standing: func(Carrier) Standing { return Standing{} }})
	n := spec.Networks[0]
	if n.Ready || !slices.Equal(n.CIDRs, before.CIDRs) || !slices.Equal(n.Slices, slicesBefore) || !strings.Contains(n.Message, `There is no subnet "web" in VPC tenant-a/blue any more.`) {
		t.Errorf("the network is %+v", n)
	}
}

// The cost of a host does not grow with the fabric: there is nothing of it in the
// inputs. What there is, is 2 NICs and 20 networks, on switches with 1,000 subnets.
func BenchmarkBuildHost(b *testing.B) {
	config := &v1alpha1.SwitchConfig{}
	for i := range int32(1000) {
		s := v1alpha1.SegmentConfig{VNI: 10000 + i, VLAN: 100 + i, Owner: VPCRef(blue()), Subnet: "web"}
		for p := range 8 {
			s.Ports = append(s.Ports, v1alpha1.SegmentPort{Name: fmt.Sprintf("Ethernet%d", 4*p), Mode: v1alpha1.ModeTagged})
		}
		config.Spec.Segments = append(config.Spec.Segments, s)
	}
	in := HostInputs{
		Host: host1(), Places: []topology.Place{at("eth0", "", "leaf1", "Ethernet8"), at("eth1", "", "leaf2", "Ethernet8")},
		Configs:  map[string]*v1alpha1.SwitchConfig{"leaf1": config, "leaf2": config},
		Standing: func(Carrier) Standing { return Standing{InForce: true} },
	}
	for i := range int32(20) {
		in.Networks = append(in.Networks, HostNetwork{Name: blue(), Subnet: "web", VPC: blueVPC(), VNI: 10000 + 50*i})
	}
	for b.Loop() {
		BuildHost(in)
	}
}
