package persist

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/sonic"
)

// Owned are the agent's rows of CONFIG_DB, with the fields of them that are the
// agent's.
func Owned(have sonic.DB, ledger sonic.Ledger) sonic.DB {
	own := make(sonic.DB, len(ledger))
	for key, names := range ledger {
		fields, there := have[key]
		if !there {
			continue
		}
		var mine sonic.Fields
		for _, name := range names {
			if text, ok := fields.Get(name); ok {
				mine = append(mine, sonic.Field{Name: name, Value: text})
			}
		}
		own[key] = mine
	}
	return own
}

// Merge makes the text of a config_db.json one that has the agent's rows: own,
// with the agent's fields only. Rows and fields that the agent put there
// formerly and that are not among them go. Everything else stays, with its
// place in the file. changed is false, and merged the very same text, if all is
// as it should be.
//
// A text that changes is laid out as `config save` does.
func Merge(text []byte, own sonic.DB, formerly sonic.Ledger) (merged []byte, changed bool, err error) {
	root, err := parse(text)
	if err != nil {
		return nil, false, err
	}
	if root.kind != objectKind {
		return nil, false, errors.New("it is not a JSON object of tables")
	}
	e := editor{root: &root, order: orderOf(root), tables: map[string]*table{}}
	for _, key := range keysOf(formerly) {
		if err := e.remove(key, formerly[key], own); err != nil {
			return nil, false, err
		}
	}
	for _, key := range own.Keys() {
		if err := e.set(key, own[key]); err != nil {
			return nil, false, err
		}
	}
	if !e.changed {
		return text, false, nil
	}
	e.finish()
	return root.encode(), true, nil
}

// keysOf a ledger, in rising order.
func keysOf(ledger sonic.Ledger) []sonic.Key {
	keys := make([]sonic.Key, 0, len(ledger))
	for key := range ledger {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, sonic.Key.Compare)
	return keys
}

// editor changes a file. A switch can have thousands of rows in a table, so
// these are looked up in an index, and put in order in the end.
type editor struct {
	root    *value
	order   func(a, b string) int // of the rows in a table
	tables  map[string]*table     // those that were looked at
	changed bool
}

// table of the file, while it is changed.
type table struct {
	name   string
	value  value
	index  map[string]int // of the rows; of several with the same key, the last
	sorted bool           // the rows are in order
	gone   map[string]bool
}

// remove takes away what was the agent's and is not any more. A row goes when
// nothing is left of it, and a table as well.
func (e *editor) remove(key sonic.Key, names []string, own sonic.DB) error {
	t, row, err := e.find(key)
	if err != nil || row == nil {
		return err
	}
	wanted, stays := own[key]
	for _, name := range names {
		if _, ok := wanted.Get(name); !ok && row.drop(strings.TrimSuffix(name, "@")) {
			e.changed = true
		}
	}
	if !stays && len(row.members) == 0 {
		e.changed = true
		t.gone[key.Name] = true
	}
	return nil
}

// set makes a row have fields.
func (e *editor) set(key sonic.Key, fields sonic.Fields) error {
	t, row, err := e.find(key)
	if err != nil {
		return err
	}
	if row == nil {
		row = t.add(key.Name)
		e.changed = true
	}
	for _, field := range fields {
		name, want := typed(field)
		have := row.get(name)
		switch {
		case have == nil:
			row.insert(name, want)
		case !have.same(want):
			*have = want
		default:
			continue
		}
		e.changed = true
	}
	return nil
}

// find is the table and the row of a key, nil where there is no row.
func (e *editor) find(key sonic.Key) (t *table, row *value, err error) {
	if t = e.tables[key.Table]; t == nil {
		if t, err = e.table(key.Table); err != nil {
			return nil, nil, err
		}
		e.tables[key.Table] = t
	}
	at, there := t.index[key.Name]
	if !there {
		return t, nil, nil
	}
	if row = &t.value.members[at].value; row.kind != objectKind {
		return nil, nil, fmt.Errorf("%s is not an object of fields", key)
	}
	return t, row, nil
}

// table opens a table; one that is missing has no rows yet.
func (e *editor) table(name string) (*table, error) {
	t := &table{name: name, value: value{kind: objectKind}, index: map[string]int{}, gone: map[string]bool{}}
	if v := e.root.get(name); v != nil {
		t.value = *v
	}
	if t.value.kind != objectKind {
		return nil, fmt.Errorf("%s is not an object of rows", name)
	}
	for i, m := range t.value.members {
		t.index[m.key] = i
	}
	t.sorted = slices.IsSortedFunc(t.value.members, e.byKey)
	return t, nil
}

func (e *editor) byKey(a, b member) int { return e.order(a.key, b.key) }

// add adds a row without fields, at the end for now.
func (t *table) add(name string) *value {
	t.index[name] = len(t.value.members)
	t.value.members = append(t.value.members, member{name, quote(name), value{kind: objectKind}})
	return &t.value.members[len(t.value.members)-1].value
}

// finish puts the tables that were looked at back into the file.
func (e *editor) finish() {
	for _, name := range slices.Sorted(maps.Keys(e.tables)) {
		t := e.tables[name]
		was := len(t.value.members)
		t.value.members = slices.DeleteFunc(t.value.members, func(m member) bool { return t.gone[m.key] })
		if t.sorted {
			slices.SortStableFunc(t.value.members, e.byKey)
		}
		have := e.root.get(name)
		switch {
		case len(t.value.members) == 0 && was > 0:
			e.root.drop(name)
		case have != nil:
			*have = t.value
		case was > 0:
			e.root.insert(name, t.value)
		}
	}
}

// typed is a field as the file has it: a list, whose name ends in @ in Redis, is
// one there (swss-common, common/configdb.h, raw_to_typed).
func typed(field sonic.Field) (name string, v value) {
	name, isList := strings.CutSuffix(field.Name, "@")
	if !isList {
		return name, value{scalar: quote(field.Value)}
	}
	v = value{kind: listKind}
	if field.Value != "" {
		for item := range strings.SplitSeq(field.Value, ",") {
			v.members = append(v.members, member{value: value{scalar: quote(item)}})
		}
	}
	return name, v
}

// get is a member of an object. Of several with the same key the last one
// counts, as for Python.
func (v *value) get(key string) *value {
	for i := len(v.members) - 1; i >= 0; i-- {
		if v.members[i].key == key {
			return &v.members[i].value
		}
	}
	return nil
}

// drop removes a member of an object, and reports whether there was one.
func (v *value) drop(key string) bool {
	n := len(v.members)
	v.members = slices.DeleteFunc(v.members, func(m member) bool { return m.key == key })
	return len(v.members) < n
}

// insert adds a member to an object: at its place if the others are in order,
// else at the end.
func (v *value) insert(key string, item value) {
	at := len(v.members)
	byKey := func(a, b member) int { return strings.Compare(a.key, b.key) }
	if slices.IsSortedFunc(v.members, byKey) {
		at, _ = slices.BinarySearchFunc(v.members, member{key: key}, byKey)
	}
	v.members = slices.Insert(v.members, at, member{key, quote(key), item})
}

// same reports whether a value of the file says what the wanted one does.
func (v *value) same(want value) bool {
	if v.kind != want.kind || len(v.members) != len(want.members) {
		return false
	}
	for i := range v.members {
		if !v.members[i].value.same(want.members[i].value) {
			return false
		}
	}
	return v.kind == listKind || v.kind == scalarKind && unquote(v.scalar) == unquote(want.scalar)
}
