package yang

import (
	"github.com/switchlet/switchlet/sonic"
)

// raw is the value of a leaf as it stands in a row, and whether it stands there.
func (r *row) raw(leaf *node) (sonic.Field, bool) {
	switch {
	case leaf.key >= 0 && leaf.parent.kind == listKind:
		return sonic.Field{Name: leaf.name, Value: part(r.name, leaf.key)}, r.live
	case leaf.parent != leaf.row || !r.live:
		return sonic.Field{}, false
	}
	for _, f := range r.fields {
		if f.Name == leaf.name || len(f.Name) == len(leaf.name)+1 && isList(f.Name) && f.Name[:len(leaf.name)] == leaf.name {
			return f, true
		}
	}
	return sonic.Field{}, false
}

// value is the value of a leaf in canonical form: what stands in the row, or the
// default. Whether a when takes the default away is not looked at.
func (r *row) value(leaf *node) (string, bool) {
	f, ok := r.raw(leaf)
	if !ok {
		if len(leaf.defaults) > 0 {
			return leaf.defaults[0], true
		}
		return "", false
	}
	return leaf.canonicalOf(f), true
}

// canonicalOf is the value of a field of a leaf in canonical form.
func (n *node) canonicalOf(f sonic.Field) string {
	if n.key >= 0 {
		return n.typ.Canonical(f.Value, true)
	}
	value, ok := n.convert(f)
	if !ok {
		return f.Value
	}
	return n.typ.Canonical(value, !n.typ.JSONNumber)
}

// values are the values of a leaf-list in canonical form, or its defaults.
func (r *row) values(leaf *node) []string {
	f, ok := r.raw(leaf)
	if !ok {
		return leaf.defaults
	}
	list := leaf.elements(f)
	for i, e := range list {
		list[i] = leaf.typ.Canonical(e, !leaf.typ.JSONNumber)
	}
	if len(list) == 0 {
		return leaf.defaults
	}
	return list
}
