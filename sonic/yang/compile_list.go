package yang

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/openconfig/goyang/pkg/yang"
)

// properties are those that a refine may change too.
func (c *compiler) properties(n *node, s *yang.Statement) error {
	for _, sub := range s.SubStatements() {
		var err error
		switch sub.Keyword {
		case "mandatory":
			n.mandatory = sub.Argument == "true"
		case "min-elements":
			n.min, err = strconv.Atoi(sub.Argument)
		case "max-elements":
			if n.max = 0; sub.Argument != "unbounded" {
				n.max, err = strconv.Atoi(sub.Argument)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", sub.Keyword, err)
		}
	}
	return nil
}

// list compiles what only lists have.
func (c *compiler) list(n *node, s *yang.Statement) error {
	for i, name := range strings.Fields(argument(s, "key")) {
		key := slices.IndexFunc(n.children, func(k *node) bool { return k.name == local(name) && k.kind == leafKind })
		if key < 0 {
			return fmt.Errorf("the key %s is no leaf of it", name)
		}
		n.keys = append(n.keys, n.children[key])
		n.children[key].key = i
	}
	for _, sub := range s.SubStatements() {
		if sub.Keyword != "unique" {
			continue
		}
		var leaves []*node
		for _, name := range strings.Fields(sub.Argument) {
			i := slices.IndexFunc(n.children, func(k *node) bool { return k.name == local(name) && k.kind == leafKind })
			if i < 0 {
				c.unchecked("list %s: unique %s", n.name, sub.Argument)
				return nil
			}
			leaves = append(leaves, n.children[i])
		}
		n.unique = append(n.unique, leaves)
	}
	return nil
}
