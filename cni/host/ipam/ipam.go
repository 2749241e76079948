// Package ipam chooses addresses for pods, of the ranges that are the host's
// alone. It computes only: who has which address is told to it.
package ipam

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Cooldown is how long an address that was released is not given out: others
// may still have it in their neighbour tables, and the pod that had it may still
// be ending.
const Cooldown = 30 * time.Second

// Range of addresses of one family, both ends in it.
type Range struct{ First, Last netip.Addr }

// Contains reports whether the range has an address.
func (r Range) Contains(a netip.Addr) bool {
	return a.BitLen() == r.First.BitLen() && r.First.Compare(a) <= 0 && a.Compare(r.Last) <= 0
}

// Subnet is where an address comes from: one CIDR of a network.
type Subnet struct {
	CIDR netip.Prefix
	// Gateway of the CIDR; invalid if it has none.
	Gateway netip.Addr
	// Ranges that are the host's.
	Ranges []Range
	// Taboo are addresses of the ranges that this pod may not get: gateways, and
	// what others have reserved.
	Taboo map[netip.Addr]bool
	// Fixed is the address that the pod is to get; invalid if any will do.
	Fixed netip.Addr
}

// Usage says what became of the addresses of a network.
type Usage interface {
	// Holder is who has an address, empty if nobody has.
	Holder(netip.Addr) string
	// Released is when an address was last released, zero if it never was.
	Released(netip.Addr) time.Time
}

// ErrNone says that there is no address to be had.
var ErrNone = errors.New("no address is left")

// Choose is an address for a pod. One that nobody has had yet is taken first,
// looking onwards from the one after last, then the one that was released
// longest ago.
func (s Subnet) Choose(u Usage, last netip.Addr, now time.Time) (netip.Addr, error) {
	if s.Fixed.IsValid() {
		return s.fixed(u)
	}
	var oldest netip.Addr
	var when time.Time
	cooling := 0
	for a := range s.from(last) {
		if s.Taboo[a] || !s.Assignable(a) || u.Holder(a) != "" {
			continue
		}
		switch at := u.Released(a); {
		case at.IsZero():
			return a, nil
		case now.Sub(at) < Cooldown && !now.Before(at): // a clock that went back cools nothing
			cooling++
		case !oldest.IsValid() || at.Before(when):
			oldest, when = a, at
		}
	}
	if oldest.IsValid() {
		return oldest, nil
	}
	if cooling > 0 {
		return netip.Addr{}, fmt.Errorf("%w in the slices of %s that this host has: %d were released less than %v ago", ErrNone, s.CIDR, cooling, Cooldown)
	}
	return netip.Addr{}, fmt.Errorf("%w in the slices of %s that this host has: %v", ErrNone, s.CIDR, s.Ranges)
}

func (s Subnet) fixed(u Usage) (netip.Addr, error) {
	if holder := u.Holder(s.Fixed); holder != "" {
		return netip.Addr{}, fmt.Errorf("address %s: %s has it", s.Fixed, holder)
	}
	return s.Fixed, nil
}

// from goes over all addresses once, beginning after one of them, or at the
// first.
func (s Subnet) from(last netip.Addr) func(yield func(netip.Addr) bool) {
	start, next := 0, netip.Addr{}
	for i, r := range s.Ranges {
		if last.IsValid() && r.Contains(last) && last != r.Last {
			start, next = i, last.Next()
		}
	}
	return func(yield func(netip.Addr) bool) {
		if len(s.Ranges) == 0 {
			return
		}
		for i := range len(s.Ranges) + 1 {
			r := s.Ranges[(start+i)%len(s.Ranges)]
			switch {
			case i == 0 && next.IsValid():
				r.First = next
			case i == len(s.Ranges) && !next.IsValid():
				return // the first one was whole
			case i == len(s.Ranges):
				r.Last = last
			}
			if !r.each(yield) {
				return
			}
		}
	}
}

// each reports whether yield wants more.
func (r Range) each(yield func(netip.Addr) bool) bool {
	for a := r.First; a.IsValid() && a.Compare(r.Last) <= 0; a = a.Next() {
		if !yield(a) {
			return false
		}
	}
	return true
}

// Assignable reports whether a host may have an address of the subnet. None may
// have the subnet's own (RFC 1122, section 3.2.1.3; the routers' anycast address
// of RFC 4291, section 2.6.1) or IPv4's broadcast address. Point-to-point prefixes
// have neither (RFC 3021, RFC 6164).
func (s Subnet) Assignable(a netip.Addr) bool {
	if s.CIDR.Bits() >= a.BitLen()-1 {
		return true
	}
	if a == s.CIDR.Masked().Addr() {
		return false
	}
	return !a.Is4() || s.CIDR.Contains(a.Next())
}
