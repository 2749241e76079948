package sonic

import (
	"maps"
	"slices"
	"strings"
)

// numbering numbers rows in rising order of their keys. The work of a Diff then
// counts where it would otherwise compare and hash strings.
type numbering struct {
	keys []Key
	ids  map[Key]int32
}

// nowhere is the number of a row that none of the numbered databases has.
const nowhere = -1

func number(have, want DB, owned Ledger) *numbering {
	keys := make([]Key, 0, max(len(have), len(want), len(owned)))
	for key := range have {
		keys = append(keys, key)
	}
	for key := range want {
		if _, known := have[key]; !known {
			keys = append(keys, key)
		}
	}
	for key := range owned {
		if _, known := have[key]; known {
			continue
		}
		if _, known := want[key]; !known {
			keys = append(keys, key)
		}
	}
	n := &numbering{keys: sorted(keys), ids: make(map[Key]int32, len(keys))}
	for i, key := range n.keys {
		n.ids[key] = int32(i)
	}
	return n
}

// sorted gives keys in rising order: table by table, of which there are few.
func sorted(keys []Key) []Key {
	ends := map[string]int{}
	for i := range keys {
		ends[keys[i].Table]++
	}
	tables := slices.Sorted(maps.Keys(ends))
	at := 0
	for _, table := range tables {
		at, ends[table] = at+ends[table], at
	}
	all := make([]Key, len(keys))
	for _, key := range keys {
		all[ends[key.Table]] = key
		ends[key.Table]++
	}
	at = 0
	for _, table := range tables {
		slices.SortFunc(all[at:ends[table]], func(a, b Key) int { return strings.Compare(a.Name, b.Name) })
		at = ends[table]
	}
	return all
}

// id is the number of a row, or nowhere.
func (n *numbering) id(key Key) int32 {
	if id, ok := n.ids[key]; ok {
		return id
	}
	return nowhere
}

// side is one of the two databases of a Diff: what it has of the numbered rows.
type side struct {
	graph  *graph
	there  []bool
	fields []Fields
	needs  adjacency
	// after has the rows that a row is made after: those that it needs, and that
	// guard it.
	after adjacency
}

func newSide(db DB, n *numbering) *side {
	s := &side{there: make([]bool, len(n.keys)), fields: make([]Fields, len(n.keys))}
	tunnelMaps := 0
	for i, key := range n.keys {
		s.fields[i], s.there[i] = db[key]
		if s.there[i] && key.Table == TableTunnelMap {
			tunnelMaps++
		}
	}
	s.graph = emptyGraph(db, tunnelMaps)
	for i, key := range n.keys {
		if s.there[i] {
			s.graph.add(key, s.fields[i])
		}
	}
	s.needs, s.after = newAdjacency(len(n.keys), len(db)), newAdjacency(len(n.keys), len(db))
	for i := range n.keys {
		if s.there[i] {
			s.connect(n, int32(i))
		}
		s.needs.start[i+1], s.after.start[i+1] = int32(len(s.needs.list)), int32(len(s.after.list))
	}
	return s
}

// connect lists what the next row needs and comes after.
func (s *side) connect(n *numbering, i int32) {
	var buffer [8]Key
	needs := len(s.needs.list)
	for _, key := range s.graph.appendNeeds(buffer[:0], n.keys[i], s.fields[i]) {
		s.needs.list = append(s.needs.list, n.id(key))
	}
	s.after.list = append(s.after.list, s.needs.list[needs:]...)
	for _, key := range s.graph.appendGuards(buffer[:0], n.keys[i]) {
		s.after.list = append(s.after.list, n.id(key))
	}
}

// adjacency lists for each numbered row other ones.
type adjacency struct {
	start []int32
	list  []int32
}

// newAdjacency is one of a number of rows, of which some are there.
func newAdjacency(rows, there int) adjacency {
	return adjacency{start: make([]int32, rows+1), list: make([]int32, 0, 2*there)}
}

func (a adjacency) of(i int32) []int32 { return a.list[a.start[i]:a.start[i+1]] }

// users are the rows that are there by the row that they need, which may be
// missing.
func (s *side) users() adjacency {
	n := len(s.there)
	a := adjacency{start: make([]int32, n+1), list: make([]int32, len(s.needs.list))}
	for _, need := range s.needs.list {
		if need != nowhere {
			a.start[need+1]++
		}
	}
	for i := range n {
		a.start[i+1] += a.start[i]
	}
	next := slices.Clone(a.start)
	for i := range int32(n) {
		for _, need := range s.needs.of(i) {
			if need != nowhere {
				a.list[next[need]] = i
				next[need]++
			}
		}
	}
	return a
}

// levels sorts rows, given in rising order, by how many of the others have to
// be made one after the other before them; after says which rows a row comes
// after.
func (s *side) levels(rows []int32, after func(int32) []int32) [][]int32 {
	depths := make([]int32, len(s.there))
	for i := range depths {
		depths[i] = outside
	}
	for _, i := range rows {
		depths[i] = unknown
	}
	var levels [][]int32
	for _, i := range rows {
		d := depth(i, depths, after)
		for len(levels) <= int(d) {
			levels = append(levels, nil)
		}
		levels[d] = append(levels[d], i)
	}
	return levels
}

const (
	outside = -2 // the depth of a row that is not among those to be sorted
	unknown = -1 // the depth of one that is, as long as it is not known
)

// depth fills in the depth of a row. A cycle, which only a loopback in a VRF of
// its own tunnel can make, is cut where it closes.
func depth(i int32, depths []int32, after func(int32) []int32) int32 {
	if depths[i] >= 0 {
		return depths[i]
	}
	depths[i] = 0
	deepest := int32(0)
	for _, earlier := range after(i) {
		if earlier != nowhere && depths[earlier] != outside {
			deepest = max(deepest, depth(earlier, depths, after)+1)
		}
	}
	depths[i] = deepest
	return deepest
}
