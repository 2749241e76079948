package yang

import (
	"github.com/openconfig/goyang/pkg/yang"

	"github.com/switchlet/switchlet/sonic/yang/datatype"
	"github.com/switchlet/switchlet/sonic/yang/xpath"
)

// pendingRef is a leafref whose target is looked for once all nodes are there.
type pendingRef struct {
	leaf *node
	typ  *datatype.Type
}

func (c *compiler) leafref(n *node, t *datatype.Type, s *yang.Statement) error {
	path, err := xpath.Parse(c.text(argument(s, "path")))
	if err != nil {
		return err
	}
	t.Ref = &reference{path: path, required: argument(s, "require-instance") != "false"}
	c.refs = append(c.refs, pendingRef{n, t})
	return nil
}

// resolve finds the types of what leafrefs refer to.
func (c *compiler) resolve() {
	for _, p := range c.refs {
		ref := p.typ.Ref.(*reference)
		for _, id := range xpath.Targets(ref.path, shape{c.schema}, p.leaf.id) {
			if target := c.schema.nodes[id]; target.isLeaf() && target != p.leaf {
				p.typ.Target = target.typ
			}
		}
		if p.typ.Target == nil {
			c.unchecked("leafref of %s: %s leads nowhere", p.leaf.name, ref.path)
			ref.required = false
			p.typ.Target = &datatype.Type{Base: datatype.String}
		}
	}
	for _, p := range c.refs {
		if endless(p.typ, 0) {
			c.unchecked("leafref of %s: it leads back to itself", p.leaf.name)
			p.typ.Target = &datatype.Type{Base: datatype.String}
		}
	}
}

// endless reports whether a type refers to itself, by whatever way.
func endless(t *datatype.Type, depth int) bool {
	if depth > maxTypes || t.Target != nil && endless(t.Target, depth+1) {
		return true
	}
	for _, m := range t.Members {
		if endless(m, depth+1) {
			return true
		}
	}
	return false
}

// references are where the leafrefs of a type lead.
func references(t *datatype.Type, list []*reference) []*reference {
	if ref, ok := t.Ref.(*reference); ok {
		list = append(list, ref)
	}
	for _, m := range t.Members {
		list = references(m, list)
	}
	return list
}
