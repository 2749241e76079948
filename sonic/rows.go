package sonic

import "slices"

// numbering numbers rows in rising order of their keys. The work of a Diff then
// counts where it would otherwise compare and hash strings.
type numbering struct {
	keys []Key
	ids  map[Key]int32
}

// nowhere is the number of a row that none of the numbered databases has.
const nowhere = -1

func number(have, want DB, owned Ledger) *numbering {
	n := &numbering{ids: make(map[Key]int32, max(len(have), len(want), len(owned)))}
	add := func(key Key) {
		if _, ok := n.ids[key]; !ok {
			n.ids[key] = nowhere
			n.keys = append(n.keys, key)
		}
	}
	for key := range have {
		add(key)
	}
	for key := range want {
		add(key)
	}
	for key := range owned {
		add(key)
	}
	slices.SortFunc(n.keys, Key.Compare)
	for i, key := range n.keys {
		n.ids[key] = int32(i)
	}
	return n
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
}

func newSide(db DB, n *numbering) *side {
	s := &side{graph: newGraph(db), there: make([]bool, len(n.keys)), fields: make([]Fields, len(n.keys))}
	s.needs.start = make([]int32, len(n.keys)+1)
	s.needs.list = make([]int32, 0, 2*len(db))
	var buffer [8]Key
	for i, key := range n.keys {
		if s.fields[i], s.there[i] = db[key]; s.there[i] {
			for _, need := range s.graph.appendNeeds(buffer[:0], key) {
				s.needs.list = append(s.needs.list, n.id(need))
			}
		}
		s.needs.start[i+1] = int32(len(s.needs.list))
	}
	return s
}

// adjacency lists for each numbered row other ones.
type adjacency struct {
	start []int32
	list  []int32
}

func (a adjacency) of(i int32) []int32 { return a.list[a.start[i]:a.start[i+1]] }

// users are the rows that are there by the row that they need.
func (s *side) users() adjacency {
	n := len(s.there)
	a := adjacency{start: make([]int32, n+1), list: make([]int32, len(s.needs.list))}
	for _, need := range s.needs.list {
		if need != nowhere && s.there[need] {
			a.start[need+1]++
		}
	}
	for i := range n {
		a.start[i+1] += a.start[i]
	}
	next := slices.Clone(a.start)
	for i := range int32(n) {
		for _, need := range s.needs.of(i) {
			if need != nowhere && s.there[need] {
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
