package sonic

import "slices"

// region is the part of a Balance that a change can concern, so that a Diff
// costs what the change is worth and not what the switch has: the rows that are
// not as wanted, whatever needs them, whatever these need, and what excludes
// them.
type region struct {
	*Balance

	// changing are the rows that may change, and by their symbols what they
	// stand for in the eyes of other rows.
	changing map[Key]struct{}
	symbols  map[Key]struct{}
	// fresh are those of changing and symbols whose users were not looked for.
	fresh []Key
	// rest are rows that do not change themselves.
	rest map[Key]struct{}
}

// narrow gives the parts of the databases that seeds can concern. Users says
// whether the rows that need them are to be looked for; it reports false if
// these can be any.
func (b *Balance) narrow(seeds []Key, users bool) (have, want DB, owned Ledger, ok bool) {
	r := region{Balance: b, changing: make(map[Key]struct{}, 2*len(seeds)), symbols: make(map[Key]struct{}, 2*len(seeds)), rest: map[Key]struct{}{}}
	for _, key := range seeds {
		r.change(key)
	}
	if users && !r.spread() {
		return nil, nil, nil, false
	}
	r.foundations()
	have, want, owned = r.cut()
	return have, want, owned, true
}

// change adds a row that may change.
func (r *region) change(key Key) {
	r.changing[key] = struct{}{}
	r.fresh = append(r.fresh, key)
	for _, fields := range []Fields{r.have[key], r.want[key]} {
		if symbol, ok := symbolOf(key, fields); ok {
			r.stand(symbol)
		}
		if key.Table == TableTunnelMap {
			r.stand(Key{symbolMapOn, fields.value(fieldVLAN)})
		}
	}
}

func (r *region) stand(symbol Key) {
	r.symbols[symbol] = struct{}{}
	r.fresh = append(r.fresh, symbol)
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

// spread adds the rows that need, or are guarded by, one that may change. It
// reports false if there is one that everybody needs.
func (r *region) spread() bool {
	var buffer [8]Key
	for len(r.fresh) > 0 {
		mark := markOf(r.fresh[0])
		r.fresh = r.fresh[1:]
		if everybodys(mark) {
			return false
		}
		for _, user := range r.related.rows[mark] {
			if _, ok := r.changing[user]; ok {
				continue
			}
			for _, db := range []DB{r.have, r.want} {
				if fields, ok := db[user]; ok && r.needs(appendSymbolic(buffer[:0], user, fields)) {
					r.change(user)
					break
				}
			}
		}
	}
	return true
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
	return appendNamed(list, key, fields)
}

// foundations adds what the rows that may change stand on, in turn, and what
// excludes them.
func (r *region) foundations() {
	queue := make([]Key, 0, 2*len(r.changing))
	for key := range r.changing {
		queue = append(queue, key)
		r.exclude(key)
	}
	for _, key := range r.related.rows[Key{Table: markTunnel}] { // there can be two
		r.rest[key] = struct{}{}
	}
	for key := range r.rest {
		queue = append(queue, key)
	}
	for wanted := map[Key]struct{}{}; len(queue) > 0; { // by name or symbol
		r.follow(queue, wanted)
		queue = r.collect(wanted)
	}
}

// exclude adds the rows that exclude a wanted one.
func (r *region) exclude(key Key) {
	var mine, theirs [2]claim
	for _, claim := range appendClaims(mine[:0], key, r.want[key]) {
		for _, other := range r.related.rows[markOfExcluded(claim)] {
			for _, db := range []DB{r.have, r.want} {
				fields, ok := db[other]
				if ok && slices.ContainsFunc(appendClaims(theirs[:0], other, fields), claim.excludes) {
					r.rest[other] = struct{}{}
				}
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
	for need := range wanted {
		switch need.Table {
		case symbolVNI, symbolMapOn, symbolNVO, symbolAddress:
			for _, key := range r.related.rows[markOf(need)] {
				if stands(key, r.have[key], wanted) || stands(key, r.want[key], wanted) {
					add(key)
				}
			}
		default:
			add(need)
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
