// Package xpath evaluates XPath 1.0 expressions as YANG uses them in must, when
// and path statements (RFC 7950, sections 6.4 and 10).
//
// An expression is parsed once and evaluated over any Tree. Names match by their
// local part: within SONiC's models no two siblings differ by prefix alone.
//
// Where a predicate says that a child has a value that is known beforehand, as
// in VLAN_MEMBER_LIST[port=current()], and where a path is compared with a
// value, the tree is asked for the nodes with that value instead of for all of
// them. What is cheap for a tree with indexes decides whether a box with 2,000
// VLANs is checked in a fraction of a second or in minutes.
package xpath

// Node names a node of a tree. What the numbers mean is the tree's business;
// two nodes are the same if they are equal.
type Node struct {
	Schema int32
	Row    int32
	Item   int32
}

// Tree is what expressions are evaluated over. Implementations append to the
// given list and return it.
type Tree interface {
	// Root is the node above all others.
	Root() Node
	// Parent is the node above, and false for the root.
	Parent(n Node) (Node, bool)
	// AppendChildren appends the children of a name, or all of them for "*".
	AppendChildren(list []Node, n Node, name string) []Node
	// AppendWhere appends the children of a name that have a child leaf of the
	// given value. It reports false, with the list as it was, if it would have to
	// look at each of them.
	AppendWhere(list []Node, n Node, name, leaf, value string) ([]Node, bool)
	// Text is the string value of a node: the value of a leaf.
	Text(n Node) string
	// Name is the name of a node.
	Name(n Node) string
	// Before reports whether a comes before b in document order.
	Before(a, b Node) bool
	// AppendTargets appends the nodes that a leafref refers to (deref).
	AppendTargets(list []Node, n Node) []Node
	// Enum is the number of the enum that a leaf has as its value (enum-value).
	Enum(n Node) (int64, bool)
	// Derived reports whether a leaf's identity is derived from the named one, or
	// is that one if self is set.
	Derived(n Node, identity string, self bool) bool
}
