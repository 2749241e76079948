package sonic

import "slices"

// related finds the rows that a row can concern: those that need it, those that
// it needs without naming them, and those that claim what it claims.
//
// It knows rows by marks, and never forgets one: whoever finds a row looks
// whether it still is what is sought.
type related struct {
	rows  map[Key][]Key // by mark
	added int           // rows, more than once if they were touched
}

// Tables of marks. The first four are also symbols, which stand for rows that
// others need without naming them.
const (
	symbolVNI     = "the map of VNI"
	symbolMapOn   = "the map on VLAN"
	symbolNVO     = "the NVO"
	symbolAddress = "the loopback with address"
	markTunnel    = "any tunnel"
	markUntagged  = "untagged on port"
	markPort      = "on port, other than by VLANs"
)

// relate takes up the rows of two databases.
func relate(have, want DB) *related {
	r := &related{rows: make(map[Key][]Key, len(have)/2)}
	for key, fields := range have {
		r.add(key, fields)
	}
	for key, fields := range want {
		if there, ok := have[key]; !ok || !slices.Equal(there, fields) {
			r.add(key, fields)
		}
	}
	r.added = 0
	return r
}

// outgrown reports whether so many rows have been touched that it is time to
// begin anew.
func (r *related) outgrown(rows int) bool { return r.added > 1000+rows/2 }

// add takes up a row.
func (r *related) add(key Key, fields Fields) {
	var buffer [8]Key
	for _, mark := range appendMarks(buffer[:0], key, fields) {
		rows := r.rows[mark]
		if last := len(rows) - 1; last < 0 || rows[last] != key {
			r.rows[mark] = append(rows, key)
		}
	}
	r.added++
}

// appendMarks appends the marks that a row is found by. What nearly every row
// needs has no mark, see everybodys.
func appendMarks(list []Key, key Key, fields Fields) []Key {
	var buffer [8]Key
	for _, need := range appendSymbolic(buffer[:0], key, fields) {
		if mark := markOf(need); !everybodys(mark) && !slices.Contains(list, mark) {
			list = append(list, mark)
		}
	}
	switch key.Table {
	case TableTunnel:
		list = append(list, Key{Table: markTunnel})
	case TableTunnelMap, TableNVO, TableLoopback: // a map is found by its VLAN already
		if symbol, ok := symbolOf(key, fields); ok {
			list = append(list, symbol)
		}
	}
	var claims [2]claim
	for _, claim := range appendClaims(claims[:0], key, fields) {
		if mark, ok := markOfClaim(claim); ok {
			list = append(list, mark)
		}
	}
	return list
}

// markOf is the mark of a row or symbol that others need: one for all that
// belongs to a VLAN.
func markOf(need Key) Key {
	switch need.Table {
	case TableVLANInterface, symbolMapOn:
		return Key{TableVLAN, need.Name}
	}
	return need
}

// everybodys reports whether a mark is of something that so many rows need that
// nobody looks for them: they are all rows.
func everybodys(mark Key) bool {
	switch mark.Table {
	case TablePort, TablePortChannel, TableTunnel, TableSAG, symbolNVO:
		return true
	}
	return false
}

// markOfClaim is the mark of a row that can exclude one of the agent's, if no
// other mark leads to it. The agent's rows claim a port for VLANs alone.
func markOfClaim(c claim) (Key, bool) {
	switch {
	case c.thing.kind == untaggedVLAN:
		return Key{markUntagged, c.thing.name}, true
	case c.thing.kind == port && c.use != inVLANs:
		return Key{markPort, c.thing.name}, true
	}
	return Key{}, false
}

// markOfExcluded is the mark of the rows that a claim can exclude.
func markOfExcluded(c claim) Key {
	switch c.thing.kind {
	case untaggedVLAN:
		return Key{markUntagged, c.thing.name}
	case port:
		return Key{markPort, c.thing.name}
	case vniOfVLAN:
		return Key{TableVLAN, c.thing.name}
	case vniAsMap, vniAsVRF:
		return Key{symbolVNI, c.thing.name}
	case address:
		return Key{symbolAddress, c.thing.name}
	}
	return Key{Table: symbolNVO}
}
