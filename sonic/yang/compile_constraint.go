package yang

import (
	"strings"

	"github.com/openconfig/goyang/pkg/yang"

	"github.com/switchlet/switchlet/sonic/yang/xpath"
)

// conditions compiles the musts and whens of a node.
func (c *compiler) conditions(n *node, s *yang.Statement) {
	for _, sub := range s.SubStatements() {
		switch sub.Keyword {
		case "must":
			c.must(n, sub)
		case "when":
			c.when(n, n, sub)
		}
	}
}

func (c *compiler) must(n *node, s *yang.Statement) {
	if x := c.expression(n, s); x != nil {
		c.constrain(&constraint{kind: Must, at: n, context: n, expr: x, message: c.text(argument(s, "error-message"))})
	}
}

func (c *compiler) when(n, context *node, s *yang.Statement) *constraint {
	x := c.expression(n, s)
	if x == nil {
		return nil
	}
	w := &constraint{kind: When, at: n, context: context, expr: x}
	n.whens = append(n.whens, w)
	c.constrain(w)
	return w
}

// expression parses a must or when; one that cannot be parsed is not checked.
func (c *compiler) expression(n *node, s *yang.Statement) *xpath.Expr {
	x, err := xpath.Parse(c.text(strings.Join(strings.Fields(s.Argument), " ")))
	if err != nil {
		c.unchecked("%s of %s: %v", s.Keyword, n.name, err)
		return nil
	}
	return x
}

func (c *compiler) constrain(r *constraint) {
	r.id = int32(len(c.schema.constraints))
	c.schema.constraints = append(c.schema.constraints, r)
}
