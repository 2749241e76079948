package sonic

import (
	"slices"
	"strings"
)

// null is the field and the value of a row that has no fields: a Redis hash
// cannot be empty.
const null = "NULL"

// Field is one field of a row as Redis has it. The name of a list ends in "@"
// and its value is joined with commas.
type Field struct {
	Name  string
	Value string
}

// Fields are the fields of a row in rising order of their names, without NULL.
// The zero value is a row without fields.
type Fields []Field

// NewFields is the fields of a Redis hash, given as name, value, name, value ….
func NewFields(pairs ...string) Fields {
	fields := make(Fields, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] != null {
			fields = append(fields, Field{pairs[i], pairs[i+1]})
		}
	}
	fields.sort()
	return fields
}

// Tidy makes fields of a hash as Redis has it those of a row, in place.
func (f Fields) Tidy() Fields {
	f = slices.DeleteFunc(f, func(field Field) bool { return field.Name == null })
	f.sort()
	return f
}

func (f Fields) sort() {
	byName := func(a, b Field) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(f, byName) { // they are, where the agent wrote them
		slices.SortFunc(f, byName)
	}
}

// Get is the value of a field, and whether there is one.
func (f Fields) Get(name string) (string, bool) {
	for i := range f {
		if f[i].Name == name {
			return f[i].Value, true
		}
	}
	return "", false
}

// value is the value of a field, or nothing.
func (f Fields) value(name string) string {
	v, _ := f.Get(name)
	return v
}

// Names of the fields, in rising order.
func (f Fields) Names() []string {
	names := make([]string, len(f))
	for i := range f {
		names[i] = f[i].Name
	}
	return names
}

// contains reports whether every field of other is there with the same value.
// Both are in order, so one look along them does.
func (f Fields) contains(other Fields) bool {
	at := 0
	for i := range other {
		for at < len(f) && f[at].Name != other[i].Name {
			at++
		}
		if at == len(f) || f[at].Value != other[i].Value {
			return false
		}
		at++
	}
	return true
}

// with is f with the fields of other set.
func (f Fields) with(other Fields) Fields {
	pairs := make([]string, 0, 2*(len(f)+len(other)))
	for _, field := range f {
		if _, ok := other.Get(field.Name); !ok {
			pairs = append(pairs, field.Name, field.Value)
		}
	}
	for _, field := range other {
		pairs = append(pairs, field.Name, field.Value)
	}
	return NewFields(pairs...)
}

// Only is f with the named fields alone.
func (f Fields) Only(names []string) Fields {
	var some Fields
	for _, field := range f {
		if slices.Contains(names, field.Name) {
			some = append(some, field)
		}
	}
	return some
}

// without is f without the named fields.
func (f Fields) without(names []string) Fields {
	var rest Fields
	for _, field := range f {
		if !slices.Contains(names, field.Name) {
			rest = append(rest, field)
		}
	}
	return rest
}
