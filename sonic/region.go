package sonic

// region is the part of two databases that a change can concern, so that a Diff
// costs what the change is worth and not what the switch has: the rows that are
// not as wanted, whatever needs them, whatever these need, and what excludes
// them.
type region struct {
	have, want DB
	owned      Ledger

	// changing are the rows that may change, and by their symbols what they
	// stand for in the eyes of other rows.
	changing map[Key]struct{}
	symbols  map[Key]struct{}
	// rest are rows that do not change themselves.
	rest map[Key]struct{}
	// providers are the rows that symbols may stand for.
	providers []Row
}

// Tables of symbols, which stand for rows that others need without naming them.
const (
	symbolVNI     = "the map of VNI"
	symbolMapOn   = "the map on VLAN"
	symbolNVO     = "the NVO"
	symbolAddress = "the loopback with address"
)

// narrow gives the parts of the databases that seeds can concern.
// Users says whether the rows that need them are to be looked for.
func narrow(stuck Stuck, seeds []Key, have, want DB, owned Ledger, users bool) (Stuck, DB, DB, Ledger) {
	r := region{have: have, want: want, owned: owned,
		changing: make(map[Key]struct{}, 2*len(seeds)), symbols: make(map[Key]struct{}, 2*len(seeds)), rest: map[Key]struct{}{}}
	for _, key := range seeds {
		r.change(key)
	}
	for users && r.spread() {
	}
	r.foundations()
	have, want, owned = r.cut()
	return stuck, have, want, owned
}

// change adds a row that may change.
func (r *region) change(key Key) {
	r.changing[key] = struct{}{}
	for _, fields := range []Fields{r.have[key], r.want[key]} {
		if symbol, ok := symbolOf(key, fields); ok {
			r.symbols[symbol] = struct{}{}
		}
		if key.Table == TableTunnelMap {
			r.symbols[Key{symbolMapOn, fields.value(fieldVLAN)}] = struct{}{}
		}
	}
}

// symbolOf is what a row stands for.
func symbolOf(key Key, fields Fields) (Key, bool) {
	switch key.Table {
	case TableNVO:
		return Key{Table: symbolNVO}, true
	case TableTunnelMap:
		return Key{symbolVNI, fields.value(fieldVNI)}, true
	case TableLoopback:
		address, ok := loopbackAddress(key)
		return Key{symbolAddress, address}, ok
	}
	return Key{}, false
}

// spread adds the rows that need, or are guarded by, one that may change, and
// reports whether there were any.
func (r *region) spread() bool {
	before := len(r.changing)
	for _, db := range []DB{r.have, r.want} {
		if !r.touches(db) {
			continue
		}
		var buffer [8]Key
		for key, fields := range db {
			if _, ok := r.changing[key]; !ok && r.needs(appendSymbolic(buffer[:0], key, fields)) {
				r.change(key)
			}
		}
	}
	return len(r.changing) > before
}

// touches reports whether the database has a row that may change.
func (r *region) touches(db DB) bool {
	for key := range r.changing {
		if _, ok := db[key]; ok {
			return true
		}
	}
	return false
}

func (r *region) needs(needs []Key) bool {
	for _, need := range needs {
		if _, ok := r.changing[need]; ok {
			return true
		}
		if _, ok := r.symbols[need]; ok {
			return true
		}
	}
	return false
}

// appendSymbolic appends the rows that a row needs or is guarded by: by name, or
// by a symbol.
func appendSymbolic(list []Key, key Key, fields Fields) []Key {
	first, rest := key.split()
	switch key.Table {
	case TableVLANMember:
		return append(list, Key{TableVLAN, first}, portKey(rest), Key{TableVLANInterface, first}, Key{symbolMapOn, first})
	case TableVRF:
		return append(list, Key{symbolVNI, fields.value(fieldVNI)}, Key{Table: symbolNVO})
	case TableTunnelMap:
		return append(list, Key{TableTunnel, first}, Key{TableVLAN, fields.value(fieldVLAN)}, Key{Table: symbolNVO})
	case TableTunnel:
		return append(list, Key{symbolAddress, fields.value(fieldSourceIP)})
	}
	g := graph{db: DB{key: fields}}
	return g.appendNeeds(list, key)
}

