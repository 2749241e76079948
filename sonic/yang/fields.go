package yang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang/datatype"
)

// fields checks what can be said of a row by itself: that its fields are known
// and their values are of their types. Leafrefs, and unions with leafrefs in
// them, are demands of their own.
func (c *Checker) fields(u unit) []Violation {
	s := c.shelves[u.row]
	r := &s.rows[u.place]
	if !r.live {
		return nil
	}
	f := &fieldChecker{row: r, key: sonic.Key{Table: s.node.table().name, Name: r.name}}
	for i, k := range s.node.keys {
		f.value(k, k.name, part(r.name, i), true)
	}
	m := s.node.mapList()
	for _, field := range r.fields {
		if m != nil {
			f.entry(m, field)
			continue
		}
		f.field(s.node, field)
	}
	return f.list
}

type fieldChecker struct {
	row  *row
	key  sonic.Key
	list []Violation
}

func (f *fieldChecker) add(field string, rule Rule, value, message string) {
	f.list = append(f.list, Violation{Key: f.key, Field: field, Rule: rule, Value: value, Message: message})
}

// entry checks a field that is an entry of a map.
func (f *fieldChecker) entry(m *node, field sonic.Field) {
	f.value(m.keys[0], field.Name, field.Name, true)
	if v := m.mapValue(); v != nil {
		f.value(v, field.Name, field.Value, true)
	}
}

func (f *fieldChecker) field(n *node, field sonic.Field) {
	leaf := n.fieldNode(field.Name)
	switch {
	case leaf == nil:
		f.add(strings.TrimSuffix(field.Name, "@"), UnknownField, field.Value, "the models know no such field")
	case leaf.key >= 0 && n.kind == listKind:
		// sonic_yang lets the field take the place of the key.
		if value := part(f.row.name, leaf.key); value != field.Value {
			f.add(field.Name, UnknownField, field.Value, fmt.Sprintf("%s is %q already, by the name of the row", leaf.name, value))
		}
	case leaf.kind == leafListKind:
		f.leafList(leaf, field)
	default:
		value, ok := leaf.convert(field)
		if !ok {
			f.add(leaf.name, Type, field.Value, fmt.Sprintf("%q is no number", field.Value))
			return
		}
		f.value(leaf, leaf.name, value, !leaf.typ.JSONNumber)
	}
}

// leafList checks the elements of a leaf-list, each of which may be there once.
func (f *fieldChecker) leafList(leaf *node, field sonic.Field) {
	elements := leaf.elements(field)
	var seen []string
	for _, e := range elements {
		if leaf.typ.JSONNumber {
			n, ok := datatype.PythonInt(e)
			if !ok {
				f.add(leaf.name, Type, e, fmt.Sprintf("%q is no number", e))
				continue
			}
			e = n
		}
		f.value(leaf, leaf.name, e, !leaf.typ.JSONNumber)
		canonical := leaf.typ.Canonical(e, !leaf.typ.JSONNumber)
		if slices.Contains(seen, canonical) {
			f.add(leaf.name, Unique, e, fmt.Sprintf("%q is there twice", e))
		}
		seen = append(seen, canonical)
	}
}

func (f *fieldChecker) value(leaf *node, field, value string, text bool) {
	if leaf.typ.HasRef() {
		return
	}
	if _, err := leaf.typ.Check(value, text, nil); err != nil {
		f.add(field, ruleOf(err.Fault), value, err.Text)
	}
}

func ruleOf(f datatype.Fault) Rule {
	switch f {
	case datatype.OutOfRange:
		return Range
	case datatype.WrongLength:
		return Length
	case datatype.PatternMismatch:
		return Pattern
	case datatype.NotAnEnum:
		return Enum
	case datatype.NoTarget:
		return LeafRef
	default:
		return Type
	}
}
