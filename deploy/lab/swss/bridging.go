package swss

import "strings"

// bridging is orchagent's PortsOrch: VLANs and their members
// (sonic-swss orchagent/portsorch.cpp).
type bridging struct {
	vlans map[string]*vlanObject
	ports map[string]*portObject
}

type vlanObject struct {
	object
	members map[string]object // of ports
	mapped  int               // tunnel maps
}

// portObject is a port or port channel that is bridged or routed.
type portObject struct {
	bridge object
	vlans  int
	routed bool
}

func (o *orchagent) setVLAN(name string, _ Row) bool {
	if o.vlans[name] == nil {
		id := strings.TrimPrefix(name, "Vlan")
		o.vlans[name] = &vlanObject{o.create(typeVLAN, Row{"SAI_VLAN_ATTR_VLAN_ID": id}), map[string]object{}, 0}
	}
	return true
}

func (o *orchagent) delVLAN(name string) bool {
	vlan := o.vlans[name]
	switch {
	case vlan == nil:
		o.d.err(daemonOrch, "removeVlan: VLAN %s doesn't exist", name)
		return true
	case o.interfaces[name] != nil:
		o.d.err(daemonOrch, "removeVlan: Failed to remove ref count 1 VLAN %s", name)
		return false
	case len(vlan.members) > 0:
		o.d.err(daemonOrch, "removeVlan: Failed to remove non-empty VLAN %s", name)
		return false
	case vlan.mapped > 0:
		o.d.err(daemonOrch, "removeVlan: VLAN-VNI mapping not yet removed. VLAN %s", name)
		return false
	}
	o.destroy(vlan.object)
	delete(o.vlans, name)
	return true
}

func (o *orchagent) setMember(key string, row Row) bool {
	name, alias, _ := strings.Cut(key, ":")
	vlan := o.vlans[name]
	port := o.port(alias)
	if vlan == nil || port.routed {
		return false
	}
	if vlan.members[alias] != (object{}) {
		return true
	}
	if port.vlans == 0 {
		port.bridge = o.create(typeBridgePort, Row{"SAI_BRIDGE_PORT_ATTR_TYPE": "SAI_BRIDGE_PORT_TYPE_PORT"})
	}
	port.vlans++
	mode := strings.ToUpper(row["tagging_mode"])
	if mode == "" {
		mode = "UNTAGGED"
	}
	vlan.members[alias] = o.create(typeMember, Row{
		"SAI_VLAN_MEMBER_ATTR_VLAN_ID":           vlan.oid,
		"SAI_VLAN_MEMBER_ATTR_BRIDGE_PORT_ID":    port.bridge.oid,
		"SAI_VLAN_MEMBER_ATTR_VLAN_TAGGING_MODE": "SAI_VLAN_TAGGING_MODE_" + mode,
	})
	return true
}

func (o *orchagent) delMember(key string) bool {
	name, alias, _ := strings.Cut(key, ":")
	vlan := o.vlans[name]
	if vlan == nil || vlan.members[alias] == (object{}) {
		return true
	}
	o.destroy(vlan.members[alias])
	delete(vlan.members, alias)
	port := o.port(alias)
	if port.vlans--; port.vlans == 0 {
		o.destroy(port.bridge)
		delete(o.ports, alias)
	}
	return true
}

func (o *orchagent) port(alias string) *portObject {
	if o.ports[alias] == nil {
		o.ports[alias] = &portObject{}
	}
	return o.ports[alias]
}
