package wire

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/switchlet/switchlet/lldp/frame"
)

// The most that 64 links can make an agent remember: as many neighbours as there is
// room for, each with the longest frame, and as many that are this machine itself.
func TestMemoryIsBounded(t *testing.T) {
	const links, most = 64, 8 << 20
	cfg, err := Config{Chassis: frame.ChassisByName("node1")}.complete()
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	e, now := newEngine(cfg), time.Now()
	for i := range links {
		e.setLink(Link{Index: i, Name: fmt.Sprint("eth", i), Ethernet: true, Running: true}, now)
		for n := range 3 * maxNeighbors {
			e.hear(i, longest(t, n), now)
			e.hear(i, longest(t, -n), now)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if held := len(e.neighbors(false)); held != links*maxNeighbors {
		t.Errorf("%d neighbours", held)
	}
	if held := len(e.neighbors(true)); held != links*maxNeighbors {
		t.Errorf("%d loops", held)
	}
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d KiB", grown>>10)
	if grown > most {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
	runtime.KeepAlive(e)
}

// longest is a frame of the greatest length, of port n; below 0 of this machine.
func longest(t *testing.T, n int) []byte {
	t.Helper()
	f := frame.Frame{ChassisID: frame.ChassisByName("leaf1"), PortID: frame.PortByName(fmt.Sprint(n)), TTL: time.Hour}
	if n < 0 {
		f.ChassisID.ID = "node1"
	}
	raw, err := f.Append(header(NearestBridge(), MAC{}))
	if err != nil {
		t.Fatal(err)
	}
	return append(raw, make([]byte, maxFrame-len(raw))...)
}
