package swss

import (
	"cmp"
	"net/netip"
	"strings"
)

func (o *orchagent) setInterface(key string, row Row) bool {
	alias, text, more := strings.Cut(key, ":")
	if more {
		return o.setPrefix(alias, text)
	}
	made := o.interfaces[alias]
	if made == nil {
		if made = o.addInterface(alias, row["vrf_name"]); made == nil {
			return false
		}
		o.interfaces[alias] = made
		o.refer(made.vrf, 1)
	}
	if made.oid != "" {
		mac := row["mac_addr"]
		if mac == noMAC {
			mac = ""
		}
		if _, told := row["mac_addr"]; told {
			o.set(made.object, Row{"SAI_ROUTER_INTERFACE_ATTR_SRC_MAC_ADDRESS": strings.ToUpper(cmp.Or(mac, o.d.mac))})
		}
	}
	switch row["static_anycast_gateway"] {
	case "true":
		o.switchGateway(made, true)
	case "false":
		o.switchGateway(made, false)
	}
	return true
}

// addInterface makes a router interface, or nil if it cannot be made yet.
func (o *orchagent) addInterface(alias, vrf string) *interfaceObject {
	router := o.defaultRouter
	if vrf != "" {
		if o.vrfs[vrf] == nil {
			return nil
		}
		router = o.vrfs[vrf].object
	}
	made := &interfaceObject{vrf: vrf}
	attributes := Row{
		"SAI_ROUTER_INTERFACE_ATTR_VIRTUAL_ROUTER_ID": router.oid,
		"SAI_ROUTER_INTERFACE_ATTR_SRC_MAC_ADDRESS":   strings.ToUpper(o.d.mac),
		"SAI_ROUTER_INTERFACE_ATTR_MTU":               "9100",
	}
	switch {
	case isLoopback(alias):
		return made
	case isVLAN(alias):
		vlan := o.vlans[alias]
		if vlan == nil {
			return nil
		}
		attributes["SAI_ROUTER_INTERFACE_ATTR_TYPE"] = "SAI_ROUTER_INTERFACE_TYPE_VLAN"
		attributes["SAI_ROUTER_INTERFACE_ATTR_VLAN_ID"] = vlan.oid
	default:
		port := o.port(alias)
		if port.vlans > 0 {
			return nil
		}
		port.routed = true
		attributes["SAI_ROUTER_INTERFACE_ATTR_TYPE"] = "SAI_ROUTER_INTERFACE_TYPE_PORT"
	}
	made.object = o.create(typeRIF, attributes)
	return made
}

func (o *orchagent) delInterface(key string) bool {
	alias, text, more := strings.Cut(key, ":")
	made := o.interfaces[alias]
	if more {
		if made != nil {
			o.removePrefix(made, alias+"|"+text)
		}
		return true
	}
	if made == nil {
		return true
	}
	if made.count > 0 {
		return false
	}
	if made.anycast {
		o.leak(made)
	}
	o.destroy(made.object)
	o.refer(made.vrf, -1)
	delete(o.interfaces, alias)
	if port := o.ports[alias]; port != nil && port.routed {
		delete(o.ports, alias)
	}
	return true
}

func (o *orchagent) setPrefix(alias, text string) bool {
	made := o.interfaces[alias]
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		o.d.err(daemonOrch, "Invalid prefix %s of %s", text, alias)
		return true
	}
	if made == nil || o.overlap(alias, prefix) != "" {
		return false
	}
	o.addPrefix(made, alias+"|"+text, prefix)
	return true
}

func (o *orchagent) addPrefix(made *interfaceObject, key string, prefix netip.Prefix) {
	if o.prefixes[made.vrf] == nil {
		o.prefixes[made.vrf] = map[string]netip.Prefix{}
	}
	if _, there := o.prefixes[made.vrf][key]; !there {
		made.count++
	}
	o.prefixes[made.vrf][key] = prefix
}

func (o *orchagent) removePrefix(made *interfaceObject, key string) {
	if _, there := o.prefixes[made.vrf][key]; there {
		made.count--
		delete(o.prefixes[made.vrf], key)
	}
}

// overlap is the interface and prefix that a prefix overlaps with in the VRF of
// its interface, or "".
func (o *orchagent) overlap(alias string, prefix netip.Prefix) string {
	made := o.interfaces[alias]
	if made == nil {
		return ""
	}
	first := ""
	for key, taken := range o.prefixes[made.vrf] {
		if taken.Overlaps(prefix) && (taken != prefix || !strings.HasPrefix(key, alias+"|")) && (first == "" || key < first) {
			first = key
		}
	}
	return first
}
