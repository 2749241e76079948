package mark

import (
	"slices"

	"golang.org/x/net/bpf"
)

// offsets at which a mark may begin in a frame, sorted: after IPv4 or IPv6, with up to
// two VLAN tags, and in a VXLAN tunnel over either.
func offsets() []uint32 {
	inner := []uint32{ethernet + ipv4 + transport, ethernet + ipv6 + transport}
	var list []uint32
	for _, outer := range []uint32{0, tag, 2 * tag, ethernet + ipv4 + transport + vxlan, ethernet + ipv6 + transport + vxlan} {
		for _, i := range inner {
			list = append(list, outer+i)
		}
	}
	return list
}

// everything is how much of a frame the kernel hands over.
const everything = 1 << 16

// Filter is a program for the kernel that lets only marked frames through. It looks at
// half of the magic number; what else gets through has to be sorted out by Find.
func Filter() ([]bpf.RawInstruction, error) {
	var program []bpf.Instruction
	for _, at := range slices.Sorted(slices.Values(offsets())) {
		// A load beyond the end of the frame ends the program: nothing is let through.
		program = append(program,
			bpf.LoadAbsolute{Off: at, Size: 4},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(magic >> 32), SkipTrue: 1},
			bpf.RetConstant{Val: everything})
	}
	return bpf.Assemble(append(program, bpf.RetConstant{Val: 0}))
}

// DropAll is a program that lets nothing through.
func DropAll() ([]bpf.RawInstruction, error) {
	return bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: 0}})
}
