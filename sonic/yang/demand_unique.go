package yang

import (
	"slices"
	"strings"

	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang/xpath"
)

// unique: two rows that have the same values in certain fields (RFC 7950, 7.8.3).
// Rows that lack one of them do not count. The violation is the later row's.
func (c *Checker) unique(r *constraint, place int32) []Violation {
	s := c.shelves[r.at.id]
	mine, ok := c.tuple(r.unique, place)
	if !ok {
		return nil
	}
	var names []string
	for _, n := range r.unique {
		names = append(names, n.name)
	}
	for other := range c.alike(s, r.unique[0], mine[0]) {
		theirs, ok := c.tuple(r.unique, other)
		if !ok || !slices.Equal(mine, theirs) || s.rows[other].name >= s.rows[place].name {
			continue
		}
		v := c.violation(xpath.Node{Schema: r.at.id, Row: place}, Unique, "another row has the same "+strings.Join(names, " and "))
		v.Field, v.Value = names[0], mine[0]
		v.Others = []sonic.Key{c.firstAlike(r, s, mine)}
		return []Violation{v}
	}
	return nil
}

// firstAlike is the first of the rows with the same values.
func (c *Checker) firstAlike(r *constraint, s *shelf, mine []string) sonic.Key {
	best := ""
	for other := range c.alike(s, r.unique[0], mine[0]) {
		theirs, ok := c.tuple(r.unique, other)
		if name := s.rows[other].name; ok && slices.Equal(mine, theirs) && (best == "" || name < best) {
			best = name
		}
	}
	return sonic.Key{Table: r.at.table().name, Name: best}
}

// alike are the rows with a value in a leaf, as far as an index can tell.
func (c *Checker) alike(s *shelf, leaf *node, value string) func(func(int32) bool) {
	if leaf.indexable() {
		return s.index(leaf).each(value)
	}
	return s.live
}

func (c *Checker) tuple(leaves []*node, place int32) ([]string, bool) {
	var out []string
	for _, n := range leaves {
		text, ok := c.leaf(xpath.Node{Schema: n.id, Row: place})
		if !ok {
			return nil, false
		}
		out = append(out, text)
	}
	return out, true
}

// duplicate: a row that is another one, differently written. To libyang they have
// the same keys.
func (c *Checker) duplicate(r *constraint, at int32) []Violation {
	s := c.shelves[r.at.id]
	name := s.rows[at].name
	if s.odd == 0 {
		return nil
	}
	canonical := s.canonicalName(at)
	if canonical == name {
		return nil
	}
	other := ""
	if s.find(canonical) != none {
		other = canonical
	} else {
		for p := range s.live {
			if n := s.rows[p].name; n < name && (other == "" || n < other) && s.canonicalName(p) == canonical {
				other = n
			}
		}
	}
	if other == "" {
		return nil
	}
	v := c.violation(xpath.Node{Schema: r.at.id, Row: at}, DuplicateKey, "it is another row, differently written")
	v.Others = []sonic.Key{{Table: r.at.table().name, Name: other}}
	return []Violation{v}
}
