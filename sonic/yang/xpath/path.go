package xpath

import (
	"fmt"
	"slices"
)

// path evaluates a location path.
func (ev *evaluator) path(p *path, c context) value {
	nodes, ok := ev.origin(p, c)
	if !ok {
		return ev.fail(fmt.Errorf("what stands before / is no set of nodes"))
	}
	for _, s := range p.steps {
		nodes = ev.step(s, nodes)
		if len(nodes) == 0 {
			break
		}
	}
	ev.show(nodes)
	return ofNodes(nodes)
}

func (ev *evaluator) origin(p *path, c context) ([]Node, bool) {
	if p.from != nil {
		v := ev.eval(p.from, c)
		return ev.filterAll(v.nodes, p.filters, false), v.kind == nodeSet
	}
	n := c.node
	if p.absolute {
		n = ev.tree.Root()
	}
	at := len(ev.arena)
	ev.arena = append(ev.arena, n)
	return ev.arena[at : at+1 : at+1], true
}

// step takes one step from each of the nodes.
func (ev *evaluator) step(s *step, from []Node) []Node {
	at := len(ev.arena)
	var out []Node
	if len(from) == 1 {
		return ev.stepFrom(s, from[0])
	}
	for _, n := range from {
		part := ev.stepFrom(s, n)
		out = append(out, part...)
		ev.arena = ev.arena[:at]
	}
	if s.axis != child && s.axis != self {
		out = distinct(out)
	}
	return out
}

func (ev *evaluator) stepFrom(s *step, n Node) []Node {
	at := len(ev.arena)
	preds, rest := s.preds, expr(nil)
	if s.axis == child && len(preds) > 0 && preds[0].lookup != nil && ev.where(s.name, preds[0].lookup, n) {
		rest, preds = preds[0].lookup.rest, preds[1:]
	} else {
		ev.walk(s, n)
	}
	if ev.work += 1 + len(ev.arena) - at; ev.work > maxWork {
		ev.fail(ErrWork)
		return nil
	}
	nodes := ev.arena[at:len(ev.arena):len(ev.arena)]
	if rest != nil {
		nodes = ev.filter(nodes, rest)
	}
	return ev.filterAll(nodes, preds, s.axis.reverse())
}

// where appends the children for which a lookup holds; false if the tree cannot
// say which those are.
func (ev *evaluator) where(name string, l *lookup, n Node) bool {
	at := len(ev.arena)
	ev.inPred++
	wanted := ev.eval(l.value, context{node: ev.current, position: 1, size: 1})
	ev.inPred--
	text := wanted.text
	if wanted.kind == nodeSet && len(wanted.nodes) == 1 {
		text = ev.tree.Text(wanted.nodes[0])
	}
	ev.arena = ev.arena[:at]
	switch {
	case wanted.kind == nodeSet && len(wanted.nodes) == 0:
		return true // nothing equals nothing
	case wanted.kind == nodeSet && len(wanted.nodes) > 1, wanted.kind != nodeSet && wanted.kind != textKind:
		return false
	}
	var ok bool
	ev.arena, ok = ev.tree.AppendWhere(ev.arena, n, name, l.leaf, text)
	return ok
}

// filterAll keeps the nodes, in place, for which all predicates hold.
func (ev *evaluator) filterAll(nodes []Node, preds []*pred, reverse bool) []Node {
	if len(preds) == 0 || len(nodes) == 0 {
		return nodes
	}
	for _, p := range preds {
		if p.positional {
			ev.sort(nodes, reverse)
		}
		nodes = ev.filter(nodes, p.expr)
	}
	return nodes
}

// filter keeps the nodes, in place, for which a predicate holds. One that is a
// number holds for the node in that place.
func (ev *evaluator) filter(nodes []Node, e expr) []Node {
	ev.inPred++
	kept, keep := nodes[:0], len(ev.arena)
	for i, n := range nodes {
		v := ev.eval(e, context{node: n, position: i + 1, size: len(nodes)})
		if v.kind == numberKind && v.num == float64(i+1) || v.kind != numberKind && v.bool() {
			kept = append(kept, n)
		}
		ev.arena = ev.arena[:keep]
	}
	ev.inPred--
	return kept
}

