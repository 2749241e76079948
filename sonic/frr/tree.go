package frr

import "strings"

// Tree is a configuration: statements in order, some with others inside.
type Tree []Node

// Node is a statement as FRR writes it, without indentation.
type Node struct {
	Line string `json:"line"`
	// Owner is whose statement it is; empty in what was read from FRR.
	Owner string `json:"owner,omitempty"`
	// Shared says, in a record of what is owned, that somebody else made the
	// statement and only what is inside is Switchlet's.
	Shared bool `json:"shared,omitempty"`
	// Inside are the statements of the context that this one opens.
	Inside Tree `json:"inside,omitempty"`
}

// find is the node with the given line.
func (t Tree) find(line string) *Node {
	for i := range t {
		if t[i].Line == line {
			return &t[i]
		}
	}
	return nil
}

// index of the nodes by their lines.
func (t Tree) index() map[string]*Node {
	byLine := make(map[string]*Node, len(t))
	for i := range t {
		byLine[t[i].Line] = &t[i]
	}
	return byLine
}

// String is the tree as FRR writes a configuration.
func (t Tree) String() string {
	var b strings.Builder
	for i, node := range t {
		if i > 0 && (len(node.Inside) > 0 || len(t[i-1].Inside) > 0 || kindOf(node.Line) != kindOf(t[i-1].Line)) {
			b.WriteString("!\n")
		}
		node.write(&b, 0)
	}
	return b.String()
}

func (n *Node) write(b *strings.Builder, depth int) {
	indent := strings.Repeat(" ", depth)
	b.WriteString(indent + n.Line + "\n")
	for i := range n.Inside {
		if grouping(n.Inside[i].Line) {
			b.WriteString(indent + " !\n")
		}
		n.Inside[i].write(b, depth+1)
	}
	if end := exit(n.Line); end != "" {
		b.WriteString(indent + end + "\n")
	}
}

// Merge has the statements of both trees, once each, in a's order and then b's.
// Where both have one, a's owner stands.
func Merge(a, b Tree) Tree {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	out := append(make(Tree, 0, len(a)+len(b)), a...)
	byLine := out.index()
	for _, node := range b {
		if there, ok := byLine[node.Line]; ok {
			there.Inside = Merge(there.Inside, node.Inside)
			there.Shared = there.Shared && node.Shared
			continue
		}
		out = append(out, node)
	}
	return out
}

// common has the statements of a that are in b too.
func common(a, b Tree) Tree {
	var out Tree
	byLine := b.index()
	for _, node := range a {
		if there, ok := byLine[node.Line]; ok {
			node.Inside = common(node.Inside, there.Inside)
			if len(node.Inside) > 0 || !node.Shared {
				out = append(out, node)
			}
		}
	}
	return out
}

// Adopt is what to take as owned when the record is lost: the statements that
// are there exactly as they are wanted.
func Adopt(have, want Tree) Tree { return common(want, have) }
