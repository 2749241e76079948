package swss

import "strings"

// judgeDelete looks at a delete when its event comes: who waits for markers saw
// those of the rows that need this one go before.
func (d *Daemons) judgeDelete(key string) {
	table, name, _ := strings.Cut(key, "|")
	if user := d.user(key); user != "" {
		d.blame(InUse, key, "deleted while %s needs it", user)
	} else if marker := d.hanging(table, name); marker != "" {
		d.blame(NotWaited, key, "deleted while there is %s", marker)
	}
	if d.running && d.lastRow(key) == nil && d.catalog.present[key] > d.booted && len(d.byTable[table]) > 0 {
		d.blame(Unheard, key, "deleted before %s heard of it", d.byTable[table][0].daemon)
	}
	switch table {
	case "VLAN_INTERFACE":
		if d.db.of[ApplDB]["INTF_TABLE:"+name]["static_anycast_gateway"] == "true" {
			d.blame(Leak, key, "deleted while APPL_DB INTF_TABLE:%s has static_anycast_gateway=true: write false first and wait", name)
		}
	case "VRF":
		if vni := mappedVNI(d.lastRow(key)); vni != "" {
			d.blame(Mapped, key, "deleted while vni is %s: write 0 first and wait", vni)
		}
	}
}

// user is a row that needs the given one, or "". What needs an NVO or the map of
// a VRF's VNI does so by VNI.
func (d *Daemons) user(key string) string {
	switch table, _, _ := strings.Cut(key, "|"); table {
	case "VXLAN_EVPN_NVO":
		first := ""
		for user := range d.catalog.neededBy["VXLAN_TUNNEL|"+d.lastRow(key)["source_vtep"]] {
			if strings.HasPrefix(user, "VXLAN_TUNNEL_MAP|") && (first == "" || user < first) {
				first = user
			}
		}
		if vrf := least(d.vrfVNIs()); first == "" && vrf != "" {
			first = "VRF|" + vrf
		}
		return first
	case "VXLAN_TUNNEL_MAP":
		vni := d.lastRow(key)["vni"]
		if vni == "" || d.vrfmgr == nil {
			return ""
		}
		if vrf, ok := d.vrfmgr.owner[vni]; ok && mappedVNI(d.lastRow("VRF|"+vrf)) == vni {
			return "VRF|" + vrf
		}
		return ""
	}
	return d.catalog.user(key)
}

// vrfVNIs are the VNIs of the VRFs that CONFIG_DB has.
func (d *Daemons) vrfVNIs() map[string]string {
	list := map[string]string{}
	if d.vrfmgr == nil {
		return list
	}
	for vrf, vni := range d.vrfmgr.vnis {
		if mappedVNI(d.lastRow("VRF|"+vrf)) == vni {
			list[vrf] = vni
		}
	}
	return list
}

// lastRow is a row as it was read last.
func (d *Daemons) lastRow(key string) Row {
	if s := d.catalog.rows[key]; s != nil {
		return s.row
	}
	return nil
}

// mappedVNI is the VNI of a VRF, or "" if it has none.
func mappedVNI(vrf Row) string {
	if vrf["vni"] == "0" {
		return ""
	}
	return vrf["vni"]
}

// hanging is a marker of what needs a row, although no row of CONFIG_DB does
// any more; or "".
func (d *Daemons) hanging(table, name string) string {
	if !d.running {
		return ""
	}
	switch table {
	case "VLAN":
		return d.hangingOnVLAN(name)
	case "VRF":
		if users := d.intfmgr.inVRF[name]; len(users) > 0 {
			return "STATE_DB INTERFACE_TABLE|" + least(users)
		}
		if mappedVNI(d.lastRow("VRF|"+name)) == "" { // else it is a mistake of its own
			return d.orch.vrfMapKey(name)
		}
	case "VLAN_INTERFACE", "INTERFACE", "PORTCHANNEL_INTERFACE", "LOOPBACK_INTERFACE":
		if strings.Contains(name, "|") {
			return ""
		}
		if ips := d.intfmgr.prefixes[name]; len(ips) > 0 {
			return "STATE_DB INTERFACE_TABLE|" + name + "|" + least(ips)
		}
	case "VXLAN_EVPN_NVO", "VXLAN_TUNNEL":
		return d.hangingOnTunnel(table, name)
	}
	return ""
}

func (d *Daemons) hangingOnVLAN(name string) string {
	if members := d.vlanmgr.members[name]; len(members) > 0 {
		return "STATE_DB VLAN_MEMBER_TABLE|" + name + "|" + least(members)
	}
	for _, key := range []string{"INTERFACE_TABLE|" + name, "SUPPRESS_VLAN_NEIGH_TABLE|" + name} {
		if d.db.has(StateDB, key) {
			return "STATE_DB " + key
		}
	}
	return ""
}

func (d *Daemons) hangingOnTunnel(table, name string) string {
	vtep := name
	if table == "VXLAN_EVPN_NVO" {
		vtep = d.vxlanmgr.nvos[name]
	}
	vlan := ""
	for _, m := range d.vxlanmgr.maps {
		if m.tunnel == vtep && (vlan == "" || m.vlan < vlan) {
			vlan = m.vlan
		}
	}
	if vlan != "" {
		return "STATE_DB SUPPRESS_VLAN_NEIGH_TABLE|" + vlan
	}
	if nvo := least(d.orch.nvos); table == "VXLAN_TUNNEL" && d.orch.nvos[nvo] == name {
		return "APPL_DB VXLAN_EVPN_NVO_TABLE:" + nvo
	}
	return ""
}

// judgeCreate looks at a row that comes, when its event does: who waits for
// markers saw that of the row before it go.
func (d *Daemons) judgeCreate(key string) {
	if !d.running {
		return
	}
	table, name, _ := strings.Cut(key, "|")
	db, marker := markerOf(table, name)
	if table == "VXLAN_TUNNEL_MAP" { // its marker is on the VLAN, and may be that of another map
		if m, there := d.vxlanmgr.maps[strings.ReplaceAll(name, "|", ":")]; there {
			db, marker = StateDB, "SUPPRESS_VLAN_NEIGH_TABLE|"+m.vlan
		}
	}
	if marker != "" && d.db.has(db, marker) {
		d.blame(TooSoon, key, "set again while there is %s %s", db, marker)
	}
}

// markerOf is the row that shows that a row of CONFIG_DB is there, or "".
func markerOf(table, name string) (db, key string) {
	switch table {
	case "VLAN":
		return StateDB, "VLAN_TABLE|" + name
	case "VLAN_MEMBER":
		return StateDB, "VLAN_MEMBER_TABLE|" + name
	case "VRF":
		return StateDB, "VRF_OBJECT_TABLE|" + name
	case "VLAN_INTERFACE", "INTERFACE", "PORTCHANNEL_INTERFACE", "LOOPBACK_INTERFACE":
		return StateDB, "INTERFACE_TABLE|" + name
	case "VXLAN_TUNNEL":
		return ApplDB, "VXLAN_TUNNEL_TABLE:" + name
	case "VXLAN_EVPN_NVO":
		return ApplDB, "VXLAN_EVPN_NVO_TABLE:" + name
	}
	return "", ""
}
