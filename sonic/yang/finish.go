package yang

import "github.com/switchlet/switchlet/sonic/yang/datatype"

// finish adds what follows from the nodes as they are now, and sorts what is
// demanded by the row that it is demanded of.
func (c *compiler) finish() {
	for _, n := range c.schema.nodes {
		c.finishNode(n)
	}
	for _, r := range c.schema.constraints {
		owner := r.at.row
		if r.at.kind == listKind && (r.kind == MinElements || r.kind == MaxElements) {
			owner = r.at.parent
		}
		if owner == nil {
			owner = r.at
		}
		owner.constraints = append(owner.constraints, r)
	}
}

func (c *compiler) finishNode(n *node) {
	for i, d := range n.defaults {
		n.defaults[i] = c.text(n.typ.Canonical(d, true))
	}
	if n.isLeaf() && n.row != nil && n.typ.HasRef() {
		c.constrain(&constraint{kind: LeafRef, at: n, context: n})
	}
	if n.mandatory && n.row != nil && n.key < 0 {
		c.constrain(&constraint{kind: Mandatory, at: n, context: n})
	}
	for _, ch := range n.choices {
		if n.row != nil {
			c.constrain(&constraint{kind: Choice, at: n, context: n, choice: ch})
		}
		if ch.mandatory && n.row != nil {
			c.constrain(&constraint{kind: Mandatory, at: n, context: n, choice: ch})
		}
	}
	if n.kind == leafListKind && n.row != nil || n.kind == mapKind || n.kind == listKind {
		if n.min > 0 {
			c.constrain(&constraint{kind: MinElements, at: n, context: n})
		}
		if n.max > 0 {
			c.constrain(&constraint{kind: MaxElements, at: n, context: n})
		}
	}
	if n.kind != listKind {
		return
	}
	for _, leaves := range n.unique {
		c.constrain(&constraint{kind: Unique, at: n, context: n, unique: leaves})
	}
	for _, k := range n.keys {
		n.canonical = n.canonical || !k.typ.Plain() || k.typ.Base == datatype.Union
	}
	c.constrain(&constraint{kind: DuplicateKey, at: n, context: n})
}
