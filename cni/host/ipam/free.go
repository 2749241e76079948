package ipam

import (
	"math"
	"math/big"
	"net/netip"
)

// Free is how many addresses of the ranges nobody has, those that cool down
// among them. used are the addresses that somebody has.
func (s Subnet) Free(used []netip.Addr) int32 {
	total := new(big.Int)
	for _, r := range s.Ranges {
		total.Add(total, r.size())
	}
	gone := map[netip.Addr]bool{}
	for _, a := range used {
		gone[a] = true
	}
	for a := range s.Taboo {
		gone[a] = true
	}
	for _, a := range s.ends() {
		if !s.Assignable(a) {
			gone[a] = true
		}
	}
	for a := range gone {
		if s.has(a) {
			total.Sub(total, big.NewInt(1))
		}
	}
	if !total.IsInt64() || total.Int64() > math.MaxInt32 {
		return math.MaxInt32
	}
	return int32(max(0, total.Int64()))
}

// ends are the first and the last address of each range: what the protocol
// reserves can be nowhere else, as ranges are inside of the CIDR.
func (s Subnet) ends() []netip.Addr {
	var ends []netip.Addr
	for _, r := range s.Ranges {
		ends = append(ends, r.First, r.Last)
	}
	return ends
}

// Offers reports whether a pod may get an address without asking for it.
func (s Subnet) Offers(a netip.Addr) bool { return s.has(a) && !s.Taboo[a] && s.Assignable(a) }

func (s Subnet) has(a netip.Addr) bool {
	for _, r := range s.Ranges {
		if r.Contains(a) {
			return true
		}
	}
	return false
}

func (r Range) size() *big.Int {
	n := new(big.Int).Sub(new(big.Int).SetBytes(r.Last.AsSlice()), new(big.Int).SetBytes(r.First.AsSlice()))
	return n.Add(n, big.NewInt(1))
}