// foundations adds what the rows that may change stand on, in turn, and what
// excludes them.
func (r *region) foundations() {
	wanted := map[Key]struct{}{} // by name or symbol
	claimed := map[thing][]claim{}
	queue := make([]Key, 0, len(r.changing))
	for key := range r.changing {
		queue = append(queue, key)
		for _, claim := range appendClaims(nil, key, r.want[key]) {
			claimed[claim.thing] = append(claimed[claim.thing], claim)
		}
	}
	r.survey(claimed)
	for key := range r.rest {
		queue = append(queue, key)
	}
	for len(queue) > 0 {
		r.follow(queue, wanted)
		queue = r.collect(wanted)
	}
}

// survey finds the rows that symbols may stand for, and adds those that exclude
// rows that may change.
func (r *region) survey(claimed map[thing][]claim) {
	for _, db := range []DB{r.have, r.want} {
		for key, fields := range db {
			switch key.Table {
			case TableVLAN, TableVLANInterface:
				continue // most rows, with neither symbols nor claims
			case TableTunnelMap, TableNVO, TableLoopback, TableTunnel:
				r.providers = append(r.providers, Row{key, fields})
			}
			if key.Table == TableTunnel || excluded(key, fields, claimed) {
				r.rest[key] = struct{}{}
			}
		}
	}
}

// follow adds what rows need to wanted.
func (r *region) follow(rows []Key, wanted map[Key]struct{}) {
	var buffer [8]Key
	for _, key := range rows {
		for _, db := range []DB{r.have, r.want} {
			fields, ok := db[key]
			if !ok {
				continue
			}
			for _, need := range appendSymbolic(buffer[:0], key, fields) {
				wanted[need] = struct{}{}
			}
		}
	}
}

// collect adds the rows that are wanted, and gives those that are new.
func (r *region) collect(wanted map[Key]struct{}) []Key {
	var fresh []Key
	add := func(key Key) {
		if _, ok := r.changing[key]; ok {
			return
		}
		if _, ok := r.rest[key]; !ok {
			r.rest[key] = struct{}{}
			fresh = append(fresh, key)
		}
	}
	symbolic := false
	for need := range wanted {
		switch need.Table {
		case symbolVNI, symbolMapOn, symbolNVO, symbolAddress:
			symbolic = true
		default:
			add(need)
		}
	}
	for _, row := range r.providers {
		if symbolic && stands(row.Key, row.Fields, wanted) {
			add(row.Key)
		}
	}
	clear(wanted)
	return fresh
}

// stands reports whether a row stands for one of the wanted symbols.
func stands(key Key, fields Fields, wanted map[Key]struct{}) bool {
	if key.Table == TableTunnelMap {
		if _, ok := wanted[Key{symbolMapOn, fields.value(fieldVLAN)}]; ok {
			return true
		}
	}
	symbol, ok := symbolOf(key, fields)
	if !ok {
		return false
	}
	_, ok = wanted[symbol]
	return ok
}

// excluded reports whether a row claims one of the things for another use.
func excluded(key Key, fields Fields, claimed map[thing][]claim) bool {
	if len(claimed) == 0 {
		return false
	}
	var buffer [2]claim
	for _, their := range appendClaims(buffer[:0], key, fields) {
		for _, mine := range claimed[their.thing] {
			if mine.excludes(their) {
				return true
			}
		}
	}
	return false
}

// cut gives the parts of the databases and of the record.
func (r *region) cut() (DB, DB, Ledger) {
	have, want, owned := DB{}, DB{}, Ledger{}
	for _, keys := range []map[Key]struct{}{r.changing, r.rest} {
		for key := range keys {
			if fields, ok := r.have[key]; ok {
				have[key] = fields
			}
			if fields, ok := r.want[key]; ok {
				want[key] = fields
			}
			if names, ok := r.owned[key]; ok {
				owned[key] = names
			}
		}
	}
	return have, want, owned
}
