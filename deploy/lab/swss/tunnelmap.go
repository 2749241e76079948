package swss

import "strings"

func (o *orchagent) setVLANMap(key string, row Row) bool {
	name, rest, _ := strings.Cut(key, ":")
	tunnel, vlan := o.tunnels[name], o.vlans[row["vlan"]]
	switch {
	case o.vlanMaps[key] != nil:
		o.d.err(daemonOrch, "Vxlan tunnel map '%s' already exist", key)
		return true
	case len(strings.Split(rest, "_")) != 3:
		o.d.err(daemonOrch, "Vxlan tunnel map '%s' is not of the form map_VNI_Vlan", key)
		return true
	case vlan == nil || tunnel == nil:
		return false
	}
	o.enter(tunnel)
	vlan.mapped++
	made := &vlanMapObject{tunnel: tunnel, vlan: row["vlan"], vni: row["vni"]}
	o.vlanMaps[key], o.vlanVNIs[made.vni] = made, made
	if o.vrfVNIs[made.vni] == nil {
		o.enterVLAN(made)
	}
	return true
}

func (o *orchagent) enterVLAN(m *vlanMapObject) {
	m.object = o.create(typeMapEntry, Row{
		"SAI_TUNNEL_MAP_ENTRY_ATTR_TUNNEL_MAP_TYPE": "SAI_TUNNEL_MAP_TYPE_VNI_TO_VLAN_ID",
		"SAI_TUNNEL_MAP_ENTRY_ATTR_TUNNEL_MAP":      m.tunnel.vlans.oid,
		"SAI_TUNNEL_MAP_ENTRY_ATTR_VNI_ID_KEY":      m.vni,
		"SAI_TUNNEL_MAP_ENTRY_ATTR_VLAN_ID_VALUE":   strings.TrimPrefix(m.vlan, "Vlan"),
	})
}

func (o *orchagent) delVLANMap(key string) bool {
	made := o.vlanMaps[key]
	if made == nil {
		return true
	}
	o.destroy(made.object)
	delete(o.vlanMaps, key)
	delete(o.vlanVNIs, made.vni)
	o.leave(made.tunnel)
	if vlan := o.vlans[made.vlan]; vlan != nil {
		vlan.mapped--
	}
	return true
}

func (o *orchagent) setVRFMap(key string, row Row) bool {
	name, _, _ := strings.Cut(key, ":")
	tunnel, vrf := o.tunnels[name], o.vrfs[row["vrf"]]
	switch {
	case o.vrfMaps[key] != nil:
		o.d.err(daemonOrch, "Vxlan map '%s' is already exist", key)
		return true
	case tunnel == nil || vrf == nil:
		return false
	}
	o.enter(tunnel)
	made := &vrfMapObject{tunnel: tunnel, vrf: row["vrf"], vni: row["vni"]}
	o.vrfMaps[key], o.vrfVNIs[made.vni], o.vrfKeys[made.vrf] = made, made, key
	if l2 := o.vlanVNIs[made.vni]; l2 != nil {
		o.destroy(l2.object)
		l2.object = object{}
	}
	made.encap = o.create(typeMapEntry, Row{
		"SAI_TUNNEL_MAP_ENTRY_ATTR_TUNNEL_MAP_TYPE":       "SAI_TUNNEL_MAP_TYPE_VIRTUAL_ROUTER_ID_TO_VNI",
		"SAI_TUNNEL_MAP_ENTRY_ATTR_TUNNEL_MAP":            tunnel.encap.oid,
		"SAI_TUNNEL_MAP_ENTRY_ATTR_VIRTUAL_ROUTER_ID_KEY": vrf.oid,
		"SAI_TUNNEL_MAP_ENTRY_ATTR_VNI_ID_VALUE":          made.vni,
	})
	made.decap = o.create(typeMapEntry, Row{
		"SAI_TUNNEL_MAP_ENTRY_ATTR_TUNNEL_MAP_TYPE":         "SAI_TUNNEL_MAP_TYPE_VNI_TO_VIRTUAL_ROUTER_ID",
		"SAI_TUNNEL_MAP_ENTRY_ATTR_TUNNEL_MAP":              tunnel.decap.oid,
		"SAI_TUNNEL_MAP_ENTRY_ATTR_VNI_ID_KEY":              made.vni,
		"SAI_TUNNEL_MAP_ENTRY_ATTR_VIRTUAL_ROUTER_ID_VALUE": vrf.oid,
	})
	vrf.refs += 2
	return true
}

// delVRFMap gives the VNI back to the map of its VLAN.
func (o *orchagent) delVRFMap(key string) bool {
	made := o.vrfMaps[key]
	if made == nil {
		o.d.err(daemonOrch, "VxlanVrfMapOrch Vxlan map '%s' do not exist", key)
		return true
	}
	o.destroy(made.encap)
	o.destroy(made.decap)
	delete(o.vrfMaps, key)
	delete(o.vrfVNIs, made.vni)
	if o.vrfKeys[made.vrf] == key {
		delete(o.vrfKeys, made.vrf)
	}
	o.refer(made.vrf, -2)
	if l2 := o.vlanVNIs[made.vni]; l2 != nil {
		o.enterVLAN(l2)
	}
	o.leave(made.tunnel)
	return true
}

// vrfMapKey is the marker of the VNI of a VRF, or "".
func (o *orchagent) vrfMapKey(vrf string) string {
	if key, ok := o.vrfKeys[vrf]; ok {
		return "APPL_DB VXLAN_VRF_TABLE:" + key
	}
	return ""
}
