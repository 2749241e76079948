package xpath

import "regexp"

// Expr is a parsed expression. It is immutable.
type Expr struct {
	text string
	root expr
}

// String is the expression as it was written.
func (e *Expr) String() string { return e.text }

type expr interface{ isExpr() }

type (
	literal struct{ text string }
	number  struct{ value float64 }
	negate  struct{ of expr }
	binary  struct {
		op          operator
		left, right expr
	}
	call struct {
		name string
		fn   *function
		args []expr
		// pattern is that of re-match, if it is known beforehand.
		pattern *regexp.Regexp
	}
	// path is a location path. It starts at the root, at the nodes of another
	// expression, or at the context node.
	path struct {
		absolute bool
		from     expr    // nil, or what comes before the first step: current()
		filters  []*pred // predicates of from
		steps    []*step
	}
)

func (literal) isExpr() {}
func (number) isExpr()  {}
func (negate) isExpr()  {}
func (*binary) isExpr() {}
func (*call) isExpr()   {}
func (*path) isExpr()   {}

type step struct {
	axis  axis
	name  string // local name, "*" for any, "" for node()
	text  bool   // text()
	preds []*pred
}

// pred is a predicate. If lookup is set, it holds only for nodes that have a
// child leaf with that value.
type pred struct {
	expr       expr
	lookup     *lookup
	positional bool // it is about the place of a node among its siblings
}

// lookup is leaf = value, where value does not depend on the node that is tested.
type lookup struct {
	leaf  string
	value expr
	rest  expr // what else the predicate says, or nil
}

type axis uint8

const (
	_ axis = iota
	child
	parent
	self
	descendant
	descendantOrSelf
	ancestor
	ancestorOrSelf
	followingSibling
	precedingSibling
	following
	preceding
	attribute
)

// axes are the axes of XPath 1.0, section 2.2; there are no namespace nodes.
func axisOf(name string) (axis, bool) {
	switch name {
	case "child":
		return child, true
	case "parent":
		return parent, true
	case "self":
		return self, true
	case "descendant":
		return descendant, true
	case "descendant-or-self":
		return descendantOrSelf, true
	case "ancestor":
		return ancestor, true
	case "ancestor-or-self":
		return ancestorOrSelf, true
	case "following-sibling":
		return followingSibling, true
	case "preceding-sibling":
		return precedingSibling, true
	case "following":
		return following, true
	case "preceding":
		return preceding, true
	case "attribute":
		return attribute, true
	}
	return 0, false
}

type operator uint8

const (
	_ operator = iota
	or
	and
	equal
	unequal
	less
	lessEqual
	greater
	greaterEqual
	plus
	minus
	times
	div
	mod
	union
)

// strength of an operator: the higher, the tighter it binds (XPath 1.0, 3.5).
func (o operator) strength() int {
	switch o {
	case or:
		return 1
	case and:
		return 2
	case equal, unequal:
		return 3
	case less, lessEqual, greater, greaterEqual:
		return 4
	case plus, minus:
		return 5
	case times, div, mod:
		return 6
	default:
		return 8 // union; 7 is the unary minus
	}
}

// EqualsCurrent is the expression current() = path, which is what a leafref demands.
func EqualsCurrent(path *Expr) *Expr {
	current := &call{name: "current", fn: functionOf("current")}
	return &Expr{text: "current() = " + path.text, root: &binary{op: equal, left: current, right: path.root}}
}
