package yang

import (
	"fmt"

	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang/xpath"
)

// demand looks at one constraint for one row; for constraints on what is above
// rows, the place does not count.
func (c *Checker) demand(r *constraint, place int32) []Violation {
	switch r.kind {
	case Must:
		return c.must(r, place)
	case When:
		return c.when(r, place)
	case LeafRef:
		return c.leafRef(r, place)
	case Mandatory:
		return c.mandatory(r, place)
	case MinElements, MaxElements:
		return c.elements(r, place)
	case Unique:
		return c.unique(r, place)
	case DuplicateKey:
		return c.duplicate(r, place)
	case Choice:
		return c.choice(r, place)
	default: // no constraint has another kind
		return nil
	}
}

// instances are the nodes of a schema node in a row. Leaves that are there by
// default only are among them, as libyang has it.
func (c *Checker) instances(n *node, place int32) []xpath.Node {
	if n.row == nil || n.isRow() {
		return []xpath.Node{{Schema: n.id, Row: place}}
	}
	var out []xpath.Node
	for _, above := range c.instances(n.parent, place) {
		out = c.appendInstances(out, above, n)
	}
	return out
}

// violation is one of a node: which row and field it is, and what stands there.
func (c *Checker) violation(x xpath.Node, rule Rule, message string) Violation {
	n := c.schema.nodes[x.Schema]
	v := Violation{Key: c.keyOf(x), Rule: rule, Message: message}
	switch {
	case n.parent != nil && n.parent.kind == mapKind:
		v.Field, v.Value = c.row(n, x.Row).fields[x.Item].Name, c.text(x)
	case !n.isLeaf() || n.row == nil:
		return v
	default:
		v.Field, v.Value = n.name, c.text(x)
		if f, ok := c.row(n, x.Row).raw(n); ok && n.kind == leafKind {
			v.Value = f.Value
		}
	}
	if rule == Must || rule == When {
		v.Message = fmt.Sprintf("%q: %s", v.Value, message)
	}
	return v
}

func (c *Checker) keyOf(x xpath.Node) sonic.Key {
	n := c.schema.nodes[x.Schema]
	var key sonic.Key
	if table := n.table(); table != nil {
		key.Table = table.name
	}
	if n.row != nil {
		key.Name = c.row(n, x.Row).name
	}
	return key
}
