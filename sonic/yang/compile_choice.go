package yang

import (
	"slices"

	"github.com/openconfig/goyang/pkg/yang"
)

func (c *compiler) choice(n *node, s *yang.Statement, at *scope, branches []branch) error {
	ch := &choice{name: c.text(s.Argument), mandatory: argument(s, "mandatory") == "true", standard: -1}
	n.choices = append(n.choices, ch)
	standard, cases := argument(s, "default"), 0
	before := len(n.children)
	for _, sub := range s.SubStatements() {
		inner := append(slices.Clone(branches), branch{ch, cases})
		var err error
		switch sub.Keyword {
		case "case":
			from := len(n.children)
			err = c.body(n, sub, at.in(sub), inner)
			c.whenOf(n, n.children[from:], sub)
		case "container", "list", "leaf", "leaf-list", "choice":
			err = c.definition(n, sub, at, inner)
		default:
			continue
		}
		if err != nil {
			return err
		}
		if sub.Argument == standard {
			ch.standard = cases
		}
		cases++
	}
	ch.whens = c.whenOf(n, n.children[before:], s)
	return nil
}

// whenOf compiles the when of a choice, case or uses, which is about the node
// that they are in and decides about all that they bring.
func (c *compiler) whenOf(n *node, brought []*node, s *yang.Statement) []*constraint {
	w := first(s, "when")
	if w == nil {
		return nil
	}
	var out []*constraint
	for _, child := range brought {
		if when := c.when(child, n, w); when != nil {
			out = append(out, when)
		}
	}
	return out
}
