package sonic

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// Whatever rows a switch has, they are read and compared without harm, and
// those of others stay.
func FuzzRows(f *testing.F) {
	f.Add(ports + leaf(blue()).String())
	f.Add("VLAN|Vlan100 vlanid=100\nLOOPBACK_INTERFACE|Loopback1 vrf_name=Vrf20001\nVRF|Vrf20001 vni=20001\nVXLAN_TUNNEL_MAP|switchlet|map_20001_Vlan3001 vni=20001")
	f.Add("VLAN_INTERFACE|Vlan100|\nVLAN_MEMBER|\nVLAN|Vlan\xff\nPORTCHANNEL_MEMBER||\nINTERFACE|Ethernet0|x\nLOOPBACK_INTERFACE|Loopback9|10.255.0.1/32")
	f.Fuzz(func(t *testing.T, text string) {
		have := DB{}
		for line := range strings.Lines(text) {
			words := strings.Fields(line)
			if len(words) == 0 {
				continue
			}
			key, ok := ParseKey(words[0])
			if !ok {
				continue
			}
			var pairs []string
			for _, word := range words[1:] {
				name, value, _ := strings.Cut(word, "=")
				pairs = append(pairs, name, value)
			}
			have[key] = NewFields(pairs...)
		}
		want := leaf(blue())
		owned := Adopt(have, want)
		Ports(have, owned.Has)
		Metadata(have)
		after := maps.Clone(have)
		plan := Diff(have, want, owned)
		for _, stage := range plan.Stages {
			after.Apply(stage.Commands...)
		}
		for key, fields := range have {
			there, ok := after[key]
			if !owned.Has(key) && (!ok || !slices.Equal(there, fields)) {
				t.Errorf("%s was %v and is %v\n%s", key, fields, there, plan)
			}
		}
	})
}
