package demo

import (
	"maps"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/cabling"
)

// mark begins the description of every VLAN that Switchlet makes; what it is of
// follows, such as "tenant-a/blue/web".
const mark = "switchlet "

// vlans are the VLANs of tenants on a switch, such as Vlan101, by what they are of.
func vlans(rows box.Rows) map[string]string {
	all := map[string]string{}
	for key, fields := range rows {
		name, isVLAN := strings.CutPrefix(key, "VLAN|")
		if of, ours := strings.CutPrefix(fields["description"], mark); isVLAN && ours {
			all[of] = name
		}
	}
	return all
}

// carried is what a port of a switch carries: the VLANs of tenants, by what they are
// of, and whether they are tagged.
func carried(rows box.Rows, port string) map[string]string {
	all := map[string]string{}
	for of, vlan := range vlans(rows) {
		if member, ok := rows["VLAN_MEMBER|"+vlan+"|"+port]; ok {
			all[of] = member["tagging_mode"]
		}
	}
	return all
}

// moved is what the rows have to become once a cable leads to another port: that
// carries what the one before did, and VLANs that have lost their last port on a
// switch are gone from it.
func (r rows) moved(from, to cabling.End) rows {
	after := rows{}
	for name, rows := range r {
		after[name] = maps.Clone(rows)
	}
	there := vlans(r[to.Node])
	for of, mode := range carried(r[from.Node], from.Port) {
		after[to.Node]["VLAN_MEMBER|"+there[of]+"|"+to.Port] = map[string]string{"tagging_mode": mode}
		vlan := vlans(r[from.Node])[of]
		delete(after[from.Node], "VLAN_MEMBER|"+vlan+"|"+from.Port)
		if !used(after[from.Node], vlan) {
			maps.DeleteFunc(after[from.Node], func(key string, fields map[string]string) bool { return concerns(key, fields, vlan) })
		}
	}
	return after
}

// used says whether a VLAN has a port.
func used(rows box.Rows, vlan string) bool {
	for key := range rows {
		if strings.HasPrefix(key, "VLAN_MEMBER|"+vlan+"|") {
			return true
		}
	}
	return false
}

// concerns says whether a row is of a VLAN.
func concerns(key string, fields map[string]string, vlan string) bool {
	return fields["vlan"] == vlan || slices.Contains(strings.Split(key, "|"), vlan)
}

// without are the rows without those of a tenant, whose VPCs are all in one
// namespace.
func (r rows) without(namespace string) rows {
	rest := rows{}
	for name, rows := range r {
		rest[name] = maps.Clone(rows)
		for of, vlan := range vlans(rows) {
			if !strings.HasPrefix(of, namespace+"/") {
				continue
			}
			delete(rest[name], "VRF|"+rows["VLAN_INTERFACE|"+vlan]["vrf_name"])
			maps.DeleteFunc(rest[name], func(key string, fields map[string]string) bool { return concerns(key, fields, vlan) })
		}
	}
	return rest
}
