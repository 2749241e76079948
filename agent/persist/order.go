package persist

import (
	"cmp"
	"slices"
	"strings"
)

// orderOf is the order that the rows of a file are in. Older releases of SONiC
// sort them as people do (Ethernet4 before Ethernet16), newer ones by their
// bytes.
func orderOf(root value) func(a, b string) int {
	for _, table := range root.members {
		if !slices.IsSortedFunc(table.value.members, func(a, b member) int { return strings.Compare(a.key, b.key) }) {
			return natural
		}
	}
	return strings.Compare
}

// natural compares texts with numbers in them: Vlan9 comes before Vlan10.
func natural(a, b string) int {
	whole := strings.Compare(a, b)
	for a != "" && b != "" {
		textA, numberA, restA := chunk(a)
		textB, numberB, restB := chunk(b)
		// Of two numbers without leading zeros, the one with more digits is larger.
		if c := cmp.Or(strings.Compare(textA, textB), cmp.Compare(len(numberA), len(numberB)), strings.Compare(numberA, numberB)); c != 0 {
			return c
		}
		a, b = restA, restB
	}
	return cmp.Or(cmp.Compare(len(a), len(b)), whole)
}

// chunk splits off a text without digits, and the number after it without its
// leading zeros.
func chunk(s string) (text, number, rest string) {
	const digits = "0123456789"
	begin := strings.IndexAny(s, digits)
	if begin < 0 {
		return s, "", ""
	}
	rest = strings.TrimLeft(s[begin:], digits)
	return s[:begin], strings.TrimLeft(s[begin:len(s)-len(rest)], "0"), rest
}
