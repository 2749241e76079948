package sonic

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A Balance notices what is in the way of a row, whether it was there before or
// came later.
func TestBalanceNotices(t *testing.T) {
	untagged := blue()
	untagged.ports = []VLANMember{{100, "Ethernet0", true}}
	for _, test := range []struct {
		name, before, after, gone string
		want                      tenant
		conflict                  string
	}{
		{"another untagged VLAN", "VLAN|Vlan7\nVLAN_MEMBER|Vlan7|Ethernet0 tagging_mode=untagged\n", "", "", untagged,
			"VLAN_MEMBER|Vlan100|Ethernet0: VLAN_MEMBER|Vlan7|Ethernet0 has the untagged VLAN of port Ethernet0"},
		{"a tagged one", "VLAN|Vlan7\nVLAN_MEMBER|Vlan7|Ethernet0 tagging_mode=tagged\n", "", "", untagged, ""},
		{"a routed port", "", "INTERFACE|Ethernet0\n", "", blue(),
			"VLAN_MEMBER|Vlan100|Ethernet0: INTERFACE|Ethernet0 has the port Ethernet0"},
		{"the VNI", "VXLAN_TUNNEL_MAP|other|map_10100_Vlan7 vlan=Vlan7 vni=10100\n", "", "", blue(),
			"VXLAN_TUNNEL_MAP|switchlet|map_10100_Vlan100: VXLAN_TUNNEL_MAP|other|map_10100_Vlan7 has VNI 10100 as a tunnel map"},
		{"no port", "", "", "PORT|Ethernet0", blue(), "VLAN_MEMBER|Vlan100|Ethernet0: PORT|Ethernet0 has "},
	} {
		t.Run(test.name, func(t *testing.T) {
			have := merge(parse(t, ports), leaf(), parse(t, test.before))
			for i := range 1000 { // so much that it does not look at everything
				have[Key{filler, strconv.Itoa(i)}] = nil
			}
			owned := ours(leaf())
			b := NewBalance(have, leaf(), owned)
			if p := b.Diff(nil); p.Commands()+len(p.Conflicts) > 0 {
				t.Fatalf("there is something to do already:\n%s", p)
			}
			for key, fields := range parse(t, test.after) {
				have[key] = fields
				b.Touch(key)
			}
			if key, ok := ParseKey(test.gone); ok {
				delete(have, key)
				b.Touch(key)
			}
			b.Want(leaf(test.want))
			got := ""
			for _, c := range b.Diff(nil).Conflicts {
				if c.Kind != Blocked {
					got += c.Key.String() + ": " + c.Other.String() + " has " + c.Detail
				}
			}
			if diff := cmp.Diff(test.conflict, got); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
		})
	}
}

// A port that goes takes those with it that are on it.
func TestBalanceNoticesPorts(t *testing.T) {
	have := merge(parse(t, ports), leaf(blue()))
	b := NewBalance(have, leaf(blue()), ours(leaf(blue())))
	if p := b.Diff(nil); p.Commands()+len(p.Conflicts) > 0 {
		t.Fatalf("there is something to do already:\n%s", p)
	}
	delete(have, Key{TablePort, "Ethernet0"})
	b.Touch(Key{TablePort, "Ethernet0"})
	if p := b.Diff(nil); len(p.Conflicts) != 1 || p.Conflicts[0].Kind != MissingRow {
		t.Errorf("conflicts are %v, plan\n%s", p.Conflicts, p)
	}
}
