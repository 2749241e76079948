package sonic

// Other tables whose rows refer to rows that the agent writes.
const (
	tableVLANSubInterface = "VLAN_SUB_INTERFACE"
	tableStaticRoute      = "STATIC_ROUTE"
	tableDHCPRelay        = "DHCP_RELAY"
	tableDHCPv4Relay      = "DHCPV4_RELAY"
)

// Tables are those that Diff and the readers of this package have to see in full.
func Tables() []string {
	return []string{
		TableDeviceMetadata, TablePort, TablePortChannel, TablePortChannelMember,
		TableInterface, TablePortChannelInterface, TableMirrorSession,
		TableLoopback, TableVLAN, TableVLANMember, TableVLANInterface, TableSAG,
		TableTunnel, TableNVO, TableTunnelMap, TableVRF,
		tableVLANSubInterface, tableStaticRoute, tableDHCPRelay, tableDHCPv4Relay,
	}
}

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
func (g *graph) needs(key Key) []Key {
	fields := g.db[key]
	first, rest := key.split()
	switch key.Table {
	case TableVLANMember:
		return []Key{{TableVLAN, first}, portKey(rest)}
	case TableVLANInterface:
		if rest != "" {
			return []Key{{TableVLANInterface, first}}
		}
		needs := append([]Key{{TableVLAN, first}}, vrfOf(fields)...)
		if fields.value(fieldSAG) == "true" {
			needs = append(needs, sagKey())
		}
		return needs
	case TableVRF:
		return g.vrfNeeds(fields)
	case TableTunnelMap:
		return g.mapNeeds(first, fields)
	case TableNVO:
		return []Key{{TableTunnel, fields.value(fieldSourceVTEP)}}
	case TableTunnel:
		return known(g.loopback[fields.value(fieldSourceIP)])
	}
	return foreignNeeds(key, fields)
}

// foreignNeeds are the edges from rows that only others write.
func foreignNeeds(key Key, fields Fields) []Key {
	first, rest := key.split()
	switch key.Table {
	case TableLoopback, TableInterface, TablePortChannelInterface, tableVLANSubInterface:
		if rest != "" {
			return []Key{{key.Table, first}}
		}
		return vrfOf(fields)
	case tableStaticRoute: // STATIC_ROUTE|vrf|prefix, or STATIC_ROUTE|prefix
		return []Key{{TableVRF, first}}
	case tableDHCPRelay, tableDHCPv4Relay:
		return []Key{{TableVLAN, first}}
	}
	return nil
}

func vrfOf(fields Fields) []Key {
	if vrf := fields.value(fieldVRFName); vrf != "" {
		return []Key{{TableVRF, vrf}}
	}
	return nil
}

func (g *graph) vrfNeeds(fields Fields) []Key {
	vni := fields.value(fieldVNI)
	if vni == "" || vni == "0" {
		return nil
	}
	return known(g.nvo, g.mapOfVNI[vni])
}

func (g *graph) mapNeeds(tunnel string, fields Fields) []Key {
	needs := []Key{{TableTunnel, tunnel}, {TableVLAN, fields.value(fieldVLAN)}}
	if g.nvo != (Key{}) && g.db[g.nvo].value(fieldSourceVTEP) == tunnel {
		needs = append(needs, g.nvo)
	}
	return needs
}

func known(keys ...Key) []Key {
	var found []Key
	for _, key := range keys {
		if key != (Key{}) {
			found = append(found, key)
		}
	}
	return found
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

// users are the rows of the graph by the row that they need.
func (g *graph) users() map[Key][]Key {
	users := make(map[Key][]Key, len(g.db))
	for key := range g.db {
		for _, need := range g.needs(key) {
			if g.has(need) {
				users[need] = append(users[need], key)
			}
		}
	}
	return users
}

// needsAndGuards are the rows that must be in force before the row is made.
func (g *graph) needsAndGuards(key Key) []Key { return append(g.needs(key), g.guards(key)...) }

// levels sorts keys by how many of the others have to be made one after the
// other before them; after says which rows a row comes after.
func (g *graph) levels(keys []Key, after func(Key) []Key) [][]Key {
	depths := make(map[Key]int, len(keys))
	for _, key := range keys {
		depths[key] = -1
	}
	var levels [][]Key
	for _, key := range keys {
		d := depth(key, depths, after)
		for len(levels) <= d {
			levels = append(levels, nil)
		}
		levels[d] = append(levels[d], key)
	}
	return levels
}

// depth fills in the depth of a key. A cycle, which only a loopback in a VRF of
// its own tunnel can make, is cut where it closes.
func depth(key Key, depths map[Key]int, after func(Key) []Key) int {
	if d := depths[key]; d >= 0 {
		return d
	}
	depths[key] = 0
	deepest := 0
	for _, earlier := range after(key) {
		if _, ok := depths[earlier]; ok {
			deepest = max(deepest, depth(earlier, depths, after)+1)
		}
	}
	depths[key] = deepest
	return deepest
}
