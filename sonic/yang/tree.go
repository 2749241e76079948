package yang

import (
	"strings"

	"github.com/switchlet/switchlet/sonic/yang/xpath"
)

// tree is the rows of a box as the tree that the models describe. Nothing of it
// is stored: a node is its schema node and, below a row, the row's place.
type tree struct {
	schema  *Schema
	shelves []*shelf // by the id of the row node
	// asking are the evaluators of whens that decide about defaults, one for each
	// depth: such a when may look at defaults itself.
	asking []*xpath.Evaluator
	depth  int
}

// maxAsking bounds how deep whens may depend on each other.
const maxAsking = 8

func newTree(schema *Schema) *tree {
	t := &tree{schema: schema, shelves: make([]*shelf, len(schema.nodes))}
	for _, n := range schema.nodes {
		if !n.isRow() {
			continue
		}
		s := &shelf{node: n, indexes: map[int32]*index{}}
		s.byName = newIndex(func(place int32) (string, bool) { return s.rows[place].name, s.rows[place].live })
		if n.kind == fixedKind {
			s.rows = []row{{name: n.name}}
		}
		t.shelves[n.id] = s
	}
	for range maxAsking {
		t.asking = append(t.asking, xpath.NewEvaluator(view{t}))
	}
	return t
}

func (t *tree) row(n *node, place int32) *row { return &t.shelves[n.row.id].rows[place] }

// nameOf is the name of a node.
func (t *tree) nameOf(x xpath.Node) string { return t.schema.nodes[x.Schema].name }

// parentOf is the node above.
func (t *tree) parentOf(x xpath.Node) (xpath.Node, bool) {
	n := t.schema.nodes[x.Schema]
	up := n.parent
	if up == nil {
		return xpath.Node{}, false
	}
	p := xpath.Node{Schema: up.id}
	if up.row != nil {
		p.Row = x.Row
	}
	if up.kind == mapKind {
		p.Item = x.Item
	}
	return p, true
}

// appendChildren appends the nodes below.
func (t *tree) appendChildren(list []xpath.Node, x xpath.Node, name string) []xpath.Node {
	n := t.schema.nodes[x.Schema]
	if name != "*" {
		if c := n.child(name); c != nil {
			return t.appendInstances(list, x, c)
		}
		return list
	}
	for _, c := range n.children {
		list = t.appendInstances(list, x, c)
	}
	return list
}

// appendInstances appends the instances of a schema node below a node.
func (t *tree) appendInstances(list []xpath.Node, above xpath.Node, n *node) []xpath.Node {
	x := xpath.Node{Schema: n.id, Row: above.Row, Item: above.Item}
	switch n.kind {
	case listKind:
		for place := range t.shelves[n.id].live {
			list = append(list, xpath.Node{Schema: n.id, Row: place})
		}
		return list
	case fixedKind:
		x.Row = 0
	case mapKind:
		if n.row.mapList() == n {
			for i := range t.row(n, above.Row).fields {
				list = append(list, xpath.Node{Schema: n.id, Row: above.Row, Item: int32(i)})
			}
		}
		return list
	case leafKind:
		if _, ok := t.leaf(x); !ok {
			return list
		}
	case leafListKind:
		for i := range t.leafList(x) {
			list = append(list, xpath.Node{Schema: n.id, Row: above.Row, Item: int32(i)})
		}
		return list
	default: // one instance, always there
	}
	return append(list, x)
}

// appendWhere appends the rows of a list that have a leaf of a value.
func (t *tree) appendWhere(list []xpath.Node, x xpath.Node, name, leaf, value string) ([]xpath.Node, bool) {
	n := t.schema.nodes[x.Schema].child(name)
	if n == nil || n.kind != listKind {
		return list, false
	}
	l := n.child(leaf)
	if l == nil || !l.indexable() {
		return list, false
	}
	for place := range t.shelves[n.id].index(l).each(value) {
		list = append(list, xpath.Node{Schema: n.id, Row: place})
	}
	return list, true
}

// text is the value of a leaf, in canonical form.
func (t *tree) text(x xpath.Node) string {
	n := t.schema.nodes[x.Schema]
	switch n.kind {
	case leafKind:
		text, _ := t.leaf(x)
		return text
	case leafListKind:
		if list := t.leafList(x); int(x.Item) < len(list) {
			return list[x.Item]
		}
		return ""
	default:
		var b strings.Builder
		for _, c := range t.appendChildren(nil, x, "*") {
			b.WriteString(t.text(c))
		}
		return b.String()
	}
}

// leaf is the value of a leaf, if it is there: it stands in its row, or there is
// a default.
func (t *tree) leaf(x xpath.Node) (string, bool) {
	n := t.schema.nodes[x.Schema]
	if n.row == nil {
		return t.standard(x)
	}
	r := t.row(n, x.Row)
	if n.parent.kind == mapKind {
		if n.parent != n.row.mapList() || int(x.Item) >= len(r.fields) {
			return "", false
		}
		f := r.fields[x.Item]
		if n.key >= 0 {
			return n.typ.Canonical(f.Name, true), true
		}
		return n.typ.Canonical(f.Value, true), n.parent.mapValue() == n
	}
	if f, ok := r.raw(n); ok {
		return n.canonicalOf(f), true
	}
	return t.standard(x)
}

func (t *tree) leafList(x xpath.Node) []string {
	n := t.schema.nodes[x.Schema]
	if n.row == nil || n.parent != n.row {
		if t.allowed(n, x) {
			return n.defaults
		}
		return nil
	}
	r := t.row(n, x.Row)
	if f, ok := r.raw(n); (!ok || len(n.elements(f)) == 0) && !t.allowed(n, x) {
		return nil
	}
	return r.values(n)
}

// before is document order: rows by their names, what is in one row as in the
// model.
func (t *tree) before(a, b xpath.Node) bool {
	m, n := t.schema.nodes[a.Schema], t.schema.nodes[b.Schema]
	if m.row != nil && m.row == n.row && a.Row != b.Row {
		return t.row(m, a.Row).name < t.row(n, b.Row).name
	}
	if a.Schema != b.Schema {
		return a.Schema < b.Schema
	}
	return a.Item < b.Item
}
