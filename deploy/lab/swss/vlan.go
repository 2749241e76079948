package swss

import (
	"cmp"
	"strings"
)

const daemonVLAN = "vlanmgrd"

// vlanmgrd makes VLANs and members of the kernel's bridge
// (sonic-swss cfgmgr/vlanmgr.cpp).
type vlanmgrd struct {
	d       *Daemons
	vlans   map[string]bool
	members map[string]map[string]bool // of a VLAN
	vlansOf map[string]map[string]bool // of a port
}

func newVlanmgrd(d *Daemons) *vlanmgrd {
	m := &vlanmgrd{d, map[string]bool{}, map[string]map[string]bool{}, map[string]map[string]bool{}}
	d.manage(daemonVLAN, "VLAN", m.setVLAN, m.delVLAN)
	d.manage(daemonVLAN, "VLAN_MEMBER", m.setMember, m.delMember)
	return m
}

func (m *vlanmgrd) setVLAN(name string, row Row) bool {
	if !isVLAN(name) {
		m.d.err(daemonVLAN, "Invalid key format. No 'Vlan' prefix: %s", name)
		return true
	}
	m.vlans[name] = true
	m.d.orch.produce("VLAN_TABLE", name, Row{
		"admin_status": cmp.Or(row["admin_status"], "up"), "mtu": cmp.Or(row["mtu"], "9100"),
		"mac": cmp.Or(row["mac"], m.d.mac), "host_ifname": row["host_ifname"],
	})
	m.d.db.set(StateDB, "VLAN_TABLE|"+name, Row{"state": "ok"})
	return true
}

// delVLAN takes the kernel's device away although members may be left.
func (m *vlanmgrd) delVLAN(name string) bool {
	if !m.vlans[name] {
		m.d.err(daemonVLAN, "%s doesn't exist", name)
		return true
	}
	delete(m.vlans, name)
	m.d.orch.remove("VLAN_TABLE", name)
	m.d.db.del(StateDB, "VLAN_TABLE|"+name)
	return true
}

func (m *vlanmgrd) setMember(name string, row Row) bool {
	vlan, port, _ := strings.Cut(name, "|")
	if m.members[vlan][port] {
		return true // whatever changed
	}
	if !m.vlans[vlan] || !m.d.portReady(port) {
		return false
	}
	mode := cmp.Or(row["tagging_mode"], "untagged")
	if mode != "untagged" && mode != "tagged" && mode != "priority_tagged" {
		m.d.err(daemonVLAN, "Wrong tagging_mode '%s' for key: %s", mode, name)
		return true
	}
	addTo(m.members, vlan, port)
	addTo(m.vlansOf, port, vlan)
	m.d.orch.produce("VLAN_MEMBER_TABLE", vlan+":"+port, row)
	m.d.db.set(StateDB, "VLAN_MEMBER_TABLE|"+name, Row{"state": "ok"})
	return true
}

func (m *vlanmgrd) delMember(name string) bool {
	vlan, port, _ := strings.Cut(name, "|")
	if m.members[vlan][port] {
		removeFrom(m.members, vlan, port)
		removeFrom(m.vlansOf, port, vlan)
		m.d.orch.remove("VLAN_MEMBER_TABLE", vlan+":"+port)
		m.d.db.del(StateDB, "VLAN_MEMBER_TABLE|"+name)
	}
	return true
}

// memberOf is one of the members that a port is, or "".
func (m *vlanmgrd) memberOf(port string) string {
	if vlan := least(m.vlansOf[port]); vlan != "" {
		return vlan + "|" + port
	}
	return ""
}

// portReady reports whether a port's or port channel's device is there.
func (d *Daemons) portReady(name string) bool {
	if isLAG(name) {
		return d.db.has(StateDB, "LAG_TABLE|"+name)
	}
	return d.db.of[StateDB]["PORT_TABLE|"+name]["state"] == "ok"
}
