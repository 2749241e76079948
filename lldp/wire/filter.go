package wire

import (
	"fmt"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// filter is the program by which the kernel leaves out what is no LLDP before it
// comes to this process: what has not LLDP's type and group addresses, and what is
// in a VLAN. A frame with a VLAN id is not from the other end of the cable but from
// somewhere in that VLAN. The kernel takes the tag off before this program sees the
// frame, and marks one whose VLAN it does not know as somebody else's; one with a
// priority and VLAN 0 it leaves as a multicast frame.
func filter() ([]bpf.RawInstruction, error) {
	const (
		accept   = 0xffff
		typeAt   = 12
		groupEnd = 4 // where the group addresses begin to differ
	)
	all := groups()
	common := uint32(all[0][0])<<24 | uint32(all[0][1])<<16 | uint32(all[0][2])<<8 | uint32(all[0][3])
	program := []bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.PACKET_MULTICAST, SkipTrue: 8},
		bpf.LoadAbsolute{Off: typeAt, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: EtherType, SkipTrue: 6},
		bpf.LoadAbsolute{Off: 0, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: common, SkipTrue: 4},
		bpf.LoadAbsolute{Off: groupEnd, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: ending(all[0]), SkipTrue: 3},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: ending(all[1]), SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: ending(all[2]), SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: accept},
	}
	raw, err := bpf.Assemble(program)
	if err != nil {
		return nil, fmt.Errorf("assemble the filter for LLDP: %w", err)
	}
	return raw, nil
}

func ending(m MAC) uint32 { return uint32(m[4])<<8 | uint32(m[5]) }
