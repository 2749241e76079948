package swss

import (
	"slices"
	"strings"
)

const daemonVXLAN = "vxlanmgrd"

// vxlanmgrd makes the kernel's VXLAN devices and passes tunnels and maps on
// (sonic-swss cfgmgr/vxlanmgr.cpp).
type vxlanmgrd struct {
	d       *Daemons
	tunnels map[string]bool
	nvos    map[string]string // their VTEPs
	maps    map[string]vlanMap
	byVLAN  map[string]string // VLAN → map
	byVNI   map[string]string // VNI → map
}

// vlanMap is a row of VXLAN_TUNNEL_MAP that was accepted.
type vlanMap struct{ tunnel, vlan, vni string }

func newVxlanmgrd(d *Daemons) *vxlanmgrd {
	m := &vxlanmgrd{d, map[string]bool{}, map[string]string{}, map[string]vlanMap{}, map[string]string{}, map[string]string{}}
	d.manage(daemonVXLAN, "VXLAN_TUNNEL", m.setTunnel, m.delTunnel)
	d.manage(daemonVXLAN, "VXLAN_EVPN_NVO", m.setNVO, m.delNVO)
	d.manage(daemonVXLAN, "VXLAN_TUNNEL_MAP", m.setMap, m.delMap)
	return m
}

func (m *vxlanmgrd) setTunnel(name string, row Row) bool {
	m.tunnels[name] = true
	m.d.orch.produce("VXLAN_TUNNEL_TABLE", name, row)
	return true
}

func (m *vxlanmgrd) delTunnel(name string) bool {
	for _, vtep := range m.nvos {
		if vtep == name {
			return false
		}
	}
	if m.mapsOf(name) > 0 {
		return false
	}
	if m.tunnels[name] {
		m.d.orch.remove("VXLAN_TUNNEL_TABLE", name)
	}
	delete(m.tunnels, name)
	return true
}

func (m *vxlanmgrd) mapsOf(tunnel string) int {
	n := 0
	for _, entry := range m.maps {
		if entry.tunnel == tunnel {
			n++
		}
	}
	return n
}

func (m *vxlanmgrd) setNVO(name string, row Row) bool {
	if len(m.nvos) > 0 {
		m.d.err(daemonVXLAN, "Only Single NVO object allowed")
		return true
	}
	if !m.tunnels[row["source_vtep"]] {
		m.d.err(daemonVXLAN, "NVO %s creation failed. VTEP not present", name)
		return false
	}
	m.nvos[name] = row["source_vtep"]
	m.d.orch.produce("VXLAN_EVPN_NVO_TABLE", name, row)
	return true
}

func (m *vxlanmgrd) delNVO(name string) bool {
	vtep, ok := m.nvos[name]
	if !ok {
		m.d.err(daemonVXLAN, "NVOdeletion NVO : %s not found", name)
		return true
	}
	if m.mapsOf(vtep) > 0 {
		return false
	}
	delete(m.nvos, name)
	m.d.orch.remove("VXLAN_EVPN_NVO_TABLE", name)
	return true
}

func (m *vxlanmgrd) setMap(name string, row Row) bool {
	key := strings.ReplaceAll(name, "|", ":")
	tunnel, _, _ := strings.Cut(name, "|")
	vlan, vni := row["vlan"], row["vni"]
	switch {
	case m.maps[key] != vlanMap{}:
		m.d.err(daemonVXLAN, "Map already present : %s", key)
		return true
	case m.byVLAN[vlan] != "":
		m.d.err(daemonVXLAN, "Vlan %s already mapped. Map Create failed for : %s", vlan, key)
		return true
	case m.byVNI[vni] != "":
		m.d.err(daemonVXLAN, "VNI %s already mapped. Map Create failed for : %s", vni, key)
		return true
	case !m.tunnels[tunnel] || !m.d.db.has(StateDB, "VLAN_TABLE|"+vlan):
		return false
	}
	m.maps[key] = vlanMap{tunnel, vlan, vni}
	m.byVLAN[vlan], m.byVNI[vni] = key, key
	m.d.orch.produce("VXLAN_TUNNEL_MAP_TABLE", key, row)
	m.d.db.set(StateDB, "SUPPRESS_VLAN_NEIGH_TABLE|"+vlan, Row{"netdev": tunnel + "-" + strings.TrimPrefix(vlan, "Vlan")})
	return true
}

func (m *vxlanmgrd) delMap(name string) bool {
	key := strings.ReplaceAll(name, "|", ":")
	entry, ok := m.maps[key]
	if !ok {
		m.d.err(daemonVXLAN, "Error deleting tunnmap : %s", key)
		return true
	}
	delete(m.maps, key)
	delete(m.byVLAN, entry.vlan)
	delete(m.byVNI, entry.vni)
	m.d.orch.remove("VXLAN_TUNNEL_MAP_TABLE", key)
	m.d.db.del(StateDB, "SUPPRESS_VLAN_NEIGH_TABLE|"+entry.vlan)
	return true
}

// rivals are the maps that have a VLAN or a VNI.
func (m *vxlanmgrd) rivals(vlan, vni string) []string {
	var keys []string
	for _, key := range []string{m.byVLAN[vlan], m.byVNI[vni]} {
		if key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}
