package sonic

// Other tables whose rows refer to rows that the agent writes.
const (
	tableVLANSubInterface = "VLAN_SUB_INTERFACE"
	tableStaticRoute      = "STATIC_ROUTE"
	tableDHCPRelay        = "DHCP_RELAY"
	tableDHCPv4Relay      = "DHCPV4_RELAY"
)

// graph knows which row of a DB needs which other row.
//
// The edges are the leafrefs of the YANG models and those that only the daemons
// know: a VRF's VNI needs an NVO and the tunnel map of that VNI, a tunnel needs
// the loopback address it starts from.
type graph struct {
	db       DB
	nvo      Key            // the NVO, of which there is one at most
	mapOfVNI map[string]Key // tunnel maps by VNI
	mapOn    map[string]Key // tunnel maps by VLAN name
	loopback map[string]Key // loopback address rows by address
}

func newGraph(db DB) *graph {
	g := &graph{db: db, mapOfVNI: map[string]Key{}, mapOn: map[string]Key{}, loopback: map[string]Key{}}
	for key, fields := range db {
		switch key.Table {
		case TableNVO:
			keepFirst(&g.nvo, key)
		case TableTunnelMap:
			addFirst(g.mapOfVNI, fields.value(fieldVNI), key)
			addFirst(g.mapOn, fields.value(fieldVLAN), key)
		case TableLoopback:
			if address, ok := loopbackAddress(key); ok {
				addFirst(g.loopback, address, key)
			}
		}
	}
	return g
}

// addFirst adds a key to an index, the lowest one where there are several, so
// that the graph does not depend on the order in which a map is ranged over.
func addFirst(index map[string]Key, by string, key Key) {
	first := index[by]
	keepFirst(&first, key)
	index[by] = first
}

func keepFirst(first *Key, key Key) {
	if *first == (Key{}) || key.Compare(*first) < 0 {
		*first = key
	}
}

// needs are the rows that must be there before the row is, and may go only
// after it has. They need not be in the DB.
func (g *graph) needs(key Key) []Key { return g.appendNeeds(nil, key) }

// appendNeeds appends them to list.
func (g *graph) appendNeeds(list []Key, key Key) []Key {
	fields := g.db[key]
	first, rest := key.split()
	switch key.Table {
	case TableVLANMember:
		return append(list, Key{TableVLAN, first}, portKey(rest))
	case TableVLANInterface:
		if rest != "" {
			return append(list, Key{TableVLANInterface, first})
		}
		list = appendVRF(append(list, Key{TableVLAN, first}), fields)
		if fields.value(fieldSAG) == "true" {
			list = append(list, sagKey())
		}
		return list
	case TableVRF:
		if vni := fields.value(fieldVNI); vni != "" && vni != "0" {
			return appendKnown(list, g.nvo, g.mapOfVNI[vni])
		}
		return list
	case TableTunnelMap:
		list = append(list, Key{TableTunnel, first}, Key{TableVLAN, fields.value(fieldVLAN)})
		if g.nvo != (Key{}) && g.db[g.nvo].value(fieldSourceVTEP) == first {
			list = append(list, g.nvo)
		}
		return list
	case TableNVO:
		return append(list, Key{TableTunnel, fields.value(fieldSourceVTEP)})
	case TableTunnel:
		return appendKnown(list, g.loopback[fields.value(fieldSourceIP)])
	}
	return appendForeign(list, key, fields)
}

// appendForeign appends the edges from rows that only others write.
func appendForeign(list []Key, key Key, fields Fields) []Key {
	first, rest := key.split()
	switch key.Table {
	case TableLoopback, TableInterface, TablePortChannelInterface, tableVLANSubInterface:
		if rest != "" {
			return append(list, Key{key.Table, first})
		}
		return appendVRF(list, fields)
	case tableStaticRoute: // STATIC_ROUTE|vrf|prefix, or STATIC_ROUTE|prefix
		return append(list, Key{TableVRF, first})
	case tableDHCPRelay, tableDHCPv4Relay:
		return append(list, Key{TableVLAN, first})
	}
	return list
}

func appendVRF(list []Key, fields Fields) []Key {
	if vrf := fields.value(fieldVRFName); vrf != "" {
		return append(list, Key{TableVRF, vrf})
	}
	return list
}

func appendKnown(list []Key, keys ...Key) []Key {
	for _, key := range keys {
		if key != (Key{}) {
			list = append(list, key)
		}
	}
	return list
}

// guards are the rows that keep a VLAN's ports isolated: a port is put into a
// VLAN only when the VLAN has its own VNI and its interface is in its own VRF.
func (g *graph) guards(key Key) []Key {
	if key.Table != TableVLANMember {
		return nil
	}
	vlan, _ := key.split()
	var guards []Key
	if k := (Key{TableVLANInterface, vlan}); g.has(k) {
		guards = append(guards, k)
	}
	if k, ok := g.mapOn[vlan]; ok {
		guards = append(guards, k)
	}
	return guards
}

func (g *graph) has(key Key) bool {
	_, ok := g.db[key]
	return ok
}
