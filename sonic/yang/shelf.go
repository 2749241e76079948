package yang

import (
	"hash/maphash"

	"github.com/switchlet/switchlet/sonic"
)

// shelf is the rows of one row node: of a list, or the one with a fixed name. A
// row is named by its place. Places of deleted rows are used again.
type shelf struct {
	node    *node
	rows    []row
	free    []int32
	byName  index
	indexes map[int32]*index // by leaf
	odd     int              // rows whose keys are not in canonical form
}

type row struct {
	name   string
	fields sonic.Fields
	live   bool
}

// index finds rows by a text: a hash table whose chains run through next. It has
// eight bytes for each row; the texts are looked up in the rows.
type index struct {
	text  func(place int32) (string, bool)
	seed  maphash.Seed
	heads []int32 // the first row of each chain
	next  []int32 // by row: the next one of its chain
	size  int
}

const none int32 = -1

func newIndex(text func(place int32) (string, bool)) index {
	return index{text: text, seed: maphash.MakeSeed()}
}

func (x *index) chain(text string) *int32 {
	return &x.heads[maphash.String(x.seed, text)&uint64(len(x.heads)-1)]
}

// add adds a row that has its text now.
func (x *index) add(place int32) {
	for int(place) >= len(x.next) {
		x.next = append(x.next, none)
	}
	text, ok := x.text(place)
	if !ok {
		return
	}
	if x.size++; x.size > len(x.heads) {
		x.grow()
	}
	head := x.chain(text)
	x.next[place], *head = *head, place
}

// remove removes a row that still has its text.
func (x *index) remove(place int32) {
	text, ok := x.text(place)
	if !ok {
		return
	}
	x.size--
	at := x.chain(text)
	for *at != place {
		at = &x.next[*at]
	}
	*at, x.next[place] = x.next[place], none
}

// grow makes the table twice as large. The row that is being added is not in a
// chain yet.
func (x *index) grow() {
	old := x.heads
	x.heads = make([]int32, max(8, 2*len(old)))
	for i := range x.heads {
		x.heads[i] = none
	}
	for _, place := range old {
		for place != none {
			following := x.next[place]
			text, _ := x.text(place)
			head := x.chain(text)
			x.next[place], *head = *head, place
			place = following
		}
	}
}

// each calls yield with the rows that have a text.
func (x *index) each(text string) func(yield func(int32) bool) {
	return func(yield func(int32) bool) {
		if len(x.heads) == 0 {
			return
		}
		for place := *x.chain(text); place != none; place = x.next[place] {
			if t, _ := x.text(place); t == text && !yield(place) {
				return
			}
		}
	}
}

// find is the place of a row, or none.
func (s *shelf) find(name string) int32 {
	for place := range s.byName.each(name) {
		return place
	}
	return none
}

// live are the places of the rows that are there.
func (s *shelf) live(yield func(int32) bool) {
	for i := range s.rows {
		if s.rows[i].live && !yield(int32(i)) {
			return
		}
	}
}

// take is a place for a new row.
func (s *shelf) take() int32 {
	if n := len(s.free); n > 0 {
		place := s.free[n-1]
		s.free = s.free[:n-1]
		return place
	}
	s.rows = append(s.rows, row{})
	return int32(len(s.rows) - 1)
}

// set makes a row what it is to be, or nothing, and keeps the indexes current.
func (s *shelf) set(place int32, r row) {
	if s.rows[place].live {
		s.byName.remove(place)
		for _, x := range s.indexes {
			x.remove(place)
		}
		s.odd -= s.oddness(place)
	}
	s.rows[place] = r
	if !r.live {
		return
	}
	s.byName.add(place)
	for _, x := range s.indexes {
		x.add(place)
	}
	s.odd += s.oddness(place)
}

// oddness is 1 for a row whose keys are written in another form than the one
// that rows are compared in.
func (s *shelf) oddness(place int32) int {
	if s.node.kind == listKind && s.canonicalName(place) != s.rows[place].name {
		return 1
	}
	return 0
}

// canonicalName is the name of a row with its keys in canonical form.
func (s *shelf) canonicalName(place int32) string {
	name := s.rows[place].name
	if !s.node.canonical && !hasSpace(name) {
		return name
	}
	var out []byte
	for i, k := range s.node.keys {
		if i > 0 {
			out = append(out, sonic.Separator[0])
		}
		out = append(out, k.typ.Canonical(part(name, i), true)...)
	}
	return string(out)
}

func hasSpace(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x80 {
			return true
		}
	}
	return false
}

// index is the index of a leaf, which is made when it is first asked for.
func (s *shelf) index(leaf *node) *index {
	x := s.indexes[leaf.id]
	if x != nil {
		return x
	}
	made := newIndex(func(place int32) (string, bool) { return s.rows[place].value(leaf) })
	x = &made
	for place := range s.live {
		x.add(place)
	}
	s.indexes[leaf.id] = x
	return x
}
