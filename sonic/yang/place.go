package yang

import (
	"slices"
	"strings"

	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang/datatype"
)

// place finds what a row of a table is: a row of one of the table's lists, or a
// row with a fixed name. It follows sonic_yang (sonic_yang_ext.py,
// _xlateContainer): of the lists with as many keys as the name has parts the
// first one counts that knows all fields. Without one the row is what comes
// nearest, and nil if nothing does.
func (n *node) place(name string, fields sonic.Fields) *node {
	candidates := n.candidates(name)
	for _, row := range candidates {
		if row.fits(fields) {
			return row
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	return candidates[0]
}

// candidates are the rows of a table that a name can be of.
func (n *node) candidates(name string) []*node {
	var out []*node
	parts := strings.Count(name, sonic.Separator) + 1
	lists := slices.Collect(n.lists)
	for _, list := range lists {
		// A lone list is looked at only if it has the table's name.
		if len(list.keys) == parts && (len(lists) > 1 || list.name == n.name+"_LIST") {
			out = append(out, list)
		}
	}
	if fixed := n.child(name); fixed != nil && fixed.kind == fixedKind {
		out = append(out, fixed)
	}
	return out
}

func (n *node) lists(yield func(*node) bool) {
	for _, c := range n.children {
		if c.kind == listKind && !yield(c) {
			return
		}
	}
}

// fits reports whether a row knows all fields and can convert their values.
func (n *node) fits(fields sonic.Fields) bool {
	for _, f := range fields {
		leaf := n.fieldNode(f.Name)
		if leaf == nil {
			return false
		}
		if _, ok := leaf.convert(f); !ok {
			return false
		}
	}
	return true
}

// fieldNode is the leaf or leaf-list that a field is, the map for which it is an
// entry, or nil.
func (n *node) fieldNode(field string) *node {
	if m := n.mapList(); m != nil {
		return m
	}
	leaf := n.child(strings.TrimSuffix(field, "@"))
	if leaf == nil || !leaf.isLeaf() {
		return nil
	}
	return leaf
}

// mapList is the list that the fields of a row are the entries of, or nil. Such
// rows are those of the tables that sonic_yang knows by name (Type_1_list_maps_model).
func (n *node) mapList() *node {
	switch n.name {
	case "DSCP_TO_TC_MAP_LIST", "DOT1P_TO_TC_MAP_LIST", "TC_TO_PRIORITY_GROUP_MAP_LIST", "TC_TO_QUEUE_MAP_LIST",
		"MAP_PFC_PRIORITY_TO_QUEUE_LIST", "PFC_PRIORITY_TO_PRIORITY_GROUP_MAP_LIST", "DSCP_TO_FC_MAP_LIST",
		"EXP_TO_FC_MAP_LIST", "CABLE_LENGTH_LIST", "MPLS_TC_TO_TC_MAP_LIST", "TC_TO_DSCP_MAP_LIST":
	default:
		return nil
	}
	for _, c := range n.children {
		if c.kind == mapKind && len(c.keys) == 1 {
			return c
		}
	}
	return nil
}

// mapValue is the leaf that holds the value of an entry of a map.
func (n *node) mapValue() *node {
	for _, c := range n.children {
		if c.isLeaf() && c.key < 0 {
			return c
		}
	}
	return nil
}

// convert is the value of a leaf as sonic_yang hands it to libyang, which turns
// unsigned numbers into numbers. It reports false if that fails.
func (n *node) convert(f sonic.Field) (string, bool) {
	if n.kind != leafKind {
		return "", true // the elements of a leaf-list are looked at one by one
	}
	value := f.Value
	if isList(f.Name) {
		value = pythonList(value)
	}
	if n.typ.Base != datatype.Uint {
		return value, true
	}
	return datatype.PythonInt(value)
}

// isList reports whether a field is a list in Redis.
func isList(field string) bool { return strings.HasSuffix(field, "@") }

// pythonList is what sonic_yang makes of a list where the model has a single
// value: the list as Python prints it.
func pythonList(value string) string {
	var out []string
	for _, e := range strings.Split(value, ",") {
		out = append(out, "'"+e+"'")
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// elements are the values of a leaf-list. A list stands in Redis under a name
// that ends in "@". Some fields are strings with separators in them, which
// sonic_yang knows by name (LEAF_LIST_WITH_STRING_VALUE_DICT); of all others it
// takes each character as an element, as a loop over a string does in Python.
func (n *node) elements(f sonic.Field) []string {
	var list []string
	if separator := n.separator(); isList(f.Name) {
		list = strings.Split(f.Value, ",")
	} else if separator != "" {
		for _, e := range strings.Split(f.Value, separator) {
			list = append(list, strings.TrimSpace(e))
		}
	} else {
		list = strings.Split(f.Value, "")
	}
	if len(n.defaults) == 0 {
		list = slices.DeleteFunc(list, func(e string) bool { return e == "" })
	}
	return list
}

func (n *node) separator() string {
	switch n.table().name + "|" + n.name {
	case "MIRROR_SESSION|src_ip", "BGP_ALLOWED_PREFIXES|prefixes_v4", "BGP_ALLOWED_PREFIXES|prefixes_v6",
		"BUFFER_PORT_EGRESS_PROFILE_LIST|profile_list", "BUFFER_PORT_INGRESS_PROFILE_LIST|profile_list",
		"PORT|adv_speeds", "PORT|adv_interface_types":
		return ","
	case "NTP|src_intf":
		return ";"
	}
	return ""
}

// part is the part of a row's name that is the key of a number.
func part(name string, key int) string {
	start := 0
	for i := range len(name) {
		if name[i] != sonic.Separator[0] {
			continue
		}
		if key == 0 {
			return strings.TrimSpace(name[start:i])
		}
		key, start = key-1, i+1
	}
	if key > 0 {
		return ""
	}
	return strings.TrimSpace(name[start:])
}
