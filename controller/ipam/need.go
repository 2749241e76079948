package ipam

import (
	"context"
	"net/netip"
	"slices"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// maxBlocks is how many blocks of a family a host has of one subnet: their ranges
// have to fit into a HostConfig, with the holes that gateways and pods with addresses
// of their own make.
const maxBlocks = 24

// Need is what one host needs of one network of a subnet, and what it has. What it
// has is what its HostConfig and the Allocations say, which may be out of date: who
// acts on the Answer has to write it into the HostConfig as it was, and not into a
// newer one.
type Need struct {
	Subnet Subnet
	VNI    int32
	Host   v1alpha1.Holder
	// Pods that are to have an address, among them those that end.
	Pods int
	// Have are the blocks that the host has Allocations of.
	Have []netip.Prefix
	// Singles are the addresses that pods and claims, anywhere, have for themselves.
	Singles []netip.Addr
	// Spec are the ranges that the host is told to hand out of; Withheld are the
	// blocks, and addresses, that it is no more.
	Spec     []Range
	Withheld []netip.Prefix
	// Uses are the ranges that the host says it uses, Used how many addresses of them
	// pods have, and Settled that it has seen its present spec.
	Uses    []Range
	Used    int
	Settled bool
	// Current asks the API server whether the HostConfig is still as it was looked at.
	Current func(context.Context) (bool, error)
}

// Answer is what the HostConfig is to say.
type Answer struct {
	Ranges   []Range
	Withheld []netip.Prefix
	// Short is how many addresses are missing because the subnet has none left.
	Short int
}

// Settle decides what a host hands out. What it has stays: a block is withheld only
// when the others are enough, with a whole block to spare, and goes back when the
// host has let go of all of it. taken says which blocks are known to be somebody's.
func Settle(ctx context.Context, book Book, n Need, taken func(netip.Prefix) bool) (Answer, error) {
	withheld, err := n.stillWithheld(ctx, book)
	if err != nil {
		return Answer{}, err
	}
	if err := n.addUnseen(ctx, book); err != nil {
		return Answer{}, err
	}
	without := func(a netip.Addr) bool { return slices.Contains(withheld, Single(a)) || slices.Contains(n.Singles, a) }
	have := slices.DeleteFunc(slices.Clone(n.Have), func(b netip.Prefix) bool {
		return slices.Contains(n.Withheld, b) || !n.Subnet.Network.Contains(b.Addr())
	})
	for _, b := range n.Have {
		if !n.Subnet.Network.Contains(b.Addr()) { // the network was another one
			withheld = append(withheld, b)
		}
	}
	blocks := slices.DeleteFunc(slices.Clone(have), func(b netip.Prefix) bool { return !n.handsOut(b, without) })
	fresh := slices.DeleteFunc(have, func(b netip.Prefix) bool { return slices.Contains(blocks, b) })
	out := Answer{}
	for len(blocks) < maxBlocks {
		if out.Short = n.want() - n.count(blocks, without); out.Short <= 0 {
			break
		}
		b, ok, err := n.next(ctx, book, &fresh, func(b netip.Prefix) bool { return slices.Contains(blocks, b) || taken(b) })
		if err != nil {
			return Answer{}, err
		}
		if !ok {
			break
		}
		blocks = append(blocks, b)
	}
	blocks, idle := n.trim(blocks, without)
	out.Withheld = append(append(withheld, idle...), fresh...)
	slices.SortFunc(out.Withheld, comparePrefixes)
	out.Withheld = slices.Compact(out.Withheld)
	out.Ranges = n.Subnet.Cut(blocks, without)
	out.Short = max(0, out.Short)
	return out, nil
}

// handsOut says whether a block is one that the host is told to hand out of. One that
// overlaps with another one of the host's, made by somebody who ended before he saw
// that, is so only if it is whole.
func (n Need) handsOut(b netip.Prefix, without func(netip.Addr) bool) bool {
	if Idle(b, n.Spec) {
		return false
	}
	if !slices.ContainsFunc(n.Have, func(o netip.Prefix) bool { return o != b && o.Overlaps(b) }) {
		return true
	}
	return !slices.ContainsFunc(Addresses(b), func(a netip.Addr) bool { return n.Subnet.Usable(a) && !without(a) && !Has(n.Spec, a) })
}

// Release is Settle for a host that needs nothing more of the network.
func Release(ctx context.Context, book Book, n Need) (Answer, error) {
	withheld, err := n.stillWithheld(ctx, book)
	if err != nil {
		return Answer{}, err
	}
	for _, b := range n.Have {
		if !slices.Contains(n.Withheld, b) {
			withheld = append(withheld, b)
		}
	}
	slices.SortFunc(withheld, comparePrefixes)
	return Answer{Withheld: slices.Compact(withheld)}, nil
}

// addUnseen adds the blocks to Have that the host hands out of and that the cache
// does not show yet.
func (n *Need) addUnseen(ctx context.Context, book Book) error {
	for _, r := range n.Spec {
		for a := r.First; n.Subnet.Network.Contains(a) && r.Contains(a); {
			b := BlockOf(n.Subnet.Network, a)
			a = skip(b.Addr(), uint64(n.size()))
			if slices.Contains(n.Have, b) || slices.Contains(n.Withheld, b) || len(n.Have) >= 2*maxBlocks {
				continue
			}
			e, err := book.Look(ctx, Value(n.VNI, b))
			if err != nil {
				return err
			}
			if e != nil && e.Holder == n.Host {
				n.Have = append(slices.Clip(n.Have), b)
			}
		}
	}
	return nil
}

// next is one block more: one that the host has already, or a new one.
func (n Need) next(ctx context.Context, book Book, fresh *[]netip.Prefix, taken func(netip.Prefix) bool) (netip.Prefix, bool, error) {
	for len(*fresh) > 0 {
		b := (*fresh)[0]
		*fresh = (*fresh)[1:]
		if n.Subnet.count(b) == 0 {
			continue
		}
		if ours, err := Adopt(ctx, book, Block{n.VNI, b}, n.Host); err != nil || ours {
			return b, ours, err
		}
	}
	return Take(ctx, book, n.Subnet, n.VNI, n.Host, func(b netip.Prefix) bool {
		return slices.Contains(n.Have, b) || slices.Contains(n.Withheld, b) || taken(b)
	})
}

// stillWithheld are the withheld blocks that are the host's, once those are given
// back that it has let go of, and the addresses that somebody still has.
func (n Need) stillWithheld(ctx context.Context, book Book) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, p := range n.Withheld {
		stays := true
		switch {
		case p.IsSingleIP() && !slices.Contains(n.Singles, p.Addr()):
			e, err := book.Look(ctx, Value(n.VNI, p))
			if err != nil {
				return nil, err
			}
			stays = e != nil
		case p.IsSingleIP():
		case n.Settled && Idle(p, n.Uses) && Idle(p, n.Spec):
			e, err := book.Look(ctx, Value(n.VNI, p))
			if err != nil {
				return nil, err
			}
			if stays = e != nil && e.Holder == n.Host; !stays {
				continue // it is somebody else's by now
			}
			gone, err := Return(ctx, book, Block{n.VNI, p}, n.Current)
			if err != nil {
				return nil, err
			}
			stays = !gone
		}
		if stays {
			out = append(out, p)
		}
	}
	return out, nil
}

