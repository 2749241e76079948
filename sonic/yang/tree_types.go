package yang

import (
	"slices"

	"github.com/switchlet/switchlet/sonic/yang/datatype"
	"github.com/switchlet/switchlet/sonic/yang/xpath"
)

// appendTargets appends what a leafref refers to.
func (t *tree) appendTargets(list []xpath.Node, x xpath.Node) []xpath.Node {
	n := t.schema.nodes[x.Schema]
	if !n.isLeaf() || t.depth == maxAsking {
		return list
	}
	ask := t.asking[t.depth]
	t.depth++
	defer func() { t.depth-- }()
	for _, ref := range references(n.typ, nil) {
		nodes, err := ask.Nodes(ref.path, x)
		for _, target := range nodes {
			if err == nil && t.text(target) == t.text(x) {
				list = append(list, target)
			}
		}
	}
	return list
}

// enum is the number of an enum.
func (t *tree) enum(x xpath.Node) (int64, bool) {
	name, ok := t.named(x, datatype.Enumeration)
	return name.Number, ok
}

// derived reports whether a leaf's identity is derived from another one.
func (t *tree) derived(x xpath.Node, identity string, self bool) bool {
	name, ok := t.named(x, datatype.IdentityRef)
	return ok && (self && name.Name == local(identity) || slices.Contains(name.Bases, local(identity)))
}

func (t *tree) named(x xpath.Node, base datatype.Base) (datatype.Name, bool) {
	n := t.schema.nodes[x.Schema]
	if !n.isLeaf() || n.typ.Base != base {
		return datatype.Name{}, false
	}
	text := t.text(x)
	for _, name := range n.typ.Names {
		if name.Name == text {
			return name, true
		}
	}
	return datatype.Name{}, false
}
