package dataplane

import (
	"strings"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// Whatever rows there are, devices come of them that have names and can be made one
// after the other.
func FuzzWanted(f *testing.F) {
	f.Add("PORT_TABLE:Ethernet0 admin_status=up mtu=9100\nVLAN_TABLE:Vlan100 mtu=x\nVLAN_MEMBER_TABLE:Vlan100:Ethernet0 tagging_mode=tagged\n",
		"VLAN_TABLE|Vlan100\nVLAN_MEMBER_TABLE|Vlan100|Ethernet0")
	f.Add("PORT_TABLE:Ethernet0\nINTF_TABLE:Vlan100:10.0.0.1/24\nINTF_TABLE:Vlan100\nINTF_TABLE:Loopback1\nVRF_TABLE:Vrf1", "INTERFACE_TABLE|Loopback1")
	f.Add("PORT_TABLE:x\nVXLAN_TUNNEL_MAP_TABLE:a:b vlan=Vlan1 vni=-1\nVXLAN_TUNNEL_TABLE:a src_ip=::\nVLAN_TABLE:Vlan1\nVLAN_TABLE:Vlan01",
		"SUPPRESS_VLAN_NEIGH_TABLE|Vlan1\nVLAN_TABLE|Vlan1\nVLAN_TABLE|Vlan01")
	f.Fuzz(func(t *testing.T, appl, state string) {
		want := Wanted(rowsOf(appl), rowsOf(state), mac)
		have := Devices{}
		for name, d := range want {
			if d.Kind == "" {
				t.Errorf("%q is of no kind", name)
			}
		}
		for _, step := range Diff(have, want) {
			if step.String() == "" {
				t.Errorf("%+v is nothing", step)
			}
		}
	})
}

func rowsOf(text string) Rows {
	rows := Rows{}
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 {
			rows[words[0]] = swss.Row{}
			for _, word := range words[1:] {
				name, value, _ := strings.Cut(word, "=")
				rows[words[0]][name] = value
			}
		}
	}
	return rows
}
