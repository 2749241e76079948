package yang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang/xpath"
)

func (c *Checker) must(r *constraint, place int32) []Violation {
	var out []Violation
	for _, x := range c.instances(r.at, place) {
		var key memoKey
		if r.memo {
			key = memoKey{r.id, c.text(x)}
			if c.memo[key] {
				continue
			}
		}
		yes, err := c.eval.Bool(r.expr, x)
		switch {
		case err != nil:
			out = append(out, c.violation(x, Must, err.Error()))
		case !yes:
			v := c.violation(x, Must, r.sentence())
			v.Others = c.involved(r, x)
			out = append(out, v)
		case r.memo:
			c.memo[key] = true
		}
	}
	return out
}

// sentence says what does not hold: in the words of the model if it has any.
func (r *constraint) sentence() string {
	if r.message != "" {
		return fmt.Sprintf("%s (must %s)", strings.TrimRight(r.message, ". "), r.expr)
	}
	return "does not hold: " + r.expr.String()
}

// involved are the other rows that an expression selects on its way.
func (c *Checker) involved(r *constraint, x xpath.Node) []sonic.Key {
	own := c.keyOf(x)
	var others []sonic.Key
	c.eval.Trace(func(seen xpath.Node) {
		if n := c.schema.nodes[seen.Schema]; n.row == nil || !c.row(n, seen.Row).live {
			return
		}
		if key := c.keyOf(seen); key != own {
			others = append(others, key)
		}
	})
	// It was evaluated without error before.
	_, _ = c.eval.Bool(r.expr, x)
	c.eval.Trace(nil)
	slices.SortFunc(others, sonic.Key.Compare)
	others = slices.Compact(others)
	return slices.Clone(others[:min(len(others), maxOthers)])
}

// when: what stands in the row although its when does not hold. Defaults simply
// are not there then.
func (c *Checker) when(r *constraint, place int32) []Violation {
	var out []Violation
	for _, x := range c.written(r.at, place) {
		yes, err := c.eval.Bool(r.expr, c.contextOf(r, x))
		if err != nil {
			out = append(out, c.violation(x, When, err.Error()))
			continue
		}
		if !yes {
			out = append(out, c.violation(x, When, "may be there only if "+r.expr.String()))
		}
	}
	return out
}

// written are the instances of a node that are not there by default only.
func (c *Checker) written(n *node, place int32) []xpath.Node {
	switch {
	case n.row == nil:
		if !c.anyBelow(n) {
			return nil
		}
	case n.isRow():
		if !c.row(n, place).live {
			return nil
		}
	case n.isLeaf() && n.parent.kind != mapKind:
		if _, ok := c.row(n, place).raw(n); !ok {
			return nil
		}
	case n.kind == containerKind:
		return nil
	}
	return c.instances(n, place)
}

// anyBelow reports whether there are rows below a node.
func (c *Checker) anyBelow(n *node) bool {
	if n.isRow() {
		for range c.shelves[n.id].live {
			return true
		}
		return false
	}
	return slices.ContainsFunc(n.children, c.anyBelow)
}
