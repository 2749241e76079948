package swss

import (
	"slices"
	"strings"
)

// catalog is what is in CONFIG_DB by what the events say, and what needs what.
type catalog struct {
	present  map[string]uint64              // since which event
	needs    map[string][]string            // row → rows that it needs
	neededBy map[string]map[string]struct{} // the reverse
	rows     map[string]*seen
	nvos     map[string]bool   // rows of VXLAN_EVPN_NVO
	lagOf    map[string]string // port → its row of PORTCHANNEL_MEMBER
}

// seen is a row as the daemons read it last.
type seen struct {
	row Row
	// excused says that one more event with the same row is no mistake: the
	// row was read between the two commands of a transaction.
	excused bool
}

func newCatalog() catalog {
	return catalog{
		map[string]uint64{}, map[string][]string{}, map[string]map[string]struct{}{}, map[string]*seen{},
		map[string]bool{}, map[string]string{},
	}
}

func (c *catalog) has(key string) bool {
	_, ok := c.present[key]
	return ok
}

// before reports whether a row was there before an event.
func (c *catalog) before(key string, seq uint64) bool {
	born, ok := c.present[key]
	return ok && born <= seq
}

func (c *catalog) add(key string, seq uint64) {
	if !c.has(key) {
		c.present[key] = seq
		c.link(key, nil)
	}
	switch table, name, _ := strings.Cut(key, "|"); table {
	case "VXLAN_EVPN_NVO":
		c.nvos[key] = true
	case "PORTCHANNEL_MEMBER":
		_, port, _ := strings.Cut(name, "|")
		c.lagOf[port] = key
	}
}

func (c *catalog) remove(key string) {
	delete(c.present, key)
	delete(c.nvos, key)
	if _, port, ok := strings.Cut(strings.TrimPrefix(key, "PORTCHANNEL_MEMBER|"), "|"); ok && c.lagOf[port] == key {
		delete(c.lagOf, port)
	}
	c.unlink(key)
}

func (c *catalog) unlink(key string) {
	for _, parent := range c.needs[key] {
		delete(c.neededBy[parent], key)
		if len(c.neededBy[parent]) == 0 {
			delete(c.neededBy, parent)
		}
	}
	delete(c.needs, key)
}

// link notes what a row needs; with its fields that is more than by its key.
func (c *catalog) link(key string, row Row) {
	parents := needs(key, row)
	if slices.Equal(parents, c.needs[key]) {
		return
	}
	c.unlink(key)
	c.needs[key] = parents
	for _, parent := range parents {
		if c.neededBy[parent] == nil {
			c.neededBy[parent] = map[string]struct{}{}
		}
		c.neededBy[parent][key] = struct{}{}
	}
}

// user is the first of the rows that need a row, or "".
func (c *catalog) user(key string) string {
	return least(c.neededBy[key])
}

// needs is which rows of CONFIG_DB a row needs, by its key and its fields. What
// a VRF's VNI needs, any NVO, is judged apart.
func needs(key string, row Row) []string {
	table, name, _ := strings.Cut(key, "|")
	first, rest, more := strings.Cut(name, "|")
	var list []string
	switch table {
	case "VLAN_MEMBER":
		list = append(list, "VLAN|"+first, portKey(rest))
	case "PORTCHANNEL_MEMBER":
		list = append(list, "PORTCHANNEL|"+first, portKey(rest))
	case "VXLAN_EVPN_NVO":
		if vtep := row["source_vtep"]; vtep != "" {
			list = append(list, "VXLAN_TUNNEL|"+vtep)
		}
	case "VXLAN_TUNNEL_MAP":
		list = append(list, "VXLAN_TUNNEL|"+first, "VLAN|"+mapVLAN(rest, row))
	case "VLAN_INTERFACE", "INTERFACE", "PORTCHANNEL_INTERFACE", "LOOPBACK_INTERFACE":
		if more {
			return []string{table + "|" + first}
		}
		list = interfaceNeeds(table, name, row)
	}
	return list
}

func interfaceNeeds(table, name string, row Row) []string {
	var list []string
	switch table {
	case "VLAN_INTERFACE":
		list = append(list, "VLAN|"+name)
	case "INTERFACE", "PORTCHANNEL_INTERFACE":
		list = append(list, portKey(name))
	}
	if vrf := row["vrf_name"]; vrf != "" {
		list = append(list, "VRF|"+vrf)
	}
	if row["static_anycast_gateway"] == "true" {
		list = append(list, "SAG|GLOBAL")
	}
	return list
}

// portKey is the row of a port or port channel.
func portKey(name string) string {
	if isLAG(name) {
		return "PORTCHANNEL|" + name
	}
	return "PORT|" + name
}

func isLAG(name string) bool      { return strings.HasPrefix(name, "PortChannel") }
func isVLAN(name string) bool     { return strings.HasPrefix(name, "Vlan") }
func isLoopback(name string) bool { return strings.HasPrefix(name, "Loopback") }

// mapVLAN is the VLAN of a tunnel map: its field, or what its name says.
func mapVLAN(name string, row Row) string {
	if vlan := row["vlan"]; vlan != "" {
		return vlan
	}
	_, vlan, _ := strings.Cut(name, "_Vlan")
	return "Vlan" + vlan
}
