package swss

const daemonVRF = "vrfmgrd"

// vrfmgrd makes VRFs in the kernel and passes their VNIs on
// (sonic-swss cfgmgr/vrfmgr.cpp).
type vrfmgrd struct {
	d     *Daemons
	links map[string]bool   // the kernel's
	vnis  map[string]string // of VRFs
	owner map[string]string // the reverse
	vtep  string            // of the NVO
}

func newVrfmgrd(d *Daemons) *vrfmgrd {
	m := &vrfmgrd{d: d, links: map[string]bool{}, vnis: map[string]string{}, owner: map[string]string{}}
	d.manage(daemonVRF, "VRF", m.set, m.del)
	d.manage(daemonVRF, "VXLAN_EVPN_NVO", m.setNVO, m.delNVO)
	return m
}

func (m *vrfmgrd) set(name string, row Row) bool {
	m.links[name] = true
	m.d.db.set(StateDB, "VRF_TABLE|"+name, Row{"state": "ok"})
	if !m.mapVNI(name, mappedVNI(row)) {
		m.d.err(daemonVRF, "VRF VNI Map Config Failed")
		return true
	}
	m.d.orch.produce("VRF_TABLE", name, row)
	return true
}

// mapVNI is doVrfVxlanTableCreateTask. It takes a VNI that the VRF has already
// for a conflict too.
func (m *vrfmgrd) mapVNI(name, vni string) bool {
	if owner, taken := m.owner[vni]; taken && vni != "" {
		m.d.err(daemonVRF, "vni %s is already mapped to vrf %s", vni, owner)
		return false
	}
	old := m.vnis[name]
	switch {
	case vni == "" && old != "":
		m.unmap(name)
	case vni != "" && old != "":
		m.d.err(daemonVRF, "vrf %s is already mapped to vni %s", name, old)
		return false
	case vni != "":
		m.vnis[name], m.owner[vni] = vni, name
		m.publish(name, vni, true)
	}
	return true
}

func (m *vrfmgrd) unmap(name string) {
	vni := m.vnis[name]
	delete(m.vnis, name)
	delete(m.owner, vni)
	m.publish(name, vni, false)
}

// publish tells orchagent of a VRF's VNI, if there is an NVO.
func (m *vrfmgrd) publish(name, vni string, mapped bool) {
	key := m.vtep + ":evpn_map_" + vni + "_" + name
	switch {
	case m.vtep == "":
	case mapped:
		m.d.orch.produce("VXLAN_VRF_TABLE", key, Row{"vni": vni, "vrf": name})
	default:
		m.d.orch.remove("VXLAN_VRF_TABLE", key)
	}
}

// del waits until orchagent has the VRF, and then until it no longer has it.
func (m *vrfmgrd) del(name string) bool {
	object := m.d.db.has(StateDB, "VRF_OBJECT_TABLE|"+name)
	if m.d.db.has(StateDB, "VRF_TABLE|"+name) {
		if !object {
			return false
		}
		if m.vnis[name] != "" {
			m.unmap(name)
		}
		m.d.orch.remove("VRF_TABLE", name)
		m.d.db.del(StateDB, "VRF_TABLE|"+name)
	}
	if object {
		return false
	}
	if !m.links[name] {
		m.d.err(daemonVRF, "Failed to remove vrf netdev %s", name)
	}
	delete(m.links, name)
	return true
}

func (m *vrfmgrd) setNVO(_ string, row Row) bool {
	if m.vtep == "" {
		m.vtep = row["source_vtep"]
		m.sync(true)
	}
	return true
}

func (m *vrfmgrd) delNVO(string) bool {
	m.sync(false)
	m.vtep = ""
	return true
}

// sync tells orchagent of all VNIs of VRFs.
func (m *vrfmgrd) sync(mapped bool) {
	for _, name := range sortedKeys(m.vnis) {
		m.publish(name, m.vnis[name], mapped)
	}
}
