package plan

import (
	"net/netip"
	"testing"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// A switch tries a revision once, so all that BGP is has to be in it.
func TestRevisionCoversBGP(t *testing.T) {
	base := v1alpha1.BGP{ASN: 65001, Uplinks: []string{"Ethernet48"}, Neighbors: []v1alpha1.BGPNeighbor{{Address: "10.0.0.1"}}}
	seen := map[string]string{}
	for name, edit := range map[string]func(*v1alpha1.SwitchConfigSpec){
		"nothing":     func(*v1alpha1.SwitchConfigSpec) {},
		"own uplink":  func(s *v1alpha1.SwitchConfigSpec) { s.Uplinks = []string{"Ethernet48"} },
		"no BGP":      func(s *v1alpha1.SwitchConfigSpec) { s.BGP = nil },
		"ASN":         func(s *v1alpha1.SwitchConfigSpec) { s.BGP.ASN++ },
		"router id":   func(s *v1alpha1.SwitchConfigSpec) { s.BGP.RouterID = "10.255.0.2" },
		"uplink":      func(s *v1alpha1.SwitchConfigSpec) { s.BGP.Uplinks = nil },
		"neighbour":   func(s *v1alpha1.SwitchConfigSpec) { s.BGP.Neighbors[0].Address = "10.0.0.2" },
		"description": func(s *v1alpha1.SwitchConfigSpec) { s.BGP.Neighbors[0].Description = "spine" },
	} {
		sw := &v1alpha1.Switch{Spec: v1alpha1.SwitchSpec{BGP: &base}}
		spec := v1alpha1.SwitchConfigSpec{BGP: uplinks{}.bgp(Inputs{}, sw, netip.MustParseAddr("10.255.0.1"))}
		edit(&spec)
		if other, ok := seen[revision(spec)]; ok {
			t.Errorf("%s and %s have the same revision", name, other)
		}
		seen[revision(spec)] = name
	}
	if base.Neighbors[0].Address != "10.0.0.1" {
		t.Error("the spec shares memory with the Switch")
	}
}
