package xpath

import (
	"math"
	"strconv"
	"strings"
)

type kind uint8

const (
	_ kind = iota
	nodeSet
	textKind
	numberKind
	boolKind
)

// value is one of the four kinds of values of XPath 1.0.
type value struct {
	kind  kind
	nodes []Node
	text  string
	num   float64
	yes   bool
}

func ofNodes(nodes []Node) value { return value{kind: nodeSet, nodes: nodes} }
func ofText(s string) value      { return value{kind: textKind, text: s} }
func ofNumber(f float64) value   { return value{kind: numberKind, num: f} }
func ofBool(yes bool) value      { return value{kind: boolKind, yes: yes} }

// bool is boolean(v) (XPath 1.0, section 4.3).
func (v value) bool() bool {
	switch v.kind {
	case nodeSet:
		return len(v.nodes) > 0
	case textKind:
		return v.text != ""
	case numberKind:
		return v.num != 0 && !math.IsNaN(v.num)
	default:
		return v.yes
	}
}

// toText is string(v) (section 4.2): of nodes, the first in document order counts.
func (ev *evaluator) toText(v value) string {
	switch v.kind {
	case nodeSet:
		if len(v.nodes) == 0 {
			return ""
		}
		first := v.nodes[0]
		for _, n := range v.nodes[1:] {
			if ev.tree.Before(n, first) {
				first = n
			}
		}
		return ev.tree.Text(first)
	case numberKind:
		return formatNumber(v.num)
	case boolKind:
		return strconv.FormatBool(v.yes)
	default:
		return v.text
	}
}

// toNumber is number(v) (section 4.4).
func (ev *evaluator) toNumber(v value) float64 {
	switch v.kind {
	case numberKind:
		return v.num
	case boolKind:
		if v.yes {
			return 1
		}
		return 0
	default:
		return parseNumber(ev.toText(v))
	}
}

// parseNumber reads digits with at most a point and a minus; all else is no number.
func parseNumber(s string) float64 {
	s = strings.Trim(s, " \t\r\n")
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789.") != "" {
		return math.NaN()
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

func formatNumber(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// compare is the comparison of two values (section 3.4): with sets of nodes it
// holds if it holds for one of them.
func (ev *evaluator) compare(op operator, l, r value) bool {
	switch {
	case l.kind == boolKind || r.kind == boolKind:
		if op == equal || op == unequal {
			return (l.bool() == r.bool()) == (op == equal)
		}
	case l.kind == nodeSet:
		for _, n := range l.nodes {
			if ev.compare(op, ofText(ev.tree.Text(n)), r) {
				return true
			}
		}
		return false
	case r.kind == nodeSet:
		for _, n := range r.nodes {
			if ev.compare(op, l, ofText(ev.tree.Text(n))) {
				return true
			}
		}
		return false
	case (op == equal || op == unequal) && l.kind == textKind && r.kind == textKind:
		return (l.text == r.text) == (op == equal)
	}
	return compareNumbers(op, ev.toNumber(boolAsIs(l)), ev.toNumber(boolAsIs(r)))
}

// boolAsIs turns a set of nodes that is compared with true or false into that.
func boolAsIs(v value) value {
	if v.kind == nodeSet {
		return ofBool(v.bool())
	}
	return v
}

func compareNumbers(op operator, l, r float64) bool {
	switch op {
	case equal:
		return l == r
	case unequal:
		return l != r
	case less:
		return l < r
	case lessEqual:
		return l <= r
	case greater:
		return l > r
	default:
		return l >= r
	}
}
