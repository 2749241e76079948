package yang

import "github.com/switchlet/switchlet/sonic/yang/xpath"

// view shows a tree to expressions.
type view struct{ t *tree }

var _ xpath.Tree = view{}

func (v view) Root() xpath.Node                                { return xpath.Node{} }
func (v view) Parent(n xpath.Node) (xpath.Node, bool)          { return v.t.parentOf(n) }
func (v view) Name(n xpath.Node) string                        { return v.t.nameOf(n) }
func (v view) Text(n xpath.Node) string                        { return v.t.text(n) }
func (v view) Before(a, b xpath.Node) bool                     { return v.t.before(a, b) }
func (v view) Enum(n xpath.Node) (int64, bool)                 { return v.t.enum(n) }
func (v view) Derived(n xpath.Node, id string, self bool) bool { return v.t.derived(n, id, self) }

func (v view) AppendChildren(list []xpath.Node, n xpath.Node, name string) []xpath.Node {
	return v.t.appendChildren(list, n, name)
}

func (v view) AppendWhere(list []xpath.Node, n xpath.Node, name, leaf, value string) ([]xpath.Node, bool) {
	return v.t.appendWhere(list, n, name, leaf, value)
}

func (v view) AppendTargets(list []xpath.Node, n xpath.Node) []xpath.Node {
	return v.t.appendTargets(list, n)
}

// shape shows a schema to the analysis of expressions.
type shape struct{ s *Schema }

var _ xpath.Shape = shape{}

func (sh shape) RootShape() int32 { return 0 }

func (sh shape) ParentShape(id int32) (int32, bool) {
	if p := sh.s.nodes[id].parent; p != nil {
		return p.id, true
	}
	return 0, false
}

func (sh shape) ChildShapes(id int32, name string) []int32 {
	var out []int32
	for _, c := range sh.s.nodes[id].children {
		if name == "*" || c.name == name {
			out = append(out, c.id)
		}
	}
	return out
}

func (sh shape) IsRow(id int32) bool { return sh.s.nodes[id].isRow() }
