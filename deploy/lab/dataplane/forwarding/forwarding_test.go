package forwarding

import (
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/frrtest"
)

const gatewayMAC = "00:00:5e:00:01:01"

// underlay is the spec of a switch without tenants.
func underlay(asn int64, vtep string, uplinks ...string) *v1alpha1.SwitchConfigSpec {
	return &v1alpha1.SwitchConfigSpec{
		VTEP: vtep, AnycastMAC: gatewayMAC, Uplinks: uplinks,
		BGP: &v1alpha1.BGPConfig{BGP: v1alpha1.BGP{ASN: asn, Uplinks: uplinks}, RouterID: vtep},
	}
}

func vpc(name string) v1alpha1.ObjectReference {
	return v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "team", Name: name}
}

func segment(owner string, vlan, vni, vrf int32, gateways []string, ports ...v1alpha1.SegmentPort) v1alpha1.SegmentConfig {
	for i := range ports {
		ports[i].Owner = vpc(owner)
	}
	return v1alpha1.SegmentConfig{VLAN: vlan, VNI: vni, VRF: vrf, Subnet: "web", Gateways: gateways, Ports: ports, Owner: vpc(owner)}
}

func tagged(port string) v1alpha1.SegmentPort {
	return v1alpha1.SegmentPort{Name: port, Mode: v1alpha1.ModeTagged}
}

func native(port string) v1alpha1.SegmentPort {
	return v1alpha1.SegmentPort{Name: port, Mode: v1alpha1.ModeNative}
}

// twoLeaves is a fabric with two VPCs whose networks are the same. VLAN ids differ
// between the leaves; subnet app of VPC blue is on leaf1 only, db on leaf2 only.
//
//	          leaf1                           leaf2
//	blue1     Ethernet0 VLAN 100  web  VLAN 200 Ethernet0     blue2
//	                                   VLAN 200 Ethernet12    silent
//	app1      Ethernet12 VLAN 103 app
//	                              db   VLAN 201 Ethernet4     blue3 (native)
//	red1      Ethernet8 VLAN 102  web  VLAN 202 Ethernet8     red2
func twoLeaves(t *testing.T, release frrtest.Release) *fabric {
	began := time.Now()
	f := newFabric(t, release, 2, 2, "blue1", "blue2", "blue3", "app1", "silent", "red1", "red2")
	started := time.Now()
	for _, cable := range [][2]string{
		{"blue1/eth1", "leaf1/Ethernet0"}, {"red1/eth1", "leaf1/Ethernet8"}, {"app1/eth1", "leaf1/Ethernet12"},
		{"blue2/eth1", "leaf2/Ethernet0"}, {"blue3/eth1", "leaf2/Ethernet4"}, {"red2/eth1", "leaf2/Ethernet8"}, {"silent/eth1", "leaf2/Ethernet12"},
	} {
		f.plug(cable[0], cable[1])
	}
	f.configure()
	gateways := []string{"10.1.1.1", "fd00:1:1::1"}
	f.hosts["blue1"].attach(100, hostMTU, []string{"10.1.1.11/24", "fd00:1:1::11/64"}, gateways...)
	f.hosts["blue2"].attach(200, hostMTU, []string{"10.1.1.12/24", "fd00:1:1::12/64"}, gateways...)
	f.hosts["silent"].attach(200, hostMTU, []string{"10.1.1.19/24", "fd00:1:1::19/64"}, gateways...)
	f.hosts["blue3"].attach(0, hostMTU, []string{"10.1.2.13/24", "fd00:1:2::13/64"}, "10.1.2.1", "fd00:1:2::1")
	f.hosts["app1"].attach(103, hostMTU, []string{"10.1.3.14/24", "fd00:1:3::14/64"}, "10.1.3.1", "fd00:1:3::1")
	f.hosts["red1"].attach(102, hostMTU, []string{"10.1.1.11/24", "10.1.1.21/24", "fd00:1:1::21/64"}, gateways...)
	f.hosts["red2"].attach(202, hostMTU, []string{"10.1.1.22/24", "fd00:1:1::22/64"}, gateways...)
	t.Logf("switches started in %v, configured in %v", started.Sub(began), time.Since(started))
	return f
}

// configure makes the switches what the table at twoLeaves says.
func (f *fabric) configure() { f.specs(specs()) }

func specs() map[string]*v1alpha1.SwitchConfigSpec {
	web, db, app := []string{"10.1.1.1/24", "fd00:1:1::1/64"}, []string{"10.1.2.1/24", "fd00:1:2::1/64"}, []string{"10.1.3.1/24", "fd00:1:3::1/64"}
	leaf1 := underlay(4200000001, "10.255.0.1", uplink(0), uplink(1))
	leaf1.VRFs = []v1alpha1.VRFConfig{{VNI: 20001, VLAN: 3001, Owner: vpc("blue")}, {VNI: 20002, VLAN: 3002, Owner: vpc("red")}}
	leaf1.Segments = []v1alpha1.SegmentConfig{
		segment("blue", 100, 10100, 20001, web, tagged("Ethernet0")),
		segment("blue", 103, 10103, 20001, app, tagged("Ethernet12")),
		segment("red", 102, 10200, 20002, web, tagged("Ethernet8")),
	}
	leaf2 := underlay(4200000002, "10.255.0.2", uplink(0), uplink(1))
	leaf2.VRFs = []v1alpha1.VRFConfig{{VNI: 20001, VLAN: 3050, Owner: vpc("blue")}, {VNI: 20002, VLAN: 3051, Owner: vpc("red")}}
	leaf2.Segments = []v1alpha1.SegmentConfig{
		segment("blue", 200, 10100, 20001, web, tagged("Ethernet0"), tagged("Ethernet12")),
		segment("blue", 201, 10101, 20001, db, native("Ethernet4")),
		segment("red", 202, 10200, 20002, web, tagged("Ethernet8")),
	}
	return map[string]*v1alpha1.SwitchConfigSpec{
		"leaf1": leaf1, "leaf2": leaf2,
		"spine1": underlay(4200000100, "10.255.0.101", "Ethernet0", "Ethernet4"),
		"spine2": underlay(4200000101, "10.255.0.102", "Ethernet0", "Ethernet4"),
	}
}

