package yang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/openconfig/goyang/pkg/yang"
)

// maxUses bounds how deep groupings may use each other.
const maxUses = 32

// uses puts what a grouping has where it is used (RFC 7950, 7.13).
func (c *compiler) uses(n *node, s *yang.Statement, at *scope, branches []branch) error {
	grouping, where := at.find("grouping", s.Argument)
	if grouping == nil {
		return fmt.Errorf("there is no such grouping")
	}
	depth := 0
	for up := at; up != nil; up = up.up {
		if up.body == grouping {
			return fmt.Errorf("the grouping uses itself")
		}
		if depth++; depth > maxUses {
			return fmt.Errorf("groupings are nested deeper than %d", maxUses)
		}
	}
	before := len(n.children)
	if err := c.body(n, grouping, where.in(grouping), branches); err != nil {
		return err
	}
	brought := slices.Clone(n.children[before:])
	c.whenOf(n, brought, s)
	for _, sub := range s.SubStatements() {
		switch sub.Keyword {
		case "refine":
			if err := c.refine(brought, sub); err != nil {
				return fmt.Errorf("refine %s: %w", sub.Argument, err)
			}
		case "augment":
			c.unchecked("%s: uses %s: augment %s", at.module.file, s.Argument, sub.Argument)
		}
	}
	return nil
}

// refine changes a node that a grouping brought (RFC 7950, 7.13.2).
func (c *compiler) refine(brought []*node, s *yang.Statement) error {
	var n *node
	for _, name := range strings.Split(s.Argument, "/") {
		i := slices.IndexFunc(brought, func(b *node) bool { return b.name == local(name) })
		if i < 0 {
			return fmt.Errorf("there is no such node")
		}
		n, brought = brought[i], brought[i].children
	}
	if err := c.properties(n, s); err != nil {
		return err
	}
	var defaults []string
	for _, sub := range s.SubStatements() {
		switch sub.Keyword {
		case "default":
			defaults = append(defaults, c.text(sub.Argument))
		case "must":
			c.must(n, sub)
		}
	}
	if defaults != nil {
		n.defaults = defaults
	}
	return nil
}

// find looks up a grouping or typedef by its name, from inside to outside and
// then in the module (RFC 7950, 5.5), or in the module of its prefix. It returns
// the scope that it is defined in as well.
func (s *scope) find(keyword, name string) (*yang.Statement, *scope) {
	if prefix, rest, ok := strings.Cut(name, ":"); ok {
		name = rest
		if prefix != s.module.prefix {
			m := s.module.imported[prefix]
			if m == nil {
				return nil, nil
			}
			return (&scope{module: m, body: m.body}).find(keyword, name)
		}
	}
	for ; s != nil; s = s.up {
		for _, sub := range s.body.SubStatements() {
			if sub.Keyword == keyword && sub.Argument == name {
				return sub, s
			}
		}
	}
	return nil, nil
}
