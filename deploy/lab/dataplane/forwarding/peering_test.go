package forwarding

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/frrtest"
)

func TestPeering(t *testing.T) { frrtest.OnEach(t, testPeering) }

// testPeering is the life of a peering between VPCs blue and red.
//
//	          leaf1                                leaf2
//	blue1     Ethernet0 VLAN 100 web  10.1.1.0/24
//	blue9     Ethernet4 VLAN 101 db   10.1.9.0/24, which blue does not show
//	iso1      Ethernet8 VLAN 102 iso  10.1.7.0/24  Ethernet8 VLAN 202   iso2
//	red1      Ethernet12 VLAN 103     10.2.1.0/24  Ethernet0 VLAN 200   red2
//	          (only where local)
func testPeering(t *testing.T, release frrtest.Release) {
	if testing.Short() {
		t.Skip("starts three switches and six hosts, which takes half a minute")
	}
	f := newFabric(t, release, 2, 1, "blue1", "blue9", "iso1", "iso2", "red1", "red2")
	for _, cable := range [][2]string{
		{"blue1/eth1", "leaf1/Ethernet0"}, {"blue9/eth1", "leaf1/Ethernet4"}, {"iso1/eth1", "leaf1/Ethernet8"}, {"red1/eth1", "leaf1/Ethernet12"},
		{"red2/eth1", "leaf2/Ethernet0"}, {"iso2/eth1", "leaf2/Ethernet8"},
	} {
		f.plug(cable[0], cable[1])
	}
	f.specs(peeringSpecs(peeringScene{}))
	f.hosts["blue1"].attach(100, hostMTU, []string{"10.1.1.11/24", "fd00:1:1::11/64"}, "10.1.1.1", "fd00:1:1::1")
	f.hosts["blue9"].attach(101, hostMTU, []string{"10.1.9.19/24", "fd00:1:9::19/64"}, "10.1.9.1", "fd00:1:9::1")
	f.hosts["iso1"].attach(102, hostMTU, []string{"10.1.7.17/24", "fd00:1:7::17/64"}, "10.1.7.1", "fd00:1:7::1")
	f.hosts["iso2"].attach(202, hostMTU, []string{"10.1.7.18/24", "fd00:1:7::18/64"}, "10.1.7.1", "fd00:1:7::1")
	f.hosts["red1"].attach(103, hostMTU, []string{"10.2.1.21/24", "fd00:2:1::21/64"}, "10.2.1.1", "fd00:2:1::1")
	f.hosts["red2"].attach(200, hostMTU, []string{"10.2.1.22/24", "fd00:2:1::22/64"}, "10.2.1.1", "fd00:2:1::1")
	for _, step := range []struct {
		name string
		do   func(*testing.T, *fabric)
	}{
		{"isolated", isolated},
		{"not peering", notPeering},
		{"peering", peering},
		{"both on one leaf", peeringOnOneLeaf},
		{"not peering any more", peeringEnds},
		{"isolation goes and comes", isolationChanges},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.do(t, f) }) {
			break
		}
	}
}

// peeringScene is what differs between the steps.
type peeringScene struct{ peering, local, joined bool }

func peeringSpecs(s peeringScene) map[string]*v1alpha1.SwitchConfigSpec {
	web, db, red := []string{"10.1.1.1/24", "fd00:1:1::1/64"}, []string{"10.1.9.1/24", "fd00:1:9::1/64"}, []string{"10.2.1.1/24", "fd00:2:1::1/64"}
	var iso []string
	if s.joined {
		iso = []string{"10.1.7.1/24", "fd00:1:7::1/64"}
	}
	leaf1, leaf2 := underlay(4200000001, "10.255.0.1", uplink(0)), underlay(4200000002, "10.255.0.2", uplink(0))
	leaf1.Segments = []v1alpha1.SegmentConfig{
		segment("blue", 100, 10100, 20001, web, tagged("Ethernet0")),
		segment("blue", 101, 10109, 20001, db, tagged("Ethernet4")),
		segment("blue", 102, 10107, 20001, iso, tagged("Ethernet8")),
	}
	leaf2.Segments = []v1alpha1.SegmentConfig{
		segment("red", 200, 10200, 20002, red, tagged("Ethernet0")),
		segment("blue", 202, 10107, 20001, iso, tagged("Ethernet8")),
	}
	blue := func(vlan int32) v1alpha1.VRFConfig {
		return v1alpha1.VRFConfig{VNI: 20001, VLAN: vlan, Owner: vpc("blue")}
	}
	ofRed := func(vlan int32) v1alpha1.VRFConfig {
		return v1alpha1.VRFConfig{VNI: 20002, VLAN: vlan, Owner: vpc("red")}
	}
	leaf1.VRFs, leaf2.VRFs = []v1alpha1.VRFConfig{blue(3001)}, []v1alpha1.VRFConfig{blue(3050), ofRed(3051)}
	if s.local {
		leaf1.Segments = append(leaf1.Segments, segment("red", 103, 10200, 20002, red, tagged("Ethernet12")))
	}
	if s.peering || s.local {
		leaf1.VRFs = append(leaf1.VRFs, ofRed(3002))
	}
	if s.peering {
		fromRed := []v1alpha1.VRFImport{{VRF: 20002, Prefixes: []string{"10.2.1.0/24", "fd00:2:1::/64"}, Owner: peeringRef("red")}}
		fromBlue := []v1alpha1.VRFImport{{VRF: 20001, Prefixes: []string{"10.1.1.0/24", "fd00:1:1::/64"}, Owner: peeringRef("blue")}}
		leaf1.VRFs[0].Imports, leaf2.VRFs[1].Imports = fromRed, fromBlue
		if s.local {
			leaf1.VRFs[1].Imports = fromBlue
		}
	}
	return map[string]*v1alpha1.SwitchConfigSpec{
		"leaf1": leaf1, "leaf2": leaf2, "spine1": underlay(4200000100, "10.255.0.101", "Ethernet0", "Ethernet4"),
	}
}

