package swss

import (
	"maps"
	"net/netip"
	"strings"
)

const daemonIntf = "intfmgrd"

// gatewayKey is the row with the anycast gateway's MAC address.
const gatewayKey = "SAG|GLOBAL"

// noMAC in APPL_DB stands for the switch's own MAC address.
const noMAC = "00:00:00:00:00:00"

// intfmgrd sets VRFs, addresses and MAC addresses of the kernel's interfaces
// (sonic-swss cfgmgr/intfmgr.cpp).
type intfmgrd struct {
	d        *Daemons
	gateway  string                     // gateway_mac of SAG|GLOBAL in CONFIG_DB, "" if there is none
	vrfOf    map[string]string          // of the interfaces that are set up
	inVRF    map[string]map[string]bool // the reverse, without those in no VRF
	prefixes map[string]map[string]bool // of an interface
	anycast  map[string]bool            // the interfaces whose gateway is to be on
}

func newIntfmgrd(d *Daemons) *intfmgrd {
	m := &intfmgrd{
		d: d, vrfOf: map[string]string{}, inVRF: map[string]map[string]bool{},
		prefixes: map[string]map[string]bool{}, anycast: map[string]bool{},
	}
	for _, table := range []string{"INTERFACE", "PORTCHANNEL_INTERFACE", "VLAN_INTERFACE", "LOOPBACK_INTERFACE"} {
		d.manage(daemonIntf, table, m.set, m.del)
	}
	d.manage(daemonIntf, "SAG", m.setGateway, m.delGateway)
	return m
}

func (m *intfmgrd) set(name string, row Row) bool {
	if alias, prefix, ok := strings.Cut(name, "|"); ok {
		return m.setPrefix(alias, prefix)
	}
	return m.setInterface(name, row)
}

func (m *intfmgrd) del(name string) bool {
	if alias, prefix, ok := strings.Cut(name, "|"); ok {
		return m.delPrefix(alias, prefix)
	}
	return m.delInterface(name)
}

// ready reports whether an interface's device is there.
func (m *intfmgrd) ready(alias string) bool {
	switch {
	case isVLAN(alias):
		return m.d.db.has(StateDB, "VLAN_TABLE|"+alias)
	case isLoopback(alias):
		return true
	}
	return m.d.portReady(alias)
}

func (m *intfmgrd) setInterface(alias string, row Row) bool {
	vrf := row["vrf_name"]
	if !m.ready(alias) || vrf != "" && !m.d.db.has(StateDB, "VRF_TABLE|"+vrf) {
		return false
	}
	if old, ok := m.vrfOf[alias]; ok && old != vrf {
		return true // refused, and seen to be so without a word
	}
	fields := maps.Clone(row)
	if mac := m.macAddress(alias, row); mac != "" {
		fields["mac_addr"] = mac
	}
	if isLoopback(alias) && fields["admin_status"] == "" {
		fields["admin_status"] = "up"
	}
	m.vrfOf[alias] = vrf
	if vrf != "" {
		addTo(m.inVRF, vrf, alias)
	}
	m.d.orch.produce("INTF_TABLE", alias, fields)
	m.d.db.set(StateDB, "INTERFACE_TABLE|"+alias, Row{"vrf": vrf})
	return true
}

// macAddress is what orchagent is told of the MAC address, or "" for nothing.
func (m *intfmgrd) macAddress(alias string, row Row) string {
	anycast := row["static_anycast_gateway"]
	switch anycast {
	case "true":
		m.anycast[alias] = true
	case "false":
		delete(m.anycast, alias)
	}
	switch {
	case row["mac_addr"] != "":
		return row["mac_addr"]
	case anycast == "":
		return noMAC
	case !isVLAN(alias) || m.gateway == "":
		return ""
	case anycast == "true":
		return m.gateway
	case anycast == "false":
		return noMAC
	}
	m.d.err(daemonIntf, "invalid SAG config %q, it should be \"true\" or \"false\"", anycast)
	return ""
}

func (m *intfmgrd) delInterface(alias string) bool {
	if len(m.prefixes[alias]) > 0 {
		return false
	}
	if vrf, ok := m.vrfOf[alias]; ok {
		removeFrom(m.inVRF, vrf, alias)
		delete(m.vrfOf, alias)
		m.d.orch.remove("INTF_TABLE", alias)
	}
	delete(m.anycast, alias)
	m.d.db.del(StateDB, "INTERFACE_TABLE|"+alias)
	return true
}

// linkLocal4 is what orchagent is not told of.
func linkLocal4(prefix netip.Prefix) bool {
	return prefix.Addr().Is4() && prefix.Addr().IsLinkLocalUnicast()
}

func (m *intfmgrd) setPrefix(alias, text string) bool {
	if _, there := m.vrfOf[alias]; !there || !m.ready(alias) {
		return false
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		m.d.err(daemonIntf, "Invalid prefix %s of %s", text, alias)
		return true
	}
	addTo(m.prefixes, alias, text)
	if linkLocal4(prefix) {
		return true
	}
	family := "IPv4"
	if prefix.Addr().Is6() {
		family = "IPv6"
	}
	m.d.orch.produce("INTF_TABLE", alias+":"+text, Row{"scope": "global", "family": family})
	m.d.db.set(StateDB, "INTERFACE_TABLE|"+alias+"|"+text, Row{"state": "ok"})
	return true
}

func (m *intfmgrd) delPrefix(alias, text string) bool {
	if m.prefixes[alias][text] {
		removeFrom(m.prefixes, alias, text)
		m.d.orch.remove("INTF_TABLE", alias+":"+text)
	}
	m.d.db.del(StateDB, "INTERFACE_TABLE|"+alias+"|"+text)
	return true
}

func (m *intfmgrd) setGateway(name string, row Row) bool {
	mac := row["gateway_mac"]
	if mac == "" {
		m.d.err(daemonIntf, "gateway_mac field is missing in SAG configuration")
		return true
	}
	m.d.orch.produce("SAG_TABLE", name, Row{"gateway_mac": mac})
	m.tellAll(mac)
	return true
}

func (m *intfmgrd) delGateway(name string) bool {
	m.d.orch.remove("SAG_TABLE", name)
	m.tellAll(noMAC)
	return true
}

// tellAll gives all interfaces whose gateway is on another MAC address.
func (m *intfmgrd) tellAll(mac string) {
	for _, alias := range sortedKeys(m.anycast) {
		m.d.orch.produce("INTF_TABLE", alias, Row{"mac_addr": mac})
	}
}