// trim takes out the blocks that are too many.
func (n Need) trim(blocks []netip.Prefix, without func(netip.Addr) bool) (stay, leave []netip.Prefix) {
	slices.SortFunc(blocks, comparePrefixes)
	for len(blocks) > 1 {
		i := n.leaves(blocks)
		rest := slices.Delete(slices.Clone(blocks), i, i+1)
		if n.count(rest, without) < n.want()+n.size() {
			break
		}
		blocks, leave = rest, append(leave, blocks[i])
	}
	return blocks, leave
}

// leaves is which block goes first: the last one that the host does not use, or
// else the last one.
func (n Need) leaves(blocks []netip.Prefix) int {
	for i := len(blocks) - 1; i >= 0; i-- {
		if Idle(blocks[i], n.Uses) {
			return i
		}
	}
	return len(blocks) - 1
}

// want is how many addresses there should be: pods that come are to find one,
// although those of pods that have just gone are not handed out at once.
func (n Need) want() int {
	return max(n.Pods, n.Used) + max(2, n.size()/4)
}

// Uses is how many addresses of blocks are in some ranges.
func (s Subnet) Uses(blocks []netip.Prefix, in []Range) int {
	out := 0
	for _, b := range blocks {
		for _, a := range Addresses(b) {
			if s.Usable(a) && Has(in, a) {
				out++
			}
		}
	}
	return out
}

// count is how many addresses of blocks a pod can have that has none of its own.
func (n Need) count(blocks []netip.Prefix, without func(netip.Addr) bool) int {
	out := 0
	for _, b := range blocks {
		for _, a := range Addresses(b) {
			if n.Subnet.Usable(a) && !without(a) {
				out++
			}
		}
	}
	return out
}

// size is how many addresses a block has.
func (n Need) size() int {
	return 1 << (n.Subnet.Network.Addr().BitLen() - blockBits(n.Subnet.Network))
}

func comparePrefixes(a, b netip.Prefix) int {
	if c := a.Addr().Compare(b.Addr()); c != 0 {
		return c
	}
	return a.Bits() - b.Bits()
}
