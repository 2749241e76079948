// Package ipam divides the addresses of a subnet among hosts. It is pure.
//
// A subnet is a grid of blocks: of 16 addresses, or of 4 where 16 would leave only
// few hosts a block. A host has some blocks and hands their addresses out by itself.
// Whose a block is says the Allocation that is named after it, of which there can be
// only one, so that no address is anybody else's, whatever controllers believe.
//
// The length of a block depends on the subnet's network, which can be edited. Two
// controllers that know different ones could then give out two blocks that overlap;
// so whoever has made the Allocation of a block asks for those of Overlapping, and
// gives the block back if there is one: of two who do that, at least one sees the
// other.
//
// An address that a pod names has an Allocation of its own, and counts only while
// the block around it is somebody's: a host's, which is then told to leave it out, or
// the subnet's. Who gives a block back marks its Allocation first and then looks for
// addresses in it; who takes an address makes its Allocation first and then looks at
// the block's. Again at least one sees the other.
package ipam

import (
	"fmt"
	"hash/fnv"
	"net/netip"
	"strconv"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// The lengths of blocks, in bits of the host part: 16 addresses, and 4.
const (
	longBits  = 4
	shortBits = 2
)

// fewBits is the host part below which a subnet is divided into short blocks: 16
// addresses each would be blocks for less than 64 hosts.
const fewBits = 10

// blockBits is the prefix length of the blocks of a network.
func blockBits(network netip.Prefix) int {
	all := network.Addr().BitLen()
	bits := all - longBits
	if all-network.Bits() < fewBits {
		bits = all - shortBits
	}
	return max(bits, network.Bits())
}

// BlockOf is the block of a network that an address is in.
func BlockOf(network netip.Prefix, a netip.Addr) netip.Prefix {
	return netip.PrefixFrom(a, blockBits(network)).Masked()
}

// Overlapping are the blocks of another length that a block shares addresses with.
func Overlapping(block netip.Prefix) []netip.Prefix {
	all := block.Addr().BitLen()
	switch all - block.Bits() {
	case shortBits:
		return []netip.Prefix{netip.PrefixFrom(block.Addr(), all-longBits).Masked()}
	case longBits:
		var out []netip.Prefix
		for a := block.Addr(); block.Contains(a); a = skip(a, 1<<shortBits) {
			out = append(out, netip.PrefixFrom(a, all-shortBits))
		}
		return out
	}
	return nil
}

// Around are the blocks, of whatever length, that an address can be in.
func Around(a netip.Addr) []netip.Prefix {
	all := a.BitLen()
	return []netip.Prefix{netip.PrefixFrom(a, all-longBits).Masked(), netip.PrefixFrom(a, all-shortBits).Masked()}
}

// Addresses are all addresses of a block.
func Addresses(block netip.Prefix) []netip.Addr {
	var out []netip.Addr
	for a := block.Masked().Addr(); block.Contains(a); a = a.Next() {
		out = append(out, a)
	}
	return out
}

// skip is the address n further on; the zero Addr beyond the last one.
func skip(a netip.Addr, n uint64) netip.Addr {
	b := a.AsSlice()
	for i := len(b) - 1; i >= 0 && n > 0; i-- {
		n += uint64(b[i])
		b[i], n = byte(n), n>>8
	}
	if n > 0 {
		return netip.Addr{}
	}
	out, _ := netip.AddrFromSlice(b)
	return out
}

// Pick chooses a block of a subnet for a host: the one that the host's name hashes
// to, or the next one after it that is not taken and has an address for a pod. It
// reports false when there is none.
func Pick(s Subnet, vni int32, host string, taken func(netip.Prefix) bool) (netip.Prefix, bool) {
	bits := blockBits(s.Network)
	size := uint64(1) << (s.Network.Addr().BitLen() - bits)
	n := uint64(1) << min(bits-s.Network.Bits(), 40) // the first ones of a network that nobody fills
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", vni, host)
	start := h.Sum64() % n
	for i := range min(n, maxTries) {
		block := netip.PrefixFrom(skip(s.Network.Masked().Addr(), (start+i)%n*size), bits)
		if !taken(block) && s.count(block) > 0 {
			return block, true
		}
	}
	return netip.Prefix{}, false
}

// maxTries bounds the search in a large subnet that is full.
const maxTries = 1 << 20

// Value is how the Allocation of a block, or of an address, of a subnet has it.
func Value(vni int32, block netip.Prefix) string {
	return strconv.Itoa(int(vni)) + "/" + block.String()
}

// Name is the name of the Allocation of a value.
func Name(value string) string {
	return "ip-" + strings.NewReplacer("/", "-", ":", "-").Replace(value)
}

// ParseValue reads a value.
func ParseValue(value string) (vni int32, block netip.Prefix, err error) {
	first, rest, _ := strings.Cut(value, "/")
	v, err := strconv.ParseUint(first, 10, 24)
	if err != nil || v == 0 {
		return 0, netip.Prefix{}, fmt.Errorf("%q does not begin with a VNI", value)
	}
	if block, err = netip.ParsePrefix(rest); err != nil {
		return 0, netip.Prefix{}, fmt.Errorf("%q does not end with a network: %w", value, err)
	}
	return int32(v), block, nil
}

// Single is an address as a block of its own.
func Single(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// Ranges are addresses as the API has them.
func Ranges(in []Range) []v1alpha1.AddressRange {
	out := make([]v1alpha1.AddressRange, len(in))
	for i, r := range in {
		out[i] = v1alpha1.AddressRange{First: r.First.String(), Last: r.Last.String()}
	}
	return out
}

// ParseRanges reads ranges of addresses. What is none is left out.
func ParseRanges(in []v1alpha1.AddressRange) []Range {
	var out []Range
	for _, r := range in {
		first, err1 := netip.ParseAddr(r.First)
		last, err2 := netip.ParseAddr(r.Last)
		if err1 == nil && err2 == nil && first.BitLen() == last.BitLen() && first.Compare(last) <= 0 {
			out = append(out, Range{first, last})
		}
	}
	return out
}
