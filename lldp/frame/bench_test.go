package frame_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/switchlet/switchlet/lldp/frame"
)

// typical is what a switch says.
func typical() frame.Frame {
	return frame.Frame{
		ChassisID:         frame.ChassisByMAC([]byte{2, 0, 0, 0, 0, 1}),
		PortID:            frame.PortID{Subtype: frame.PortLocal, ID: "Eth1/1"},
		TTL:               2 * time.Minute,
		PortDescription:   "Ethernet0",
		SystemName:        "leaf1",
		SystemDescription: "SONiC Software Version: SONiC.202411 - HwSku: Force10-S6000 - Distribution: Debian 12 - Kernel: 6.1.0",
		Capabilities:      frame.SystemCapabilities{Supported: frame.Bridge | frame.Router, Enabled: frame.Router},
		Management:        []frame.ManagementAddress{frame.ManagedAt(netip.MustParseAddr("10.0.0.1"), 2)},
		Organizational:    []frame.Organizational{frame.PortVLANTLV(1), frame.MaxFrameSizeTLV(9216)},
	}
}

func BenchmarkDecode(b *testing.B) {
	pdu, err := typical().MarshalBinary()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(pdu)))
	for b.Loop() {
		if _, err := frame.Decode(pdu); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	f, buffer := typical(), make([]byte, 0, frame.MaxSize)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Append(buffer); err != nil {
			b.Fatal(err)
		}
	}
}