func (ev *evaluator) sort(nodes []Node, reverse bool) {
	slices.SortFunc(nodes, func(a, b Node) int {
		switch {
		case ev.tree.Before(a, b) != reverse && a != b:
			return -1
		case a == b:
			return 0
		}
		return 1
	})
}

// reverse reports whether an axis counts from the context node upwards.
func (a axis) reverse() bool {
	return a == parent || a == ancestor || a == ancestorOrSelf || a == preceding || a == precedingSibling
}

// walk appends what an axis leads to, as far as it passes the node test.
func (ev *evaluator) walk(s *step, n Node) {
	at := len(ev.arena)
	switch s.axis {
	case child:
		ev.children(s, n)
		return
	case self:
		ev.arena = append(ev.arena, n)
	case parent:
		if up, ok := ev.tree.Parent(n); ok {
			ev.arena = append(ev.arena, up)
		}
	case ancestor, ancestorOrSelf:
		ev.upwards(n, s.axis == ancestorOrSelf)
	case descendantOrSelf:
		ev.arena = append(ev.arena, n)
		ev.downwards(n)
	case descendant:
		ev.downwards(n)
	case followingSibling, precedingSibling:
		ev.siblings(n, s.axis == followingSibling)
	case following, preceding:
		ev.outside(n, s.axis == following)
	case attribute: // there are none
	}
	ev.test(s, at)
}

func (ev *evaluator) children(s *step, n Node) {
	at := len(ev.arena)
	switch {
	case s.name != "":
		ev.arena = ev.tree.AppendChildren(ev.arena, n, s.name)
	case s.text:
		// A leaf has its text as its one child. The leaf stands for it: it has the
		// same value.
		ev.arena = append(ev.arena, n)
		if len(ev.tree.AppendChildren(ev.arena, n, "*")) > at+1 {
			ev.arena = ev.arena[:at]
		}
	default:
		ev.arena = ev.tree.AppendChildren(ev.arena, n, "*")
	}
}

// test drops what a node test does not let through.
func (ev *evaluator) test(s *step, at int) {
	if s.text {
		ev.arena = ev.arena[:at]
	}
	if s.name == "" || s.name == "*" {
		return
	}
	kept := ev.arena[:at]
	for _, n := range ev.arena[at:] {
		if ev.tree.Name(n) == s.name {
			kept = append(kept, n)
		}
	}
	ev.arena = kept
}

func (ev *evaluator) upwards(n Node, self bool) {
	if self {
		ev.arena = append(ev.arena, n)
	}
	for {
		up, ok := ev.tree.Parent(n)
		if !ok {
			return
		}
		ev.arena = append(ev.arena, up)
		n = up
	}
}

func (ev *evaluator) downwards(n Node) {
	at := len(ev.arena)
	ev.arena = ev.tree.AppendChildren(ev.arena, n, "*")
	if ev.work += len(ev.arena) - at; ev.work > maxWork {
		ev.fail(ErrWork)
		return
	}
	for i, last := at, len(ev.arena); i < last; i++ {
		ev.downwards(ev.arena[i])
	}
}

func (ev *evaluator) siblings(n Node, after bool) {
	up, ok := ev.tree.Parent(n)
	if !ok {
		return
	}
	for _, s := range ev.tree.AppendChildren(nil, up, "*") {
		if s != n && ev.tree.Before(n, s) == after {
			ev.arena = append(ev.arena, s)
		}
	}
}

// outside is what follows or precedes a node without being above or below it.
func (ev *evaluator) outside(n Node, after bool) {
	for ok := true; ok; n, ok = ev.tree.Parent(n) {
		at := len(ev.arena)
		ev.siblings(n, after)
		for i, last := at, len(ev.arena); i < last; i++ {
			ev.downwards(ev.arena[i])
		}
	}
}

// distinct keeps each node once, in place.
func distinct(nodes []Node) []Node {
	if len(nodes) < 2 {
		return nodes
	}
	seen := make(map[Node]struct{}, len(nodes))
	return slices.DeleteFunc(nodes, func(n Node) bool {
		_, dup := seen[n]
		seen[n] = struct{}{}
		return dup
	})
}
