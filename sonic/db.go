package sonic

import (
	"maps"
	"slices"
	"strings"
)

// Row is one row of CONFIG_DB.
type Row struct {
	Key    Key
	Fields Fields
}

// DB is a set of rows.
type DB map[Key]Fields

// Add puts rows into the set.
func (db DB) Add(rows ...Row) {
	for _, row := range rows {
		db[row.Key] = row.Fields
	}
}

// Keys of the rows, in rising order.
func (db DB) Keys() []Key { return slices.SortedFunc(maps.Keys(db), Key.Compare) }

// Equal reports whether two sets have the same rows.
func (db DB) Equal(other DB) bool {
	return maps.EqualFunc(db, other, slices.Equal)
}

// String has a line for each row, in rising order of their keys:
//
//	VLAN|Vlan10 vlanid=10
func (db DB) String() string {
	var b strings.Builder
	for _, key := range db.Keys() {
		b.WriteString(key.String())
		for _, field := range db[key] {
			b.WriteString(" " + field.Name + "=" + field.Value)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// Apply carries out commands on the set as Redis would.
func (db DB) Apply(commands ...Command) {
	for _, c := range commands {
		switch c.Op {
		case Create, Extend:
			db[c.Key] = c.Fields
		case Set:
			db[c.Key] = db[c.Key].with(c.Fields)
		case Unset:
			db[c.Key] = db[c.Key].without(c.Fields.Names())
		case Delete:
			delete(db, c.Key)
		}
	}
}
