package swss

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// inPlace are the fields that a daemon does not change in a row that is there,
// by table, and what it does instead.
func inPlace(table string) map[string]string {
	switch table {
	case "VLAN_MEMBER":
		return map[string]string{"tagging_mode": "vlanmgrd does not look at it"}
	case "VLAN_INTERFACE", "INTERFACE", "PORTCHANNEL_INTERFACE", "LOOPBACK_INTERFACE":
		return map[string]string{"vrf_name": "intfmgrd refuses it"}
	case "VXLAN_TUNNEL":
		return map[string]string{"src_ip": "orchagent keeps the old one"}
	case "VXLAN_EVPN_NVO":
		return map[string]string{"source_vtep": "vxlanmgrd refuses a second NVO"}
	case "VXLAN_TUNNEL_MAP":
		return map[string]string{"vlan": "vxlanmgrd has the map already", "vni": "vxlanmgrd has the map already"}
	case "PORT":
		return map[string]string{"lanes": "the port is not made anew"}
	}
	return nil
}

// defaults are the fields that a daemon keeps when they are removed, with the
// values at which that makes no difference. Everything else without a default
// is noticed by its reader or has none here.
func defaults(table string) map[string]string {
	switch table {
	case "VLAN":
		return map[string]string{"mtu": "9100", "admin_status": "up", "mac": ""}
	case "PORT":
		return map[string]string{"mtu": "9100", "admin_status": "down", "speed": "", "fec": "none", "autoneg": "off"}
	case "VRF":
		return map[string]string{"vni": "0", "fallback": "false"}
	case "VLAN_INTERFACE", "INTERFACE", "PORTCHANNEL_INTERFACE":
		return map[string]string{
			"static_anycast_gateway": "false", "mac_addr": "", "proxy_arp": "disabled", "grat_arp": "disabled",
			"mpls": "disable", "nat_zone": "0", "ipv6_use_link_local_only": "disable", "loopback_action": "forward",
		}
	case "PORTCHANNEL":
		return map[string]string{"mtu": "9100", "admin_status": "up", "min_links": "1", "fast_rate": "false", "fallback": "false"}
	}
	return nil
}

// judgeChange looks at what changed in a row.
func (d *Daemons) judgeChange(table, key string, before, after Row) {
	fixed, kept := inPlace(table), defaults(table)
	for _, name := range slices.Sorted(maps.Keys(before)) {
		old := before[name]
		value, there := after[name]
		if there && value == old {
			continue
		}
		why, immutable := fixed[name]
		normal, keeps := kept[name]
		switch {
		case immutable:
			d.blame(Ignored, key, "%s is to become %q in place of %q: %s", name, value, old, why)
		case !there && keeps && old != normal:
			d.blame(NoEffect, key, "%s removed: the daemon keeps %q", name, old)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fixed)) {
		if value, there := after[name]; there {
			if _, was := before[name]; !was && name == "vrf_name" {
				d.blame(Ignored, key, "%s is to become %q in place of none: %s", name, value, fixed[name])
			}
		}
	}
	if old, vni := mappedVNI(before), mappedVNI(after); table == "VRF" && old != "" && vni != "" && old != vni {
		d.blame(Ignored, key, "vni is to become %s in place of %s: vrfmgrd refuses it, write 0 first and wait", vni, old)
	}
	if vni := mappedVNI(before); table == "VRF" && vni != "" && vni == mappedVNI(after) {
		d.blame(Ignored, key, "changed while vni is %s: vrfmgrd takes the VNI for taken and drops the row", vni)
	}
	d.judgeFields(table, key, after)
}

// judgeNew looks at a row that was not there.
func (d *Daemons) judgeNew(table, name string, row Row) {
	key := table + "|" + name
	d.judgeFields(table, key, row)
	switch table {
	case "VRF":
		if !strings.HasPrefix(name, "Vrf") || len(name) > 15 {
			d.blame(BadRow, key, "a VRF's name begins with Vrf and has at most 15 bytes")
		}
	case "VXLAN_TUNNEL":
		// The netdev's name is NAME-VLANID; orchagent looks for Vrf in keys.
		if len(name) > 10 || strings.Contains(name, "Vrf") {
			d.blame(BadRow, key, "a VTEP's name has at most 10 bytes and no Vrf in it")
		}
		if len(d.vxlanmgr.tunnels) >= 2 {
			d.blame(Refused, key, "there are two tunnels already")
		}
	case "VXLAN_EVPN_NVO":
		for nvo := range d.vxlanmgr.nvos {
			if nvo != name {
				d.blame(Refused, key, "there is the NVO %s already", nvo)
			}
		}
	case "VXLAN_TUNNEL_MAP":
		d.judgeMap(key, name, row)
	case "VLAN_INTERFACE", "INTERFACE", "PORTCHANNEL_INTERFACE", "LOOPBACK_INTERFACE":
		d.judgePrefix(key, name)
	}
}

func (d *Daemons) judgeMap(key, name string, row Row) {
	_, rest, _ := strings.Cut(name, "|")
	if parts := strings.Split(rest, "_"); len(parts) != 3 || parts[1] != row["vni"] {
		d.blame(BadRow, key, "orchagent takes the VNI from a key of the form map_VNI_VlanN")
	}
	for _, other := range d.vxlanmgr.rivals(row["vlan"], row["vni"]) {
		if other == strings.ReplaceAll(name, "|", ":") {
			continue
		}
		kind, format := Refused, "%s has the VLAN or the VNI already"
		if !d.catalog.has("VXLAN_TUNNEL_MAP|" + strings.Replace(other, ":", "|", 1)) {
			kind, format = NotWaited, "%s, which was deleted, has the VLAN or the VNI still"
		}
		d.blame(kind, key, format, other)
	}
}

// judgePrefix looks for a prefix that overlaps with another of its VRF.
func (d *Daemons) judgePrefix(key, name string) {
	alias, text, more := strings.Cut(name, "|")
	prefix, err := netip.ParsePrefix(text)
	if !more {
		return
	}
	if err != nil {
		d.blame(BadRow, key, "%q is no prefix", text)
		return
	}
	if other := d.orch.overlap(alias, prefix); other != "" {
		d.blame(Overlap, key, "overlaps with %s of the same VRF", other)
	}
}

// judgeFields looks for fields that break the row for orchagent.
func (d *Daemons) judgeFields(table, key string, row Row) {
	if table != "VRF" {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(row)) {
		if !knownVRFField(name) {
			d.blame(BadRow, key, "VRFOrch does not know the field %s and drops the row", name)
		}
	}
	vni := mappedVNI(row)
	if owner, ok := d.vrfmgr.owner[vni]; ok && "VRF|"+owner != key && vni != "" {
		d.blame(Refused, key, "vni %s is that of %s", vni, owner)
	}
}

// knownVRFField reports whether VRFOrch's request parser knows a field
// (orchagent/vrforch.h).
func knownVRFField(name string) bool {
	switch name {
	case "v4", "v6", "src_mac", "ttl_action", "ip_opt_action", "l3_mc_action", "fallback", "vni",
		"mgmtVrfEnabled", "in_band_mgmt_enabled", "NULL":
		return true
	}
	return false
}
