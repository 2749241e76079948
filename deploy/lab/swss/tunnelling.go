package swss

// tunnelling is orchagent's VxlanTunnelOrch, VxlanTunnelMapOrch,
// VxlanVrfMapOrch and EvpnNvoOrch (sonic-swss orchagent/vxlanorch.cpp), on an
// ASIC with P2MP tunnels.
type tunnelling struct {
	tunnels  map[string]*tunnelObject
	nvos     map[string]string
	vlanMaps map[string]*vlanMapObject
	vrfMaps  map[string]*vrfMapObject
	vlanVNIs map[string]*vlanMapObject // by VNI
	vrfVNIs  map[string]*vrfMapObject  // by VNI
	vrfKeys  map[string]string         // VRF → key of its map
}

func newTunnelling() tunnelling {
	return tunnelling{
		tunnels: map[string]*tunnelObject{}, nvos: map[string]string{},
		vlanMaps: map[string]*vlanMapObject{}, vrfMaps: map[string]*vrfMapObject{},
		vlanVNIs: map[string]*vlanMapObject{}, vrfVNIs: map[string]*vrfMapObject{}, vrfKeys: map[string]string{},
	}
}

// tunnelObject has objects of the ASIC only while it has entries.
type tunnelObject struct {
	source  string
	entries int
	objects []object
	vlans   object // the map of VNIs to VLANs
	encap   object // of VRFs to VNIs
	decap   object // of VNIs to VRFs
}

type vlanMapObject struct {
	object // none while the VNI is that of a VRF
	tunnel *tunnelObject
	vlan   string
	vni    string
}

type vrfMapObject struct {
	encap, decap object
	tunnel       *tunnelObject
	vrf, vni     string
}

func (o *orchagent) setTunnel(name string, row Row) bool {
	if o.tunnels[name] != nil {
		o.d.err(daemonOrch, "Vxlan tunnel '%s' is already exists", name)
		return true
	}
	o.tunnels[name] = &tunnelObject{source: row["src_ip"]}
	return true
}

func (o *orchagent) delTunnel(name string) bool {
	if t := o.tunnels[name]; t != nil && t.entries > 0 {
		return false
	}
	delete(o.tunnels, name)
	return true
}

func (o *orchagent) setNVO(name string, row Row) bool {
	if o.tunnels[row["source_vtep"]] == nil {
		return false
	}
	o.nvos[name] = row["source_vtep"]
	return true
}

func (o *orchagent) delNVO(name string) bool {
	delete(o.nvos, name)
	return true
}

// enter makes the tunnel in the ASIC with its first entry.
func (o *orchagent) enter(t *tunnelObject) {
	if t.entries++; t.entries > 1 {
		return
	}
	newMap := func(kind string) object {
		made := o.create(typeTunnelMap, Row{"SAI_TUNNEL_MAP_ATTR_TYPE": "SAI_TUNNEL_MAP_TYPE_" + kind})
		t.objects = append(t.objects, made)
		return made
	}
	t.vlans, t.decap = newMap("VNI_TO_VLAN_ID"), newMap("VNI_TO_VIRTUAL_ROUTER_ID")
	newMap("VLAN_ID_TO_VNI")
	t.encap = newMap("VIRTUAL_ROUTER_ID_TO_VNI")
	t.objects = append(t.objects,
		o.create(typeTunnel, Row{
			"SAI_TUNNEL_ATTR_TYPE": "SAI_TUNNEL_TYPE_VXLAN", "SAI_TUNNEL_ATTR_PEER_MODE": "SAI_TUNNEL_PEER_MODE_P2MP",
			"SAI_TUNNEL_ATTR_ENCAP_SRC_IP": t.source,
		}),
		o.create(typeTunnelTerm, Row{
			"SAI_TUNNEL_TERM_TABLE_ENTRY_ATTR_TYPE":   "SAI_TUNNEL_TERM_TABLE_ENTRY_TYPE_P2MP",
			"SAI_TUNNEL_TERM_TABLE_ENTRY_ATTR_DST_IP": t.source,
		}),
		o.create(typeBridgePort, Row{"SAI_BRIDGE_PORT_ATTR_TYPE": "SAI_BRIDGE_PORT_TYPE_TUNNEL"}))
}

// leave removes it with the last.
func (o *orchagent) leave(t *tunnelObject) {
	if t.entries--; t.entries > 0 {
		return
	}
	for _, made := range t.objects {
		o.destroy(made)
	}
	t.objects = nil
}
