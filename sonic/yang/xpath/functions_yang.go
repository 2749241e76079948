package xpath

import (
	"errors"
	"math"
	"strings"

	"github.com/switchlet/switchlet/sonic/yang/xsd"
)

func yangFunction(name string) *function {
	switch name {
	case "current":
		return &function{0, 0, nodeSet, false, func(ev *evaluator, _ *call, _ context) value { return ofNodes([]Node{ev.current}) }}
	case "re-match":
		return &function{2, 2, boolKind, false, (*evaluator).reMatch}
	case "deref":
		return &function{1, 1, nodeSet, false, (*evaluator).deref}
	case "enum-value":
		return &function{1, 1, numberKind, false, (*evaluator).enumValue}
	case "bit-is-set":
		return &function{2, 2, boolKind, false, (*evaluator).bitIsSet}
	case "derived-from", "derived-from-or-self":
		return &function{2, 2, boolKind, false, (*evaluator).derivedFrom}
	}
	return nil
}

// prepare does what need be done only once: reading the pattern of re-match.
func (f *function) prepare(c *call) error {
	if c.name != "re-match" {
		return nil
	}
	if l, ok := c.args[1].(literal); ok {
		return c.setPattern(l.text)
	}
	return nil
}

func (c *call) setPattern(text string) error {
	pattern, err := xsd.Parse(text)
	if err != nil {
		return err
	}
	c.pattern, err = pattern.Compile()
	return err
}

func (ev *evaluator) reMatch(c *call, at context) value {
	args := ev.texts(c, at)
	if c.pattern != nil {
		return ofBool(c.pattern.MatchString(args[0]))
	}
	now := &call{} // the pattern is not known beforehand
	if err := now.setPattern(args[1]); err != nil {
		return ev.fail(err)
	}
	return ofBool(now.pattern.MatchString(args[0]))
}

func (ev *evaluator) deref(c *call, at context) value {
	var out []Node
	if nodes := ev.set(c, at); len(nodes) > 0 {
		out = ev.tree.AppendTargets(nil, nodes[0])
	}
	return ofNodes(out)
}

func (ev *evaluator) enumValue(c *call, at context) value {
	if nodes := ev.set(c, at); len(nodes) > 0 {
		if v, ok := ev.tree.Enum(nodes[0]); ok {
			return ofNumber(float64(v))
		}
	}
	return ofNumber(math.NaN())
}

func (ev *evaluator) bitIsSet(c *call, at context) value {
	nodes, bit := ev.set(c, at), ev.toText(ev.eval(c.args[1], at))
	for _, n := range nodes {
		for _, set := range strings.Fields(ev.tree.Text(n)) {
			if set == bit {
				return ofBool(true)
			}
		}
	}
	return ofBool(false)
}

func (ev *evaluator) derivedFrom(c *call, at context) value {
	nodes, identity := ev.set(c, at), ev.toText(ev.eval(c.args[1], at))
	if identity == "" {
		return ev.fail(errors.New("derived-from() needs the name of an identity"))
	}
	for _, n := range nodes {
		if ev.tree.Derived(n, identity, c.name == "derived-from-or-self") {
			return ofBool(true)
		}
	}
	return ofBool(false)
}
