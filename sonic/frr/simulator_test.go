package frr

import (
	"fmt"
	"slices"
	"strings"
)

// simulator is a running configuration that takes commands as FRR does: a
// statement overwrites the one in its slot where FRR's does so and is refused
// where FRR refuses it; a neighbour takes all that is said of it along.
type simulator struct{ tree Tree }

func (s *simulator) run(commands []Command) error {
	for _, c := range commands {
		if err := s.one(c); err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
	}
	return nil
}

func (s *simulator) one(c Command) error {
	at := &s.tree
	for _, line := range c.Context {
		at = &enter(at, line).Inside
	}
	if was, ok := takenBack(*at, c.Line); ok {
		return s.remove(at, was)
	}
	if strings.HasPrefix(c.Line, "no ") && c.Line != "no bgp default ipv4-unicast" && c.Line != "no bgp graceful-restart notification" {
		return fmt.Errorf("there is nothing to take back")
	}
	if s := slot(c.Line); s != "" {
		i := slices.IndexFunc(*at, func(n Node) bool { return slot(n.Line) == s })
		if i >= 0 && !overwrites(c.Line) {
			return fmt.Errorf("%s is in its place", (*at)[i].Line)
		}
		if i >= 0 {
			(*at)[i].Line = c.Line
			return nil
		}
	}
	if takesOver(c.Line) && (!judges(*at) || s.tree.find(c.Context[0]) == nil || !s.hasInstance(c.Line)) {
		return fmt.Errorf("it has no route map, or there is no such VRF")
	}
	if g := group(c.Line); g != "" && at.find("neighbor "+g+" peer-group") == nil {
		return fmt.Errorf("the group is missing")
	}
	if name := subject(c.Line); name != "" && !makes(c.Line) && !s.knows(c.Context[0], name) {
		return fmt.Errorf("the neighbour is missing")
	}
	enter(at, c.Line)
	return nil
}

// find is in tree.go; this one is for a pointer to a tree.
func enter(t *Tree, line string) *Node {
	if node := t.find(line); node != nil {
		return node
	}
	*t = append(*t, Node{Line: line})
	return &(*t)[len(*t)-1]
}

// takenBack is the statement that a command takes back.
func takenBack(at Tree, command string) (string, bool) {
	for _, node := range at {
		if negate(node.Line) == command || makes(node.Line) && unmake(node.Line) == command {
			return node.Line, true
		}
	}
	return "", false
}

func (s *simulator) remove(at *Tree, line string) error {
	if grouping(line) && len(at.find(line).Inside) > 0 {
		return fmt.Errorf("it is not empty")
	}
	if _, name, _ := strings.Cut(line, " vrf "); kindOf(line) == kindBGPVRF {
		if vrf := s.tree.find("vrf " + name); vrf != nil && slices.ContainsFunc(vrf.Inside, func(n Node) bool { return slot(n.Line) == "vni" }) {
			return fmt.Errorf("please unconfigure its L3 VNI")
		}
	}
	if makes(line) {
		s.forget(at, subject(line))
		return nil
	}
	if strings.HasPrefix(line, importMap) && slices.ContainsFunc(*at, func(n Node) bool { return takesOver(n.Line) }) {
		return fmt.Errorf("all routes would be taken over")
	}
	if other := s.importer(line); other != "" {
		return fmt.Errorf("%s takes routes over from it", other)
	}
	*at = slices.DeleteFunc(*at, func(n Node) bool { return n.Line == line })
	return nil
}

// forget takes a neighbour, or a group with its members, away.
func (s *simulator) forget(at *Tree, name string) {
	for _, node := range slices.Clone(*at) {
		if group(node.Line) == name {
			s.forget(at, subject(node.Line))
		}
	}
	*at = slices.DeleteFunc(*at, func(n Node) bool { return subject(n.Line) == name })
	for i := range *at {
		inside := &(*at)[i].Inside
		*inside = slices.DeleteFunc(*inside, func(n Node) bool { return subject(n.Line) == name })
	}
}

// hasInstance reports whether there is the VRF that routes are taken over from: FRR
// would make its instance.
func (s *simulator) hasInstance(line string) bool {
	name := strings.TrimPrefix(line, "import vrf ")
	return slices.ContainsFunc(s.tree, func(n Node) bool { return kindOf(n.Line) == kindBGPVRF && strings.HasSuffix(n.Line, " vrf "+name) })
}

// importer is an instance that takes routes over from the one of a statement.
func (s *simulator) importer(line string) string {
	_, name, _ := strings.Cut(line, " vrf ")
	if kindOf(line) != kindBGPVRF {
		return ""
	}
	for _, instance := range s.tree {
		for _, family := range instance.Inside {
			if kindOf(instance.Line) == kindBGPVRF && family.Inside.find("import vrf "+name) != nil {
				return instance.Line
			}
		}
	}
	return ""
}

func (s *simulator) knows(instance, name string) bool {
	return slices.ContainsFunc(s.tree.find(instance).Inside, func(n Node) bool { return makes(n.Line) && subject(n.Line) == name })
}

// clone is a deep copy.
func clone(t Tree) Tree {
	out := slices.Clone(t)
	for i := range out {
		out[i].Inside = clone(out[i].Inside)
	}
	return out
}
