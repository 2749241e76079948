package yang

import (
	"cmp"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang/datatype"
)

// Schema is what the YANG models of a box say about CONFIG_DB, without what is
// not needed to check it. It is immutable and safe for use by several goroutines.
type Schema struct {
	nodes       []*node // by id; the first one is the root
	tables      map[string]*node
	constraints []*constraint // by id
	readers     [][]*dep      // by the id of a row node: what depends on its rows
	unchecked   []string
}

// kind says what instances a schema node has in CONFIG_DB.
type kind uint8

const (
	_ kind = iota
	rootKind
	moduleKind    // the container named after its module
	tableKind     // a table: one instance, always there
	listKind      // rows of a table: an instance for each
	fixedKind     // a row with a fixed name: one instance, always there
	containerKind // below a row; one instance for each, always there
	mapKind       // a list below a row whose entries are the row's fields
	leafKind
	leafListKind
)

// node is a node of the schema. Choices and cases are no nodes: what is in them
// is a child of the node that they are in.
type node struct {
	id          int32
	kind        kind
	name        string
	parent      *node
	row         *node   // the row that the node is or is in, nil for what is above
	children    []*node // in the order of the model
	byName      []*node
	keys        []*node // of a list
	key         int     // of a leaf: its place among the keys, or -1
	typ         *datatype.Type
	defaults    []string // in canonical form
	mandatory   bool
	min, max    int // elements; max 0 is no limit
	unique      [][]*node
	branches    []branch // the choices and cases that the node is in, from outside
	choices     []*choice
	whens       []*constraint
	constraints []*constraint // of a row node and of a table: all that are checked for it
	canonical   bool          // of a list: that two keys are one may not be seen in their text
}

// choice is a choice statement.
type choice struct {
	name      string
	mandatory bool
	standard  int // the default case, or -1
	whens     []*constraint
}

type branch struct {
	choice *choice
	index  int // of the case
}

// child is the child of a name, or nil.
func (n *node) child(name string) *node {
	i, ok := slices.BinarySearchFunc(n.byName, name, func(c *node, name string) int { return strings.Compare(c.name, name) })
	if !ok {
		return nil
	}
	return n.byName[i]
}

func (n *node) isRow() bool { return n.kind == listKind || n.kind == fixedKind }

func (n *node) isLeaf() bool { return n.kind == leafKind || n.kind == leafListKind }

// table is the table that a node is or is in, or nil.
func (n *node) table() *node {
	for n != nil && n.kind != tableKind {
		n = n.parent
	}
	return n
}

// indexable reports whether rows can be found by the value of a leaf: it has one
// value per row, which depends on nothing else.
func (n *node) indexable() bool {
	if n.kind != leafKind || n.parent != n.row {
		return false
	}
	return n.key >= 0 || len(n.defaults) == 0 || len(n.branches) == 0 && !n.conditional()
}

// conditional reports whether a when decides about a node or one above it.
func (n *node) conditional() bool {
	for ; n != nil; n = n.parent {
		if len(n.whens) > 0 {
			return true
		}
	}
	return false
}

func (n *node) sort() {
	n.byName = slices.SortedFunc(slices.Values(n.children), func(a, b *node) int { return cmp.Compare(a.name, b.name) })
}

// Table reports whether the models know a table. SONiC's tools leave those that
// they do not know unchecked, and some of them refuse to work with such a table.
func (s *Schema) Table(name string) bool { return s.tables[name] != nil }

// Tables are the names of the tables that the models know, in rising order.
func (s *Schema) Tables() []string {
	names := make([]string, 0, len(s.tables))
	for name := range s.tables {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Field reports whether the models know a field of a row; a list's name may end
// in "@" as in Redis. For a row of a table that is a map, such as
// DSCP_TO_TC_MAP, every field is known.
func (s *Schema) Field(key sonic.Key, field string) bool {
	table := s.tables[key.Table]
	if table == nil {
		return false
	}
	for _, row := range table.candidates(key.Name) {
		if row.fieldNode(field) != nil {
			return true
		}
	}
	return false
}

// Unchecked is what of the models is not checked because it is not understood.
func (s *Schema) Unchecked() []string { return s.unchecked }
