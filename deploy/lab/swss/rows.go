package swss

import (
	"maps"
	"strings"
)

// Names of the databases that the daemons write, as in database_config.json.
const (
	StateDB = "STATE_DB"
	ApplDB  = "APPL_DB"
	AsicDB  = "ASIC_DB"
	// CountersDB has rows of a data plane only.
	CountersDB = "COUNTERS_DB"
)

// Row is a Redis hash: field and value. A row of CONFIG_DB without fields has
// the field NULL.
type Row map[string]string

// Write is one command of a daemon: HSET of Fields, or DEL if they are nil.
type Write struct {
	DB     string
	Key    string
	Fields Row
}

// String is the command as redis-cli shows it, after the database.
func (w Write) String() string {
	if w.Fields == nil {
		return w.DB + " DEL " + w.Key
	}
	return w.DB + " HSET " + w.Key + " " + w.Fields.String()
}

// String has the fields in rising order: "mtu=9100 state=ok".
func (r Row) String() string {
	words := make([]string, 0, len(r))
	for _, name := range sortedKeys(r) {
		words = append(words, name+"="+r[name])
	}
	return strings.Join(words, " ")
}

// rows is what the daemons have in one database.
type rows map[string]Row

// databases are what the daemons have written, and the writes that were not
// fetched yet.
type databases struct {
	of  map[string]rows
	out []Write
}

func newDatabases() databases {
	return databases{of: map[string]rows{StateDB: {}, ApplDB: {}, AsicDB: {}}}
}

// set is HSET: fields that are there already and not named stay.
func (db *databases) set(name, key string, fields Row) {
	row := db.of[name][key]
	if row == nil {
		row = make(Row, len(fields))
		db.of[name][key] = row
	}
	maps.Copy(row, fields)
	db.out = append(db.out, Write{name, key, fields})
}

// del is DEL; of a row that is not there it is nothing.
func (db *databases) del(name, key string) {
	if _, ok := db.of[name][key]; ok {
		delete(db.of[name], key)
		db.out = append(db.out, Write{DB: name, Key: key})
	}
}

func (db *databases) has(name, key string) bool {
	_, ok := db.of[name][key]
	return ok
}

// clear deletes all rows.
func (db *databases) clear() {
	for _, name := range []string{ApplDB, AsicDB, StateDB} {
		for _, key := range sortedKeys(db.of[name]) {
			db.del(name, key)
		}
	}
}

// String has a line for each row, by database and key.
func (db *databases) String() string {
	var b strings.Builder
	for _, name := range []string{StateDB, ApplDB, AsicDB} {
		for _, key := range sortedKeys(db.of[name]) {
			b.WriteString(name + " " + key + " " + db.of[name][key].String() + "\n")
		}
	}
	return b.String()
}

// Tables are the tables of a database that the daemons write.
func Tables(db string) []string {
	switch db {
	case StateDB:
		return []string{
			"VLAN_TABLE", "VLAN_MEMBER_TABLE", "VRF_TABLE", "VRF_OBJECT_TABLE", "INTERFACE_TABLE",
			"SUPPRESS_VLAN_NEIGH_TABLE", "PORT_TABLE", "LAG_TABLE",
		}
	case ApplDB:
		return []string{
			"VLAN_TABLE", "VLAN_MEMBER_TABLE", "VRF_TABLE", "VXLAN_VRF_TABLE", "VXLAN_TUNNEL_TABLE",
			"VXLAN_TUNNEL_MAP_TABLE", "VXLAN_EVPN_NVO_TABLE", "INTF_TABLE", "SAG_TABLE", "PORT_TABLE",
			"LAG_TABLE", "LAG_MEMBER_TABLE",
		}
	case AsicDB:
		return []string{"ASIC_STATE"}
	}
	return nil
}
