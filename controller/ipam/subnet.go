package ipam

import (
	"net/netip"
	"slices"
)

// Range is a range of addresses of one family, both ends in it.
type Range struct{ First, Last netip.Addr }

// Contains says whether an address is in the range.
func (r Range) Contains(a netip.Addr) bool {
	return a.BitLen() == r.First.BitLen() && r.First.Compare(a) <= 0 && a.Compare(r.Last) <= 0
}

// overlaps says whether the range shares an address with a block.
func (r Range) overlaps(block netip.Prefix) bool {
	return block.Contains(r.First) || r.Contains(block.Masked().Addr())
}

// Subnet is one network of a subnet, of one family.
type Subnet struct {
	Network netip.Prefix
	// Gateway of the network.
	Gateway netip.Addr
}

// Usable says whether a pod can have an address: it is in the network, and neither
// the network's own (of IPv6 the routers' anycast address, RFC 4291, section 2.6.1)
// nor IPv4's broadcast address nor the gateway's.
func (s Subnet) Usable(a netip.Addr) bool {
	return s.Network.Contains(a) && a != s.Network.Masked().Addr() && a != s.Gateway && (!a.Is4() || s.Network.Contains(a.Next()))
}

// count is how many addresses of a block a pod can have.
func (s Subnet) count(block netip.Prefix) int {
	n := 0
	for _, a := range Addresses(block) {
		if s.Usable(a) {
			n++
		}
	}
	return n
}

// Cut are the addresses of blocks that a pod can have, without some, in rising
// order, in as few ranges as there can be.
func (s Subnet) Cut(blocks []netip.Prefix, without func(netip.Addr) bool) []Range {
	sorted := slices.SortedFunc(slices.Values(blocks), func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	var out []Range
	for _, b := range sorted {
		for _, a := range Addresses(b) {
			switch n := len(out); {
			case !s.Usable(a) || without(a):
			case n > 0 && out[n-1].Last.Next() == a:
				out[n-1].Last = a
			case n == 0 || out[n-1].Last.Less(a):
				out = append(out, Range{a, a})
			}
		}
	}
	return out
}

// Idle says whether none of some ranges has an address of a block.
func Idle(block netip.Prefix, in []Range) bool {
	return !slices.ContainsFunc(in, func(r Range) bool { return r.overlaps(block) })
}

// Has says whether one of some ranges has an address.
func Has(in []Range, a netip.Addr) bool {
	return slices.ContainsFunc(in, func(r Range) bool { return r.Contains(a) })
}
