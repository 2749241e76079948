// Package cabling says what a lab's cables are: their ends, and which ones a
// new lab has. It only computes; package patch plugs them in.
package cabling

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// End is one end of a cable: a switch's port under its SONiC name, or a host's
// NIC.
type End struct{ Node, Port string }

// ParseEnd reads "leaf1/Ethernet0".
func ParseEnd(text string) (End, error) {
	node, port, ok := strings.Cut(text, "/")
	if !ok || node == "" || port == "" || strings.Contains(port, "/") {
		return End{}, fmt.Errorf("%q is no end of a cable: write node/port, such as leaf1/Ethernet0 or host1/eth1", text)
	}
	return End{node, port}, nil
}

// String is "leaf1/Ethernet0".
func (e End) String() string { return e.Node + "/" + e.Port }

// Compare orders ends as a person would: host2 before host10.
func (e End) Compare(other End) int {
	return cmp.Or(CompareNames(e.Node, other.Node), CompareNames(e.Port, other.Port))
}

// CompareNames orders names as a person would: first by what comes before the
// number at the end, then by the number.
func CompareNames(a, b string) int {
	wordA, numberA := splitName(a)
	wordB, numberB := splitName(b)
	return cmp.Or(strings.Compare(wordA, wordB), cmp.Compare(numberA, numberB), strings.Compare(a, b))
}

func splitName(name string) (word string, number int) {
	word = strings.TrimRight(name, "0123456789")
	number, err := strconv.Atoi(name[len(word):])
	if err != nil {
		number = -1 // none, or one that no port has
	}
	return word, number
}

// Cable leads from one end to the other; A comes before B.
type Cable struct{ A, B End }

// New is the cable between two ends.
func New(a, b End) Cable {
	if a.Compare(b) > 0 {
		a, b = b, a
	}
	return Cable{a, b}
}

// Compare orders cables by their ends.
func (c Cable) Compare(other Cable) int {
	return cmp.Or(c.A.Compare(other.A), c.B.Compare(other.B))
}

// Sort sorts cables by their ends.
func Sort(cables []Cable) { slices.SortFunc(cables, Cable.Compare) }
