package xpath

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// function is a function of XPath 1.0 (section 4) or of YANG (RFC 7950, section 10).
type function struct {
	least, most int // arguments
	returns     kind
	text        bool // a string made of nothing but the arguments
	eval        func(*evaluator, *call, context) value
}

// many is the number of arguments of concat, which has no limit.
const many = 64

func functionOf(name string) *function {
	for _, list := range []func(string) *function{nodeFunction, textFunction, numberFunction, yangFunction} {
		if f := list(name); f != nil {
			return f
		}
	}
	return nil
}

func nodeFunction(name string) *function {
	switch name {
	case "last":
		return &function{0, 0, numberKind, false, func(_ *evaluator, _ *call, c context) value { return ofNumber(float64(c.size)) }}
	case "position":
		return &function{0, 0, numberKind, false, func(_ *evaluator, _ *call, c context) value { return ofNumber(float64(c.position)) }}
	case "count":
		return &function{1, 1, numberKind, false, (*evaluator).count}
	case "sum":
		return &function{1, 1, numberKind, false, (*evaluator).sum}
	case "local-name", "name":
		return &function{0, 1, textKind, false, (*evaluator).name}
	case "boolean":
		return &function{1, 1, boolKind, false, func(ev *evaluator, f *call, c context) value { return ofBool(ev.eval(f.args[0], c).bool()) }}
	case "not":
		return &function{1, 1, boolKind, false, func(ev *evaluator, f *call, c context) value { return ofBool(!ev.eval(f.args[0], c).bool()) }}
	case "true":
		return &function{0, 0, boolKind, false, func(*evaluator, *call, context) value { return ofBool(true) }}
	case "false":
		return &function{0, 0, boolKind, false, func(*evaluator, *call, context) value { return ofBool(false) }}
	}
	return nil
}

func textFunction(name string) *function {
	text := func(least, most int, f func(args []string) string) *function {
		return &function{least, most, textKind, true, func(ev *evaluator, c *call, at context) value { return ofText(f(ev.texts(c, at))) }}
	}
	test := func(f func(s, t string) bool) *function {
		return &function{2, 2, boolKind, false, func(ev *evaluator, c *call, at context) value {
			args := ev.texts(c, at)
			return ofBool(f(args[0], args[1]))
		}}
	}
	switch name {
	case "string":
		return text(0, 1, func(a []string) string { return a[0] })
	case "concat":
		return text(2, many, func(a []string) string { return strings.Join(a, "") })
	case "starts-with":
		return test(strings.HasPrefix)
	case "contains":
		return test(strings.Contains)
	case "substring-before":
		return text(2, 2, func(a []string) string { before, _, found := strings.Cut(a[0], a[1]); return onlyIf(found, before) })
	case "substring-after":
		return text(2, 2, func(a []string) string { _, after, found := strings.Cut(a[0], a[1]); return onlyIf(found, after) })
	case "normalize-space":
		return text(0, 1, func(a []string) string { return strings.Join(strings.Fields(a[0]), " ") })
	case "translate":
		return text(3, 3, func(a []string) string { return translate(a[0], a[1], a[2]) })
	case "substring":
		return &function{2, 3, textKind, true, (*evaluator).substring}
	case "string-length":
		return &function{0, 1, numberKind, false, func(ev *evaluator, c *call, at context) value {
			return ofNumber(float64(utf8.RuneCountInString(ev.texts(c, at)[0])))
		}}
	}
	return nil
}

func numberFunction(name string) *function {
	of := func(least int, f func(float64) float64) *function {
		return &function{least, 1, numberKind, false, func(ev *evaluator, c *call, at context) value {
			v := ofNodes([]Node{at.node})
			if len(c.args) > 0 {
				v = ev.eval(c.args[0], at)
			}
			return ofNumber(f(ev.toNumber(v)))
		}}
	}
	switch name {
	case "number":
		return of(0, func(f float64) float64 { return f })
	case "floor":
		return of(1, math.Floor)
	case "ceiling":
		return of(1, math.Ceil)
	case "round":
		return of(1, round)
	}
	return nil
}

// texts are the arguments as strings; without any, the context node's.
func (ev *evaluator) texts(c *call, at context) []string {
	if len(c.args) == 0 {
		return []string{ev.tree.Text(at.node)}
	}
	out := make([]string, len(c.args))
	for i, arg := range c.args {
		out[i] = ev.toText(ev.eval(arg, at))
	}
	return out
}

// set is an argument that has to be a set of nodes.
func (ev *evaluator) set(c *call, at context) []Node {
	v := ev.eval(c.args[0], at)
	if v.kind != nodeSet && ev.failed == nil {
		ev.fail(fmt.Errorf("%s() is for a set of nodes", c.name))
	}
	return v.nodes
}

func (ev *evaluator) count(c *call, at context) value { return ofNumber(float64(len(ev.set(c, at)))) }

func (ev *evaluator) sum(c *call, at context) value {
	total := 0.0
	for _, n := range ev.set(c, at) {
		total += parseNumber(ev.tree.Text(n))
	}
	return ofNumber(total)
}

func (ev *evaluator) name(c *call, at context) value {
	nodes := []Node{at.node}
	if len(c.args) > 0 {
		nodes = ev.set(c, at)
	}
	if len(nodes) == 0 {
		return ofText("")
	}
	return ofText(ev.tree.Name(nodes[0]))
}

// substring counts characters from 1 and rounds (section 4.2).
func (ev *evaluator) substring(c *call, at context) value {
	text := []rune(ev.toText(ev.eval(c.args[0], at)))
	from := round(ev.toNumber(ev.eval(c.args[1], at)))
	to := math.Inf(1)
	if len(c.args) == 3 {
		to = from + round(ev.toNumber(ev.eval(c.args[2], at)))
	}
	var out strings.Builder
	for i, r := range text {
		if p := float64(i + 1); p >= from && p < to {
			out.WriteRune(r)
		}
	}
	return ofText(out.String())
}

func onlyIf(yes bool, s string) string {
	if yes {
		return s
	}
	return ""
}

// round is to the nearest integer, halves upwards (section 4.4).
func round(f float64) float64 { return math.Floor(f + 0.5) }

// translate replaces the characters of from by those of to, or drops them.
func translate(s, from, to string) string {
	old, replacement := []rune(from), []rune(to)
	return strings.Map(func(r rune) rune {
		for i, o := range old {
			if o == r && i < len(replacement) {
				return replacement[i]
			} else if o == r {
				return -1
			}
		}
		return r
	}, s)
}
