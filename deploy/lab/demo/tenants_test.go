package demo

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/cabling"
)

// tenant are the rows of a subnet with its VPC on a switch, at some ports.
func tenant(vlan, of, vrf string, ports ...string) box.Rows {
	rows := box.Rows{
		"VLAN|" + vlan:                         {"vlanid": vlan[4:], "description": "switchlet " + of},
		"VXLAN_TUNNEL_MAP|switchlet|m_" + vlan: {"vlan": vlan, "vni": "1" + vlan[4:]},
		"VLAN_INTERFACE|" + vlan:               {"vrf_name": vrf},
		"VLAN_INTERFACE|" + vlan + "|10.1.0.1": {"NULL": "NULL"},
		"VRF|" + vrf:                           {"vni": vrf[3:]},
	}
	for _, port := range ports {
		rows["VLAN_MEMBER|"+vlan+"|"+port] = map[string]string{"tagging_mode": "tagged"}
	}
	return rows
}

func join(parts ...box.Rows) box.Rows {
	all := box.Rows{"VLAN|Vlan10": {"vlanid": "10", "description": "by hand"}, "VLAN_MEMBER|Vlan10|Ethernet0": {"tagging_mode": "untagged"}}
	for _, part := range parts {
		for key, fields := range part {
			all[key] = fields
		}
	}
	return all
}

func TestCarried(t *testing.T) {
	rows := join(tenant("Vlan101", "a/blue/web", "Vrf1", "Ethernet0"), tenant("Vlan102", "a/blue/db", "Vrf1", "Ethernet4"))
	if diff := cmp.Diff(map[string]string{"a/blue/web": "tagged"}, carried(rows, "Ethernet0")); diff != "" {
		t.Errorf("what Ethernet0 carries (-want +got):\n%s", diff)
	}
}

// A cable takes its VLANs with it: the id is another one on each switch.
func TestMoved(t *testing.T) {
	before := rows{
		"leaf1": join(tenant("Vlan101", "a/blue/web", "Vrf1", "Ethernet0"), tenant("Vlan102", "a/blue/db", "Vrf1", "Ethernet4"),
			tenant("Vlan103", "b/red/app", "Vrf2", "Ethernet0", "Ethernet4")),
		"leaf2": join(tenant("Vlan201", "a/blue/web", "Vrf1", "Ethernet0"), tenant("Vlan203", "b/red/app", "Vrf2", "Ethernet0")),
	}
	want := rows{
		"leaf1": join(tenant("Vlan102", "a/blue/db", "Vrf1", "Ethernet4"), tenant("Vlan103", "b/red/app", "Vrf2", "Ethernet4")),
		"leaf2": join(tenant("Vlan201", "a/blue/web", "Vrf1", "Ethernet0", "Ethernet8"), tenant("Vlan203", "b/red/app", "Vrf2", "Ethernet0", "Ethernet8")),
	}
	got := before.moved(cabling.End{Node: "leaf1", Port: "Ethernet0"}, cabling.End{Node: "leaf2", Port: "Ethernet8"})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows after the move (-want +got):\n%s", diff)
	}
}

func TestWithoutATenant(t *testing.T) {
	blue := tenant("Vlan101", "a/blue/web", "Vrf1", "Ethernet0")
	both := rows{"leaf1": join(blue, tenant("Vlan103", "b/red/app", "Vrf2", "Ethernet0"), tenant("Vlan104", "b/red", "Vrf2")), "spine1": join()}
	if diff := cmp.Diff(rows{"leaf1": join(blue), "spine1": join()}, both.without("b")); diff != "" {
		t.Errorf("rows without those of tenant b (-want +got):\n%s", diff)
	}
}
