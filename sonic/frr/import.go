package frr

import (
	"slices"
	"strings"
)

// importMap begins the statement that judges the routes of other VRFs.
const importMap = "import vrf route-map "

// imports reports whether a statement takes routes of another VRF over, or judges
// those.
func imports(line string) bool { return strings.HasPrefix(line, "import vrf ") }

// takesOver reports whether a statement takes routes of another VRF over. Without the
// one that judges them it would take over all.
func takesOver(line string) bool { return imports(line) && !strings.HasPrefix(line, importMap) }

// unjudged has a context take nothing over while its route map is not wanted, or
// somebody else's is in its place.
func (l *level) unjudged(want Tree, other string) {
	for i := range want {
		if node := &want[i]; takesOver(node.Line) && l.wants[node.Line] != nil {
			delete(l.wants, node.Line)
			if other != "" {
				l.conflict(Taken, l.place, node.Line, node.Owner, other)
			}
		}
	}
}

// judges reports whether one of the statements is the route map of imports.
func judges(t Tree) bool {
	return slices.ContainsFunc(t, func(n Node) bool { return strings.HasPrefix(n.Line, importMap) })
}

// cautious are the commands without those that take routes over: these wait until FRR
// has shown that it took the route map.
func cautious(commands []Command) []Command {
	return slices.DeleteFunc(slices.Clone(commands), func(c Command) bool { return takesOver(c.Line) })
}

// permitted are the commands of those left that take routes over where the route map is
// in force.
func permitted(left []Command) []Command {
	var out []Command
	for _, c := range left {
		unjudged := slices.ContainsFunc(left, func(o Command) bool {
			return strings.HasPrefix(o.Line, importMap) && slices.Equal(o.Context, c.Context)
		})
		if takesOver(c.Line) && !unjudged {
			out = append(out, c)
		}
	}
	return out
}

// WithoutImports has all statements but those that take routes of other VRFs over and
// that want lacks. It reports whether there were any. A route map that has nothing to
// judge goes, too.
func WithoutImports(have, want Tree) (Tree, bool) {
	out, some := slices.Clone(have), false
	for i := range out {
		if kindOf(out[i].Line) != kindBGPVRF {
			continue
		}
		wanted := want.inside(out[i].Line)
		out[i].Inside = slices.Clone(out[i].Inside)
		for k := range out[i].Inside {
			family := &out[i].Inside[k]
			fewer := fewerImports(family.Inside, wanted.inside(family.Line))
			some = some || len(fewer) < len(family.Inside)
			family.Inside = fewer
		}
	}
	return out, some
}

// fewerImports are the statements of an address family without the imports that are
// not wanted.
func fewerImports(have, want Tree) Tree {
	out := slices.DeleteFunc(slices.Clone(have), func(n Node) bool { return takesOver(n.Line) && want.find(n.Line) == nil })
	if len(out) < len(have) && !slices.ContainsFunc(out, func(n Node) bool { return takesOver(n.Line) }) {
		out = slices.DeleteFunc(out, func(n Node) bool { return imports(n.Line) })
	}
	return out
}

// inside is what is in a statement; nothing if it is not there.
func (t Tree) inside(line string) Tree {
	if node := t.find(line); node != nil {
		return node.Inside
	}
	return nil
}
