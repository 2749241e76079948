package yang

import (
	"slices"
	"strings"

	"github.com/switchlet/switchlet/sonic/yang/xpath"
)

func (c *Checker) mandatory(r *constraint, place int32) []Violation {
	above := r.at.parent
	if r.choice != nil {
		above = r.at
	}
	var out []Violation
	for _, x := range c.instances(above, place) {
		if r.choice != nil {
			if len(c.used(r.at, place, r.choice)) == 0 && c.holds(r.choice.whens, x) {
				out = append(out, c.missing(x, r.choice.name))
			}
			continue
		}
		own := xpath.Node{Schema: r.at.id, Row: x.Row, Item: x.Item}
		if _, there := c.leaf(own); !there && c.allowed(r.at, own) {
			out = append(out, c.missing(x, r.at.name))
		}
	}
	return out
}

func (c *Checker) missing(x xpath.Node, name string) Violation {
	v := c.violation(x, Mandatory, "it is missing")
	v.Field = name
	return v
}

func (c *Checker) choice(r *constraint, place int32) []Violation {
	if r.at.row == nil || len(c.used(r.at, place, r.choice)) < 2 {
		return nil
	}
	var fields []string
	row := c.row(r.at, place)
	for _, n := range r.at.children {
		if !slices.ContainsFunc(n.branches, func(b branch) bool { return b.choice == r.choice }) {
			continue
		}
		if _, ok := row.raw(n); n.isLeaf() && ok {
			fields = append(fields, n.name)
		}
	}
	return []Violation{c.violation(xpath.Node{Schema: r.at.id, Row: place}, Choice, "these fields exclude each other: "+strings.Join(fields, ", "))}
}
