package yang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/openconfig/goyang/pkg/yang"

	"github.com/switchlet/switchlet/sonic/yang/datatype"
)

// compiler makes a Schema of parsed modules.
type compiler struct {
	library  *library
	schema   *Schema
	names    map[string]string            // each text is kept once, apart from the files
	patterns map[string]*datatype.Pattern // each pattern is kept once
	types    map[*yang.Statement]*datatype.Type
	refs     []pendingRef
	bases    map[string][]datatype.Name // identities by the ones that they are derived from
}

// scope is where the name of a grouping or typedef is looked up.
type scope struct {
	module *module
	up     *scope
	body   *yang.Statement
}

func (s *scope) in(body *yang.Statement) *scope { return &scope{s.module, s, body} }

// compile makes a Schema of the tables of the given modules.
func compile(l *library, own []*module) (*Schema, error) {
	c := &compiler{
		library: l, schema: &Schema{tables: map[string]*node{}}, names: map[string]string{},
		patterns: map[string]*datatype.Pattern{}, types: map[*yang.Statement]*datatype.Type{},
	}
	c.identities()
	root := c.add(nil, rootKind, "")
	for _, m := range own {
		if err := c.module(root, m); err != nil {
			return nil, fmt.Errorf("%s: %w", m.file, err)
		}
	}
	for _, n := range c.schema.nodes {
		n.sort()
	}
	c.resolve()
	c.finish()
	c.schema.link()
	return c.schema, nil
}

// text is a text that does not keep the file that it comes from in memory.
func (c *compiler) text(s string) string {
	kept, ok := c.names[s]
	if !ok {
		kept = strings.Clone(s)
		c.names[kept] = kept
	}
	return kept
}

func (c *compiler) add(parent *node, k kind, name string) *node {
	n := &node{id: int32(len(c.schema.nodes)), kind: k, name: c.text(name), parent: parent, key: -1}
	if parent != nil {
		n.row = parent.row
		parent.children = append(parent.children, n)
	}
	if n.isRow() {
		n.row = n
	}
	c.schema.nodes = append(c.schema.nodes, n)
	return n
}

func (c *compiler) unchecked(format string, args ...any) {
	c.schema.unchecked = append(c.schema.unchecked, fmt.Sprintf(format, args...))
}

// module compiles what sonic_yang takes of a module: the tables in the container
// that is named after it.
func (c *compiler) module(root *node, m *module) error {
	for _, s := range m.body.SubStatements() {
		switch s.Keyword {
		case "augment", "deviation", "include":
			c.unchecked("%s: %s %s", m.file, s.Keyword, s.Argument)
		}
	}
	top := first(m.body, "container")
	if top == nil || top.Argument != m.name || argument(top, "config") == "false" {
		return nil
	}
	n := c.add(root, moduleKind, m.name)
	c.conditions(n, top)
	if err := c.body(n, top, (&scope{module: m, body: m.body}).in(top), nil); err != nil {
		return err
	}
	for _, table := range n.children {
		if table.kind == tableKind {
			c.schema.tables[table.name] = table
		}
	}
	return nil
}

// body compiles the data definitions of a statement.
func (c *compiler) body(n *node, body *yang.Statement, at *scope, branches []branch) error {
	for _, s := range body.SubStatements() {
		if err := c.definition(n, s, at, branches); err != nil {
			return fmt.Errorf("%s %s: %w", s.Keyword, s.Argument, err)
		}
	}
	return nil
}

func (c *compiler) definition(n *node, s *yang.Statement, at *scope, branches []branch) error {
	if argument(s, "config") == "false" || argument(s, "status") == "obsolete" {
		return nil
	}
	switch s.Keyword {
	case "container", "list", "leaf", "leaf-list":
		child, err := c.data(n, s, at)
		if err != nil {
			return err
		}
		child.branches = branches
		return nil
	case "choice":
		return c.choice(n, s, at, branches)
	case "uses":
		return c.uses(n, s, at, branches)
	case "anydata", "anyxml":
		c.unchecked("%s: %s %s", at.module.file, s.Keyword, s.Argument)
	}
	return nil
}

// data compiles a container, list, leaf or leaf-list.
func (c *compiler) data(parent *node, s *yang.Statement, at *scope) (*node, error) {
	if old := slices.IndexFunc(parent.children, func(n *node) bool { return n.name == s.Argument }); old >= 0 {
		return nil, fmt.Errorf("there are two nodes of this name")
	}
	n := c.add(parent, kindOf(parent, s.Keyword), s.Argument)
	if err := c.properties(n, s); err != nil {
		return nil, err
	}
	inner := at.in(s)
	if n.isLeaf() {
		if err := c.leaf(n, s, inner); err != nil {
			return nil, err
		}
	}
	c.conditions(n, s)
	if err := c.body(n, s, inner, nil); err != nil {
		return nil, err
	}
	return n, c.list(n, s)
}

// kindOf says by where it is what a statement defines.
func kindOf(parent *node, keyword string) kind {
	switch keyword {
	case "leaf":
		return leafKind
	case "leaf-list":
		return leafListKind
	case "list":
		if parent.kind == tableKind {
			return listKind
		}
		return mapKind
	}
	switch parent.kind {
	case rootKind:
		return moduleKind
	case moduleKind:
		return tableKind
	case tableKind:
		return fixedKind
	default:
		return containerKind
	}
}

// local is a name without its prefix.
func local(name string) string { return name[strings.IndexByte(name, ':')+1:] }
