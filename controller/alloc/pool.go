// Package alloc chooses identifiers: VNIs and VTEP addresses for the fabric,
// VLAN ids for a switch. It is pure. A choice depends on who asks and on what
// is taken, and on nothing else: the same holder asking again gets the same
// value, also after a restart of the controller, and values that have just been
// given back are not the first ones to be given out again.
package alloc

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
)

// Range is a range of values, both ends included.
type Range struct{ First, Last uint32 }

// Pool is a set of values that may be given out. The zero Pool is empty.
type Pool struct {
	ranges []Range // in rising order, disjoint
	size   uint64
}

// ErrEmptyPool says that no value is left once the reserved ranges are out.
var ErrEmptyPool = errors.New("no value is left outside the reserved ranges")

// NewPool makes a pool of ranges without the reserved ones. Overlapping ranges
// are an error, since one of them was surely meant to be something else.
func NewPool(ranges, reserved []Range) (Pool, error) {
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, func(a, b Range) int { return cmp.Compare(a.First, b.First) })
	for i := 1; i < len(sorted); i++ {
		if sorted[i].First <= sorted[i-1].Last {
			return Pool{}, fmt.Errorf("ranges %d-%d and %d-%d overlap",
				sorted[i-1].First, sorted[i-1].Last, sorted[i].First, sorted[i].Last)
		}
	}
	var p Pool
	for _, r := range sorted {
		p.ranges = append(p.ranges, without(r, reserved)...)
	}
	for _, r := range p.ranges {
		p.size += uint64(r.Last) - uint64(r.First) + 1
	}
	if p.size == 0 {
		return Pool{}, ErrEmptyPool
	}
	return p, nil
}

// without cuts the reserved ranges out of r.
func without(r Range, reserved []Range) []Range {
	left := []Range{r}
	for _, cut := range reserved {
		var next []Range
		for _, l := range left {
			if cut.Last < l.First || cut.First > l.Last {
				next = append(next, l)
				continue
			}
			if l.First < cut.First {
				next = append(next, Range{l.First, cut.First - 1})
			}
			if cut.Last < l.Last {
				next = append(next, Range{cut.Last + 1, l.Last})
			}
		}
		left = next
	}
	return left
}

// Size is how many values the pool has.
func (p Pool) Size() uint64 { return p.size }

// Contains says whether v may be given out.
func (p Pool) Contains(v uint32) bool {
	return slices.ContainsFunc(p.ranges, func(r Range) bool { return r.First <= v && v <= r.Last })
}

// Pick chooses a value for holder that is not taken: the one that the holder's
// name hashes to, or the next free one after it. It reports false when every
// value is taken.
func (p Pool) Pick(holder string, taken func(uint32) bool) (uint32, bool) {
	if p.size == 0 {
		return 0, false
	}
	h := fnv.New64a()
	h.Write([]byte(holder))
	start := h.Sum64() % p.size
	for i := range p.size {
		if v := p.at((start + i) % p.size); !taken(v) {
			return v, true
		}
	}
	return 0, false
}

// at is the i-th value of the pool.
func (p Pool) at(i uint64) uint32 {
	for _, r := range p.ranges {
		n := uint64(r.Last) - uint64(r.First) + 1
		if i < n {
			return r.First + uint32(i)
		}
		i -= n
	}
	panic("alloc: index beyond the pool's size")
}
