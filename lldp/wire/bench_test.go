package wire

import (
	"testing"
	"time"

	"github.com/switchlet/switchlet/lldp/frame"
)

// hearing is an engine on one link and frames of n neighbours, each of the size that
// switches send.
func hearing(b *testing.B, n int) (*engine, [][]byte) {
	b.Helper()
	cfg, err := Config{Chassis: frame.ChassisByName("node1")}.complete()
	if err != nil {
		b.Fatal(err)
	}
	e := newEngine(cfg)
	e.setLink(Link{Index: 1, Name: "eth0", Ethernet: true, Running: true}, time.Now())
	var frames [][]byte
	for i := range n {
		f := frame.Frame{
			ChassisID:         frame.ChassisByMAC([]byte{2, 0, 0, 0, byte(i >> 8), byte(i)}),
			PortID:            frame.PortID{Subtype: frame.PortLocal, ID: "Eth1/1"},
			TTL:               2 * time.Minute,
			PortDescription:   "Ethernet0",
			SystemName:        "leaf1",
			SystemDescription: "SONiC Software Version: SONiC.202411 - HwSku: Force10-S6000 - Distribution: Debian 12 - Kernel: 6.1.0",
			Capabilities:      frame.SystemCapabilities{Supported: frame.Bridge | frame.Router, Enabled: frame.Router},
		}
		raw, err := f.Append(header(NearestBridge(), MAC{2, 0, 0, 0, byte(i >> 8), byte(i)}))
		if err != nil {
			b.Fatal(err)
		}
		frames = append(frames, raw)
	}
	return e, frames
}

// A frame that is the same as the last one: nearly all are.
func BenchmarkHearKnown(b *testing.B) {
	e, frames := hearing(b, maxNeighbors)
	now := time.Now()
	for _, raw := range frames {
		e.hear(1, raw, now)
	}
	b.ReportAllocs()
	for b.Loop() {
		e.hear(1, frames[maxNeighbors-1], now)
	}
}

// A frame that says something else, and is looked at.
func BenchmarkHearNew(b *testing.B) {
	e, frames := hearing(b, 2)
	copy(frames[1][headerSize+3:], frames[0][headerSize+3:headerSize+9]) // the same chassis
	now := time.Now()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		now = now.Add(looksEvery)
		e.hear(1, frames[i%2], now)
	}
}

// A frame of a flood: one too many to be looked at.
func BenchmarkHearFlood(b *testing.B) {
	e, frames := hearing(b, 1000)
	now := time.Now()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		e.hear(1, frames[i%len(frames)], now)
	}
}

// What is due with 64 links, for each frame sent.
func BenchmarkSend(b *testing.B) {
	e, _ := hearing(b, 0)
	now := time.Now()
	for i := range 64 {
		e.setLink(Link{Index: i + 1, Name: "eth", Ethernet: true, Running: true}, now)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for sent := 0; sent < b.N; {
		sent += len(e.due(e.next()).send)
	}
}
