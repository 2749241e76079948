package xpath

import "slices"

// findLookup finds leaf = value among what a predicate demands, where value does
// not depend on the node that the predicate is about.
func findLookup(e expr) *lookup {
	b, ok := e.(*binary)
	if !ok {
		return nil
	}
	switch b.op {
	case and:
		if l := findLookup(b.left); l != nil {
			return l.with(b.right)
		}
		if l := findLookup(b.right); l != nil {
			return l.with(b.left)
		}
	case equal:
		if leaf, ok := childName(b.left); ok && fixed(b.right) {
			return &lookup{leaf: leaf, value: b.right}
		}
		if leaf, ok := childName(b.right); ok && fixed(b.left) {
			return &lookup{leaf: leaf, value: b.left}
		}
	default: // the others do not say what a leaf is
	}
	return nil
}

// with adds to what else a predicate says.
func (l *lookup) with(e expr) *lookup {
	if l.rest != nil {
		e = &binary{op: and, left: e, right: l.rest}
	}
	return &lookup{leaf: l.leaf, value: l.value, rest: e}
}

// childName is the name of a path that is nothing but a child.
func childName(e expr) (string, bool) {
	p, ok := e.(*path)
	if !ok || p.absolute || p.from != nil || len(p.steps) != 1 {
		return "", false
	}
	return p.steps[0].plainChild()
}

// plainChild is the name of a step that is a child without predicates.
func (s *step) plainChild() (string, bool) {
	return s.name, s.axis == child && s.name != "" && s.name != "*" && len(s.preds) == 0
}

// fixed reports whether an expression is a string or a set of nodes that is the
// same whatever the context node is.
func fixed(e expr) bool {
	switch e := e.(type) {
	case literal:
		return true
	case *call:
		return e.name == "current" || e.fn.text && allFixed(e.args)
	case *path:
		if e.absolute {
			return true
		}
		return e.from != nil && fixed(e.from)
	}
	return false
}

func allFixed(list []expr) bool {
	for _, e := range list {
		if _, isNumber := e.(number); !isNumber && !fixed(e) {
			return false
		}
	}
	return len(list) > 0 // without arguments a function is about the context node
}

// split takes a path of the form …/list/leaf apart, so that it can be compared
// with a value by asking for the list's nodes that have it. That does not do if the
// place of a node among all of them counts.
func (p *path) split() (list *step, leaf string, ok bool) {
	if len(p.steps) < 2 {
		return nil, "", false
	}
	leaf, ok = p.steps[len(p.steps)-1].plainChild()
	list = p.steps[len(p.steps)-2]
	if slices.ContainsFunc(list.preds, func(p *pred) bool { return p.positional }) {
		return nil, "", false
	}
	return list, leaf, ok && list.axis == child && list.name != "" && list.name != "*"
}

func newPred(e expr) *pred {
	p := &pred{expr: e, positional: returns(e) == numberKind || positional(e)}
	if !p.positional {
		p.lookup = findLookup(e)
	}
	return p
}

// returns is the kind of value that an expression has.
func returns(e expr) kind {
	switch e := e.(type) {
	case literal:
		return textKind
	case number, negate:
		return numberKind
	case *call:
		return e.fn.returns
	case *binary:
		switch e.op {
		case plus, minus, times, div, mod:
			return numberKind
		case union:
			return nodeSet
		default:
			return boolKind
		}
	}
	return nodeSet
}

// positional reports whether an expression asks for position() or last() of its
// own context. Those in the predicates of a path are about the path's nodes.
func positional(e expr) bool {
	switch e := e.(type) {
	case negate:
		return positional(e.of)
	case *binary:
		return positional(e.left) || positional(e.right)
	case *call:
		return e.name == "position" || e.name == "last" || slices.ContainsFunc(e.args, positional)
	case *path:
		return e.from != nil && positional(e.from)
	}
	return false
}