// specs configures switches side by side.
func (f *fabric) specs(all map[string]*v1alpha1.SwitchConfigSpec) {
	f.Helper()
	var group errgroup.Group
	for name, spec := range all {
		group.Go(func() error { return f.switches[name].configure(spec) })
	}
	f.must(group.Wait())
}

const (
	// hostMTU is what fits into the fabric: 9100 bytes of the uplinks less 50 of
	// VXLAN.
	hostMTU = 9050
	// patience is for a fabric that has just been started.
	patience = time.Minute
)

// TestAFabricForwards is the life of one fabric: its steps build on each other. The lab's
// own tests are with FRR 8.
func TestAFabricForwards(t *testing.T) {
	if testing.Short() {
		t.Skip("starts four switches and seven hosts, which takes half a minute")
	}
	f := twoLeaves(t, frrtest.Ten(t))
	for _, step := range []struct {
		name string
		do   func(*testing.T, *fabric)
	}{
		{"reach", reach},
		{"leaks", leaks},
		{"silent host", silentHost},
		{"MTU", packetSizes},
		{"what is right is left alone", leftAlone},
		{"ports", portsTell},
		{"a cable between switches is pulled", uplinkPulled},
		{"a cable moves to the other leaf", cableMoved},
		{"a port is shut down", portShutDown},
		{"tagging changed in place", taggingIgnored},
		{"a VPC goes and comes", vpcAgain},
		{"FRR knows every gateway", gatewaysKnown},
		{"no mistakes so far", noMistakes},
		{"config reload", reload},
		{"VRF set again too soon", wedgedVRF},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.do(t, f) }) {
			break
		}
	}
}

// expect has one host ping what another answers at.
func (f *fabric) expect(t *testing.T, from, to string) {
	t.Helper()
	took, err := f.hosts[from].reaches(to, patience)
	if err != nil {
		t.Error(err)
		return
	}
	t.Logf("%s to %s: after %v", from, to, took.Round(time.Microsecond))
}

// expectNot has one host ping what must not answer.
func (f *fabric) expectNot(t *testing.T, from, to string) {
	t.Helper()
	for range 2 {
		if err := f.hosts[from].ping(to, 56, 200*time.Millisecond); err == nil {
			t.Errorf("%s reaches %s", from, to)
			return
		}
	}
}

func reach(t *testing.T, f *fabric) {
	for _, pair := range [][2]string{
		{"blue1", "10.1.1.1"}, {"blue2", "10.1.1.1"}, {"blue1", "fd00:1:1::1"}, {"blue2", "fd00:1:1::1"}, // gateways, on both leaves
		{"blue1", "10.1.1.12"}, {"blue1", "fd00:1:1::12"}, {"blue2", "10.1.1.11"}, // within the subnet, across leaves
		{"app1", "10.1.2.13"}, {"app1", "fd00:1:2::13"}, {"blue3", "10.1.3.14"}, // routed, neither leaf has both
		{"blue1", "10.1.2.13"}, {"blue1", "fd00:1:2::13"}, {"blue3", "10.1.1.11"}, {"blue3", "fd00:1:1::11"}, // routed, one leaf has both
		{"blue2", "10.1.2.13"}, {"blue2", "fd00:1:2::13"}, // routed on one leaf
		{"red1", "10.1.1.22"}, {"red2", "fd00:1:1::21"}, // the other VPC
	} {
		f.expect(t, pair[0], pair[1])
	}
}

func leaks(t *testing.T, f *fabric) {
	for _, pair := range [][2]string{
		{"blue1", "10.1.1.22"}, {"blue1", "10.1.1.21"}, {"blue2", "10.1.1.22"}, {"blue2", "fd00:1:1::21"}, // other VPC
		{"red1", "10.1.1.12"}, {"red2", "10.1.2.13"}, {"red1", "fd00:1:2::13"}, {"red1", "10.1.3.1"},
		{"blue1", "10.255.0.1"}, {"blue1", "10.255.0.2"}, {"blue1", "10.0.0.1"}, {"red1", "10.10.1.1"}, // default VRF
	} {
		f.expectNot(t, pair[0], pair[1])
	}
}

// silentHost pings a host that never sent anything, from another subnet, by a leaf
// that has both subnets. The leaf asks for the host's MAC address in the gateway's
// name, and the answer goes to the gateway that is nearest to the host: the other
// leaf, which has not asked. It keeps the answer, and tells the first one by BGP,
// only if grat_arp is enabled, as the agent has it.
func silentHost(t *testing.T, f *fabric) {
	f.switches["leaf2"].set(t, "VLAN_INTERFACE|Vlan200", "grat_arp", "disabled")
	f.expectNot(t, "app1", "10.1.1.19")
	f.switches["leaf2"].set(t, "VLAN_INTERFACE|Vlan200", "grat_arp", "enabled")
	f.expect(t, "app1", "10.1.1.19")
	f.expect(t, "app1", "fd00:1:1::19")
}
