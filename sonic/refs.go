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
	g := emptyGraph(db, 0)
	for key, fields := range db {
		g.add(key, fields)
	}
	return g
}

// emptyGraph has room for tunnel maps.
func emptyGraph(db DB, tunnelMaps int) *graph {
	return &graph{db: db, mapOfVNI: make(map[string]Key, tunnelMaps), mapOn: make(map[string]Key, tunnelMaps), loopback: map[string]Key{}}
}

// add notes what others need without naming it.
func (g *graph) add(key Key, fields Fields) {
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

// addFirst adds a key to an index, the lowest one where there are several, so
// that the graph does not depend on the order in which a map is ranged over.
func addFirst(index map[string]Key, by string, key Key) {
	first, known := index[by]
	if !known || key.Compare(first) < 0 {
		index[by] = key
	}
}

func keepFirst(first *Key, key Key) {
	if *first == (Key{}) || key.Compare(*first) < 0 {
		*first = key
	}
}

// needs are the rows that must be there before the row is, and may go only
// after it has. They need not be in the DB.
func (g *graph) needs(key Key) []Key { return g.appendNeeds(nil, key, g.db[key]) }

// appendNeeds appends them to list.
func (g *graph) appendNeeds(list []Key, key Key, fields Fields) []Key {
	switch key.Table {
	case TableVRF:
		if vni := fields.value(fieldVNI); vni != "" && vni != "0" {
			return appendKnown(list, g.nvo, g.mapOfVNI[vni])
		}
		return list
	case TableTunnelMap:
		list = appendNamed(list, key, fields)
		if tunnel, _ := key.split(); g.nvo != (Key{}) && g.db[g.nvo].value(fieldSourceVTEP) == tunnel {
			list = append(list, g.nvo)
		}
		return list
	case TableTunnel:
		return appendKnown(list, g.loopback[fields.value(fieldSourceIP)])
	}
	return appendNamed(list, key, fields)
}

// appendNamed appends the rows that a row needs by their names.
func appendNamed(list []Key, key Key, fields Fields) []Key {
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
	case TableTunnelMap:
		return append(list, Key{TableTunnel, first}, Key{TableVLAN, fields.value(fieldVLAN)})
	case TableNVO:
		return append(list, Key{TableTunnel, fields.value(fieldSourceVTEP)})
	case TableInterface, TablePortChannelInterface:
		if rest != "" {
			return append(list, Key{key.Table, first})
		}
		return appendVRF(append(list, portKey(first)), fields)
	case TableLoopback, tableVLANSubInterface:
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

// appendGuards appends the rows that keep a VLAN's ports isolated: a port is put
// into a VLAN only when the VLAN has its own VNI and its interface is in its own
// VRF.
func (g *graph) appendGuards(list []Key, key Key) []Key {
	if key.Table != TableVLANMember {
		return list
	}
	vlan, _ := key.split()
	if k := (Key{TableVLANInterface, vlan}); g.has(k) {
		list = append(list, k)
	}
	if k, ok := g.mapOn[vlan]; ok {
		list = append(list, k)
	}
	return list
}

func (g *graph) has(key Key) bool {
	_, ok := g.db[key]
	return ok
}