func peeringRef(name string) v1alpha1.ObjectReference {
	return v1alpha1.ObjectReference{Kind: v1alpha1.KindVPCPeering, Namespace: "team", Name: name}
}

// peer pings both ways and in both families, or wants silence.
func peer(t *testing.T, f *fabric, reach bool, hosts ...string) {
	t.Helper()
	addresses := map[string][]string{
		"blue1": {"10.1.1.11", "fd00:1:1::11"}, "blue9": {"10.1.9.19", "fd00:1:9::19"}, "iso1": {"10.1.7.17", "fd00:1:7::17"}, "iso2": {"10.1.7.18", "fd00:1:7::18"},
		"red1": {"10.2.1.21", "fd00:2:1::21"}, "red2": {"10.2.1.22", "fd00:2:1::22"},
	}
	for _, from := range hosts {
		for _, to := range hosts {
			for _, address := range addresses[to] {
				if from == to {
					continue
				}
				if reach {
					f.expect(t, from, address)
				} else {
					f.expectNot(t, from, address)
				}
			}
		}
	}
}

// isolated: hosts of the subnet reach each other and nobody else, not even a gateway.
func isolated(t *testing.T, f *fabric) {
	peer(t, f, true, "blue1", "blue9")
	peer(t, f, true, "iso1", "iso2")
	for _, other := range []string{"blue1", "blue9", "red2"} {
		peer(t, f, false, "iso1", other)
	}
	for _, gateway := range []string{"10.1.7.1", "10.1.1.1", "10.255.0.1", "fd00:1:1::1"} {
		f.expectNot(t, "iso1", gateway)
	}
}

func notPeering(t *testing.T, f *fabric) {
	peer(t, f, false, "blue1", "red2")
	peer(t, f, false, "blue9", "red2")
}

// peering: what both show reaches each other. What blue does not show gets no answer,
// and what each leaf takes over it tells to nobody.
func peering(t *testing.T, f *fabric) {
	f.specs(peeringSpecs(peeringScene{peering: true}))
	peer(t, f, true, "blue1", "red2")
	peer(t, f, true, "blue1", "blue9")
	peer(t, f, false, "blue9", "red2")
	peer(t, f, false, "iso1", "red2")
	f.tellsNobody(t, "leaf2", "10.255.0.1:63001", "10.2.1.0")
	f.tellsNobody(t, "leaf1", "10.255.0.2:63051", "10.1.1.0")
}

// tellsNobody: a switch has not heard of a network by the VRF of another switch that
// took it over.
func (f *fabric) tellsNobody(t *testing.T, at, rd, network string) {
	t.Helper()
	answer, err := f.switches[at].frr.ask(t.Context(), "bgpd", "show bgp l2vpn evpn rd "+rd)
	if err != nil || !strings.Contains(answer, "[5]:") {
		t.Fatalf("%s knows nothing of %s: %v\n%s", at, rd, err, answer)
	}
	if strings.Contains(answer, network) {
		t.Errorf("%s hears of %s by way of %s:\n%s", at, network, rd, answer)
	}
}

func peeringOnOneLeaf(t *testing.T, f *fabric) {
	f.specs(peeringSpecs(peeringScene{peering: true, local: true}))
	peer(t, f, true, "red1", "red2")
	peer(t, f, true, "blue1", "red1")
	peer(t, f, true, "blue1", "red2")
	peer(t, f, false, "blue9", "red1")
	peer(t, f, false, "blue9", "red2")
	f.tellsNobody(t, "leaf2", "10.255.0.1:63001", "10.2.1.0")
	f.tellsNobody(t, "leaf2", "10.255.0.1:63002", "10.1.1.0")
}

// peeringEnds: one side is deleted, which takes it from all switches.
func peeringEnds(t *testing.T, f *fabric) {
	f.withdrawAll(t, peeringSpecs(peeringScene{local: true}))
	peer(t, f, false, "blue1", "red1")
	peer(t, f, false, "blue1", "red2")
	peer(t, f, true, "red1", "red2")
	f.withdrawAll(t, peeringSpecs(peeringScene{}))
	peer(t, f, false, "blue1", "red2")
	peer(t, f, true, "blue1", "blue9")
}

func (f *fabric) withdrawAll(t *testing.T, all map[string]*v1alpha1.SwitchConfigSpec) {
	t.Helper()
	began := time.Now()
	var group errgroup.Group
	for name, spec := range all {
		group.Go(func() error { return f.switches[name].withdraw(spec) })
	}
	f.must(group.Wait())
	t.Logf("withdrawn in %v", time.Since(began))
}

// isolationChanges: an isolated subnet gets its gateway and loses it again.
func isolationChanges(t *testing.T, f *fabric) {
	f.specs(peeringSpecs(peeringScene{joined: true}))
	peer(t, f, true, "iso1", "blue1")
	peer(t, f, true, "iso2", "blue1")
	peer(t, f, false, "iso1", "red2")
	f.withdrawAll(t, peeringSpecs(peeringScene{}))
	isolated(t, f)
}
