package sonic

import "strings"

// Names of the databases that SONiC's daemons answer in, as in
// database_config.json.
const (
	StateDB = "STATE_DB"
	ApplDB  = "APPL_DB"
)

// Marker is a row by which a daemon shows what it has made of a row of
// CONFIG_DB.
type Marker struct {
	// Row is the row of CONFIG_DB that it is about.
	Row Key
	// DB is the name of the database: StateDB or ApplDB.
	DB string
	// Key of the daemon's row, with the separator of its database.
	Key string
	// Gone says that the daemon's row is waited for to go, not to come.
	Gone bool
	// Field and Value, if Field is not empty, are what the daemon's row has to
	// say. A marker with a field is also there when the row is not.
	Field, Value string
}

// String is what is waited for, for people.
func (m Marker) String() string {
	switch {
	case m.Field != "":
		return m.DB + " " + m.Key + " " + m.Field + "=" + m.Value
	case m.Gone:
		return m.DB + " " + m.Key + " to go"
	}
	return m.DB + " " + m.Key
}

// MarkerTables are the tables of a database that markers are in.
func MarkerTables(db string) []string {
	switch db {
	case StateDB:
		return []string{stateVLANMember, stateVRF, stateInterface}
	case ApplDB:
		return []string{applVLAN, applVRFMap, applInterface, applTunnel, applNVO, applTunnelMap}
	}
	return nil
}

// Tables of the daemons. A row of APPL_DB comes, changes and goes when orchagent
// has taken the task from the daemon that writes it.
const (
	stateVLANMember = "VLAN_MEMBER_TABLE"      // vlanmgrd
	stateVRF        = "VRF_OBJECT_TABLE"       // orchagent, VRFOrch
	stateInterface  = "INTERFACE_TABLE"        // intfmgrd
	applVLAN        = "VLAN_TABLE"             // vlanmgrd; STATE_DB's is ahead of orchagent
	applTunnelMap   = "VXLAN_TUNNEL_MAP_TABLE" // vxlanmgrd
	applVRFMap      = "VXLAN_VRF_TABLE"        // vrfmgrd
	applInterface   = "INTF_TABLE"             // intfmgrd
	applTunnel      = "VXLAN_TUNNEL_TABLE"     // vxlanmgrd
	applNVO         = "VXLAN_EVPN_NVO_TABLE"   // vxlanmgrd
)

// Accepted are the markers of a database's rows: each comes when a daemon has
// taken the row. Rows of tables without daemons have none.
func (db DB) Accepted(keys []Key) []Marker {
	g := newGraph(db)
	var markers []Marker
	for _, key := range keys {
		if _, ok := db[key]; ok {
			markers = g.appendAccepted(markers, key)
		}
	}
	return markers
}

// appendAccepted appends the markers of a row that is there.
func (g *graph) appendAccepted(list []Marker, key Key) []Marker {
	list = appendObject(list, key)
	if key.Table == TableVRF {
		list = g.appendVNIMapped(list, key)
	}
	return list
}

// appendObject appends the marker of the object that a daemon makes of a row.
func appendObject(list []Marker, key Key) []Marker {
	state := func(table, name string) []Marker {
		return append(list, Marker{Row: key, DB: StateDB, Key: table + Separator + name})
	}
	appl := func(table, name string) []Marker {
		return append(list, Marker{Row: key, DB: ApplDB, Key: table + ":" + strings.ReplaceAll(name, Separator, ":")})
	}
	switch key.Table {
	case TableVLAN:
		return appl(applVLAN, key.Name)
	case TableVLANMember:
		return state(stateVLANMember, key.Name)
	case TableVRF:
		return state(stateVRF, key.Name)
	case TableVLANInterface, TableLoopback, TableInterface:
		if _, ip := key.split(); strings.HasPrefix(ip, linkLocal) {
			return list // intfmgrd takes it without a word
		}
		return state(stateInterface, key.Name)
	case TableTunnelMap:
		return appl(applTunnelMap, key.Name) // STATE_DB has one row for all maps of a VLAN
	case TableTunnel:
		return appl(applTunnel, key.Name)
	case TableNVO:
		return appl(applNVO, key.Name)
	}
	return list
}

// linkLocal is how the addresses of RFC 3927 begin.
const linkLocal = "169.254."

// left are the markers of a row that is deleted: those by which it was accepted,
// which have to go. Another one could be missing because it has not come yet.
func left(key Key) []Marker {
	markers := appendObject(nil, key)
	for i := range markers {
		markers[i].Gone = true
	}
	return markers
}

// appendVNIMapped appends the marker of the VNI of a VRF.
func (g *graph) appendVNIMapped(list []Marker, key Key) []Marker {
	vni := g.db[key].value(fieldVNI)
	if vni == "" || vni == "0" || g.nvo == (Key{}) {
		return list
	}
	vtep := g.db[g.nvo].value(fieldSourceVTEP)
	return append(list, Marker{Row: key, DB: ApplDB, Key: applVRFMap + ":" + vtep + ":evpn_map_" + vni + "_" + key.Name})
}

// gatewayOff is the marker of an interface whose anycast gateway was switched
// off.
func gatewayOff(key Key) Marker {
	return Marker{Row: key, DB: ApplDB, Key: applInterface + ":" + key.Name, Field: fieldSAG, Value: "false"}
}
