package sonic

import "slices"

// side is one of the two databases of a Diff: what it has of the numbered rows.
type side struct {
	db     DB
	graph  *graph
	there  []bool
	fields []Fields
	needs  adjacency
	// after has the rows that a row is made after: those that it needs, and that
	// guard it.
	after adjacency
}

// put notes the fields of a row by its number.
func (s *side) put(i int32, fields Fields) {
	for len(s.there) <= int(i) {
		s.there, s.fields = append(s.there, false), append(s.fields, nil)
	}
	s.there[i], s.fields[i] = true, fields
}

// sort brings the rows into the order of the final numbers.
func (s *side) sort(order []place) {
	there, fields := make([]bool, len(order)), make([]Fields, len(order))
	for i, place := range order {
		if int(place.id) < len(s.there) {
			there[i], fields[i] = s.there[place.id], s.fields[place.id]
		}
	}
	s.there, s.fields = there, fields
}

// relate finds out which row needs which.
func (s *side) relate(n *numbering) {
	tunnelMaps := 0
	for i := range n.keys {
		if s.there[i] && n.keys[i].Table == TableTunnelMap {
			tunnelMaps++
		}
	}
	s.graph = emptyGraph(s.db, tunnelMaps)
	for i := range n.keys {
		if s.there[i] {
			s.graph.add(n.keys[i], s.fields[i])
		}
	}
	s.needs, s.after = newAdjacency(len(n.keys), len(s.db)), newAdjacency(len(n.keys), len(s.db))
	for i := range n.keys {
		if s.there[i] {
			s.connect(n, int32(i))
		}
		s.needs.start[i+1], s.after.start[i+1] = int32(len(s.needs.list)), int32(len(s.after.list))
	}
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
	var sizes []int
	for _, i := range rows {
		d := int(depth(i, depths, after))
		for len(sizes) <= d {
			sizes = append(sizes, 0)
		}
		sizes[d]++
	}
	levels := make([][]int32, len(sizes))
	for d, size := range sizes {
		levels[d] = make([]int32, 0, size)
	}
	for _, i := range rows {
		levels[depths[i]] = append(levels[depths[i]], i)
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
