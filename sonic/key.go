package sonic

import (
	"bytes"
	"strings"
)

// Separator stands between the parts of a CONFIG_DB key.
const Separator = "|"

// Key is the key of a row: the table, and the rest, which may have several
// parts: VLAN_MEMBER and Vlan10|Ethernet16.
type Key struct {
	Table string
	Name  string
}

// ParseKey splits a Redis key at its first separator. It reports false for a
// key that is no row, such as CONFIG_DB_INITIALIZED.
func ParseKey(s string) (Key, bool) {
	table, name, ok := strings.Cut(s, Separator)
	return Key{table, name}, ok && table != "" && name != ""
}

// CutKey is ParseKey for the bytes of a key.
func CutKey(b []byte) (table, name []byte, ok bool) {
	table, name, ok = bytes.Cut(b, []byte(Separator))
	return table, name, ok && len(table) > 0 && len(name) > 0
}

// String is the key as Redis has it.
func (k Key) String() string { return k.Table + Separator + k.Name }

// Compare orders keys by table, then by name.
func (k Key) Compare(other Key) int {
	if k.Table != other.Table {
		return strings.Compare(k.Table, other.Table)
	}
	return strings.Compare(k.Name, other.Name)
}

// split is the first part of the name and the rest, which is empty if there is none.
func (k Key) split() (first, rest string) {
	first, rest, _ = strings.Cut(k.Name, Separator)
	return first, rest
}
