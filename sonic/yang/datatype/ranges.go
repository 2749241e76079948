package datatype

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Ranges are the values or lengths that a type allows.
type Ranges struct {
	text    string
	parts   []span
	Message string // error-message
}

// span has both ends in it. Numbers are mapped to uint64 so that their order is
// kept, see order.
type span struct{ low, high uint64 }

// String is the ranges as they are written in YANG.
func (r *Ranges) String() string { return r.text }

func (r *Ranges) contain(n uint64) bool {
	for _, p := range r.parts {
		if n >= p.low && n <= p.high {
			return true
		}
	}
	return false
}

// order maps signed numbers to unsigned ones so that the smaller one stays smaller.
func order(n int64) uint64 { return uint64(n) ^ 1<<63 }

// ParseRanges reads the argument of a range statement for a type, which has the
// ranges of the type that it is derived from, if any (RFC 7950, 9.2.4).
func ParseRanges(text string, t *Type) (*Ranges, error) {
	limits := t.limits()
	return parseRanges(text, limits, func(s string) (uint64, error) {
		n, err := t.parseNumber(s, 10)
		if err != nil {
			return 0, fmt.Errorf("range %q: %w", text, err)
		}
		return n, nil
	})
}

// ParseLengths reads the argument of a length statement (RFC 7950, 9.4.4).
func ParseLengths(text string, t *Type) (*Ranges, error) {
	limits := span{0, math.MaxUint64}
	if t.Lengths != nil {
		limits = t.Lengths.outer()
	}
	return parseRanges(text, limits, func(s string) (uint64, error) {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("length %q: %w", text, err)
		}
		return n, nil
	})
}

func parseRanges(text string, limits span, parse func(string) (uint64, error)) (*Ranges, error) {
	r := &Ranges{text: strings.Join(strings.Fields(text), " ")}
	end := func(s string) (uint64, error) {
		switch s = strings.TrimSpace(s); s {
		case "min":
			return limits.low, nil
		case "max":
			return limits.high, nil
		}
		return parse(s)
	}
	for part := range strings.SplitSeq(text, "|") {
		low, high, both := strings.Cut(part, "..")
		if !both {
			high = low
		}
		l, err := end(low)
		if err != nil {
			return nil, err
		}
		h, err := end(high)
		if err != nil {
			return nil, err
		}
		r.parts = append(r.parts, span{l, h})
	}
	return r, nil
}

func (r *Ranges) outer() span { return span{r.parts[0].low, r.parts[len(r.parts)-1].high} }

// limits are the smallest and the largest number of a type.
func (t *Type) limits() span {
	switch {
	case t.Ranges != nil:
		return t.Ranges.outer()
	case t.Base == Uint:
		return span{0, math.MaxUint64 >> (64 - t.Size)}
	case t.Base == Int:
		return span{order(math.MinInt64 >> (64 - t.Size)), order(math.MaxInt64 >> (64 - t.Size))}
	}
	return span{order(math.MinInt64), order(math.MaxInt64)}
}
