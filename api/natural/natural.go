// Package natural orders names of ports, NICs and nodes as people do: Ethernet8 before
// Ethernet12, host2 before host10.
package natural

import (
	"cmp"
	"strings"
)

// Compare orders two names by their texts and by each number in them, which may be of
// any length. Only names that are the same are equal: eth1 is before eth01.
func Compare(a, b string) int {
	for a != "" && b != "" {
		an, at := digits(a)
		bn, bt := digits(b)
		if an > 0 && bn > 0 {
			x, y := strings.TrimLeft(a[:an], "0"), strings.TrimLeft(b[:bn], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y), cmp.Compare(an, bn)); c != 0 {
				return c
			}
			a, b = at, bt
			continue
		}
		if c := cmp.Compare(a[0], b[0]); c != 0 {
			return c
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is how many digits a text begins with, and what follows them.
func digits(s string) (n int, rest string) {
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n, s[n:]
}
