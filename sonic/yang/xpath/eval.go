package xpath

import (
	"errors"
	"fmt"
	"math"
)

// maxWork bounds the nodes that one evaluation may look at.
const maxWork = 5_000_000

// ErrWork is the error of an evaluation that looks at too many nodes.
var ErrWork = errors.New("looks at too many nodes")

// Evaluator evaluates expressions over a tree, again and again. It is not safe
// for use by several goroutines.
type Evaluator struct {
	ev evaluator
}

// NewEvaluator is an Evaluator over a tree.
func NewEvaluator(tree Tree) *Evaluator { return &Evaluator{evaluator{tree: tree}} }

// Trace has seen called with the nodes that the paths of an expression select,
// those inside of predicates left out, until it is called with nil.
func (e *Evaluator) Trace(seen func(Node)) { e.ev.seen = seen }

// Bool is whether an expression holds for a node.
func (e *Evaluator) Bool(x *Expr, current Node) (bool, error) {
	v := e.start(x, current)
	return v.bool(), e.err(x)
}

// Text is the string value of an expression for a node.
func (e *Evaluator) Text(x *Expr, current Node) (string, error) {
	v := e.start(x, current)
	return e.ev.toText(v), e.err(x)
}

// Equals is whether one of the nodes that an expression selects has the value.
func (e *Evaluator) Equals(x *Expr, current Node, value string) (bool, error) {
	e.ev.reset(current)
	return e.ev.equal(literal{value}, x.root, context{node: current}), e.err(x)
}

// Nodes are the nodes that an expression selects. They are good until the next
// evaluation.
func (e *Evaluator) Nodes(x *Expr, current Node) ([]Node, error) {
	return e.start(x, current).nodes, e.err(x)
}

func (e *Evaluator) start(x *Expr, current Node) value {
	e.ev.reset(current)
	return e.ev.eval(x.root, context{node: current, position: 1, size: 1})
}

func (e *Evaluator) err(x *Expr) error {
	if e.ev.failed == nil {
		return nil
	}
	return fmt.Errorf("evaluate XPath %q: %w", x.text, e.ev.failed)
}

type evaluator struct {
	tree    Tree
	current Node
	seen    func(Node)
	inPred  int
	arena   []Node // what is selected on the way; reused
	work    int
	failed  error
}

// context is what an expression is evaluated for.
type context struct {
	node           Node
	position, size int
}

func (ev *evaluator) reset(current Node) {
	ev.current, ev.inPred, ev.arena, ev.work, ev.failed = current, 0, ev.arena[:0], 0, nil
}

func (ev *evaluator) fail(err error) value {
	if ev.failed == nil {
		ev.failed = err
	}
	return value{kind: boolKind}
}

func (ev *evaluator) eval(e expr, c context) value {
	if ev.failed != nil {
		return value{kind: boolKind}
	}
	switch e := e.(type) {
	case literal:
		return ofText(e.text)
	case number:
		return ofNumber(e.value)
	case negate:
		return ofNumber(-ev.toNumber(ev.eval(e.of, c)))
	case *binary:
		return ev.binary(e, c)
	case *call:
		return e.fn.eval(ev, e, c)
	case *path:
		return ev.path(e, c)
	}
	return ev.fail(fmt.Errorf("%T is no expression", e))
}

func (ev *evaluator) binary(b *binary, c context) value {
	switch b.op {
	case or:
		return ofBool(ev.eval(b.left, c).bool() || ev.eval(b.right, c).bool())
	case and:
		return ofBool(ev.eval(b.left, c).bool() && ev.eval(b.right, c).bool())
	case equal:
		return ofBool(ev.equal(b.left, b.right, c))
	case unequal, less, lessEqual, greater, greaterEqual:
		return ofBool(ev.compare(b.op, ev.eval(b.left, c), ev.eval(b.right, c)))
	case union:
		return ev.union(ev.eval(b.left, c), ev.eval(b.right, c))
	default:
		return ofNumber(calculate(b.op, ev.toNumber(ev.eval(b.left, c)), ev.toNumber(ev.eval(b.right, c))))
	}
}

func calculate(op operator, l, r float64) float64 {
	switch op {
	case plus:
		return l + r
	case minus:
		return l - r
	case times:
		return l * r
	case div:
		return l / r
	default:
		return math.Mod(l, r)
	}
}

func (ev *evaluator) union(l, r value) value {
	if l.kind != nodeSet || r.kind != nodeSet {
		return ev.fail(errors.New("| is for sets of nodes"))
	}
	at := len(ev.arena)
	ev.arena = append(append(ev.arena, l.nodes...), r.nodes...)
	return ofNodes(distinct(ev.arena[at:]))
}

// equal is left = right. If one side is a path to a leaf of a list, the tree is
// asked for the nodes of the list that have the value of the other side.
func (ev *evaluator) equal(left, right expr, c context) bool {
	if p, ok := right.(*path); ok {
		if yes, known := ev.find(p, left, c); known {
			return yes
		}
	}
	if p, ok := left.(*path); ok {
		if yes, known := ev.find(p, right, c); known {
			return yes
		}
	}
	return ev.compare(equal, ev.eval(left, c), ev.eval(right, c))
}

// maxWanted bounds the values that are looked up one by one.
const maxWanted = 8

// find reports whether a node that a path selects has one of the values of the
// other expression, and whether the tree could tell.
func (ev *evaluator) find(p *path, other expr, c context) (yes, known bool) {
	list, leaf, ok := p.split()
	if !ok || ev.failed != nil {
		return false, false
	}
	if o, ok := other.(*path); ok {
		if _, _, big := o.split(); big && len(o.steps) > 2 {
			return false, false // two lists: better compared the plain way
		}
	}
	wanted := ev.eval(other, c)
	if wanted.kind != nodeSet && wanted.kind != textKind || len(wanted.nodes) > maxWanted {
		return false, false
	}
	start := *p
	start.steps = p.steps[:len(p.steps)-2]
	for _, base := range ev.quietly(&start, c).nodes {
		found, ok := ev.findBelow(base, list, leaf, wanted)
		if !ok {
			return false, false
		}
		yes = yes || found
	}
	return yes, true
}

// quietly evaluates a path that is only the way to another one.
func (ev *evaluator) quietly(p *path, c context) value {
	ev.inPred++
	defer func() { ev.inPred-- }()
	return ev.path(p, c)
}

func (ev *evaluator) findBelow(base Node, list *step, leaf string, wanted value) (yes, known bool) {
	values := []string{wanted.text}
	if wanted.kind == nodeSet {
		values = values[:0]
		for _, n := range wanted.nodes {
			values = append(values, ev.tree.Text(n))
		}
	}
	for _, v := range values {
		at := len(ev.arena)
		nodes, ok := ev.tree.AppendWhere(ev.arena, base, list.name, leaf, v)
		if !ok {
			return false, false
		}
		ev.arena = nodes
		kept := ev.filterAll(nodes[at:], list.preds, false)
		ev.show(kept)
		yes = yes || len(kept) > 0
	}
	return yes, true
}

// show tells who traces what was selected.
func (ev *evaluator) show(nodes []Node) {
	if ev.seen == nil || ev.inPred > 0 {
		return
	}
	for _, n := range nodes {
		ev.seen(n)
	}
}
