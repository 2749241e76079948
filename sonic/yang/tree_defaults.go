package yang

import (
	"slices"

	"github.com/switchlet/switchlet/sonic/yang/xpath"
)

// standard is the default of a leaf, if there is one and nothing speaks against it.
func (t *tree) standard(x xpath.Node) (string, bool) {
	n := t.schema.nodes[x.Schema]
	if len(n.defaults) == 0 || !t.allowed(n, x) {
		return "", false
	}
	return n.defaults[0], true
}

// allowed reports whether the defaults of a node are there: its case is the
// one that is in use, and the whens of it and of what is above hold.
func (t *tree) allowed(n *node, x xpath.Node) bool {
	if len(n.branches) > 0 && !t.inUse(n, x) {
		return false
	}
	for at := n; ; {
		if len(at.whens) > 0 && !t.holds(at.whens, x) {
			return false
		}
		up, ok := t.parentOf(x)
		if !ok {
			return true
		}
		x, at = up, t.schema.nodes[up.Schema]
	}
}

// inUse reports whether the case that a node is in has fields in the row, or is
// the default and no other has.
func (t *tree) inUse(n *node, x xpath.Node) bool {
	for _, b := range n.branches {
		used := t.used(n.parent, x.Row, b.choice)
		if len(used) == 0 && b.choice.standard == b.index || slices.Contains(used, b.index) {
			continue
		}
		return false
	}
	return true
}

// used are the cases of a choice that have fields in a row.
func (t *tree) used(n *node, place int32, ch *choice) []int {
	var out []int
	if n.row == nil {
		return nil
	}
	r := t.row(n, place)
	for _, c := range n.children {
		for _, b := range c.branches {
			if b.choice != ch || !c.isLeaf() || slices.Contains(out, b.index) {
				continue
			}
			if _, ok := r.raw(c); ok {
				out = append(out, b.index)
			}
		}
	}
	return out
}

// holds reports whether all whens of a node hold. One that cannot be evaluated
// does.
func (t *tree) holds(whens []*constraint, x xpath.Node) bool {
	if t.depth == maxAsking {
		return true
	}
	ask := t.asking[t.depth]
	t.depth++
	defer func() { t.depth-- }()
	for _, w := range whens {
		if yes, err := ask.Bool(w.expr, t.contextOf(w, x)); err == nil && !yes {
			return false
		}
	}
	return true
}

// contextOf is the node that a when of a node is about: the node itself, or the
// one that a choice, case or uses is in.
func (t *tree) contextOf(w *constraint, x xpath.Node) xpath.Node {
	if w.context != w.at {
		x, _ = t.parentOf(x)
	}
	return x
}
