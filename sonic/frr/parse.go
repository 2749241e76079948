package frr

import (
	"fmt"
	"strings"
)

const (
	// maxConfig bounds a configuration; 2,000 tenants take 2 MiB.
	maxConfig = 64 << 20
	maxDepth  = 8
)

// Parse reads a configuration as FRR 8 to 10 write it (show running-config): a
// statement that is indented is inside the last one that is less so. It takes
// together what several daemons say of one context, and brings statements that
// FRR has several forms of into one.
func Parse(text string) (Tree, error) {
	if len(text) > maxConfig {
		return nil, fmt.Errorf("FRR's configuration has %d bytes; at most %d are read", len(text), maxConfig)
	}
	p := parser{tops: []top{{indent: -1}}}
	number := 0
	for line := range strings.Lines(text) {
		number++
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("line %d of FRR's configuration: %w", number, err)
		}
	}
	p.closeTo(-1)
	return p.tops[0].nodes, nil
}

// parser has the contexts that are open, the outermost first.
type parser struct{ tops []top }

// top is an open context.
type top struct {
	indent int
	nodes  Tree
	byLine map[string]int // once there are many nodes
	node   int            // in nodes of the context around it
}

// many nodes are found faster by a map.
const many = 16

// place is where the statement stands; it is added if it is not there.
func (t *top) place(line string) int {
	if t.byLine == nil && len(t.nodes) < many {
		for i := range t.nodes {
			if t.nodes[i].Line == line {
				return i
			}
		}
	} else if t.byLine == nil {
		t.byLine = make(map[string]int, 2*many)
		for i := range t.nodes {
			t.byLine[t.nodes[i].Line] = i
		}
	}
	if i, ok := t.byLine[line]; ok {
		return i
	}
	i := len(t.nodes)
	t.nodes = append(t.nodes, Node{Line: line})
	if t.byLine != nil {
		t.byLine[line] = i
	}
	return i
}

func (p *parser) line(text string) error {
	body := strings.TrimRight(text, " \t\r\n")
	line := strings.TrimLeft(body, " ")
	if skip(line) {
		return nil
	}
	for _, c := range []byte(line) {
		if c < ' ' || c == 0x7f {
			return fmt.Errorf("%q has a control character", line)
		}
	}
	indent := len(body) - len(line)
	p.closeTo(indent)
	if len(p.tops) > maxDepth {
		return fmt.Errorf("%q is inside of %d contexts; at most %d are read", line, len(p.tops), maxDepth)
	}
	for _, one := range normal(line) {
		p.open(one, indent)
	}
	return nil
}

// skip reports whether a line is no statement.
func skip(line string) bool {
	switch line {
	case "", "end", "exit", "Building configuration...", "Current configuration:":
		return true
	}
	return line[0] == '!' || line[0] == '#' || strings.HasPrefix(line, "exit-")
}

// normal is what a statement says, in the form that this package writes.
func normal(line string) []string {
	if rt, ok := strings.CutPrefix(line, "route-target both "); ok {
		return []string{"route-target import " + rt, "route-target export " + rt}
	}
	// FRR writes the route map of imports in this way as soon as there are none, and
	// takes it back in either.
	if name, ok := strings.CutPrefix(line, "route-map vpn import "); ok {
		return []string{importMap + name}
	}
	for _, way := range []string{"route-target import ", "route-target export "} {
		if rest, ok := strings.CutPrefix(line, way); ok {
			var lines []string
			for _, rt := range strings.Fields(rest) {
				lines = append(lines, way+rt)
			}
			return lines
		}
	}
	return []string{line}
}

// open adds a statement to the innermost context and opens its own.
func (p *parser) open(line string, indent int) {
	p.closeTo(indent)
	around := &p.tops[len(p.tops)-1]
	i := around.place(line)
	p.tops = append(p.tops, top{indent: indent, node: i, nodes: around.nodes[i].Inside})
}

// closeTo closes the contexts that a statement of this indentation is not in.
func (p *parser) closeTo(indent int) {
	for n := len(p.tops) - 1; n > 0 && p.tops[n].indent >= indent; n-- {
		closed := p.tops[n]
		p.tops[n-1].nodes[closed.node].Inside = closed.nodes
		p.tops = p.tops[:n]
	}
}
