package wire_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/lldp/wire"
)

// An agent on 64 links has as many goroutines as on one, and finds all neighbours
// at once.
func TestManyLinks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const links = 64
	node, leaf := newSpace(t), newSpace(t)
	cable(node, "eth0", leaf, "Ethernet0")
	a, b := node.agent(named("node1")), leaf.agent(named("leaf1"))
	a.untilNeighbors("eth0: leaf1 Ethernet0")
	b.untilNeighbors("Ethernet0: node1 eth0")
	onOne := runtime.NumGoroutine()

	for i := 1; i < links; i++ {
		cable(node, fmt.Sprint("eth", i), leaf, fmt.Sprint("Ethernet", i*4))
	}
	connected := time.Now()
	all := func(r *run) func() bool { return func() bool { return len(r.Neighbors()) == links } }
	a.until("all neighbours", all(a))
	b.until("all neighbours", all(b))
	t.Logf("%d neighbours on both sides %v after the last cable", links, time.Since(connected).Round(time.Millisecond))
	for _, n := range a.Neighbors() {
		var i, j int
		if _, err := fmt.Sscanf(n.Interface+" "+n.Frame.PortID.ID, "eth%d Ethernet%d", &i, &j); err != nil || j != 4*i {
			t.Errorf("%s is connected to %v", n.Interface, n.Frame.PortID)
		}
	}
	if now := runtime.NumGoroutine(); now > onOne {
		t.Errorf("%d goroutines with %d links, %d with one", now, links, onOne)
	} else {
		t.Logf("%d goroutines of two agents and this test", now)
	}
}

// A link that brings 10,000 frames a second costs little, whatever is in them, and
// the neighbour who is known is heard all the same.
func TestFlood(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const rate, duration = 10_000, time.Second
	for name, next := range map[string]func(i int) []byte{
		"the same frame": func(int) []byte { return ethernet(t, wire.NearestBridge(), nil, "leaf1") },
		"another sender": func(i int) []byte { return ethernet(t, wire.NearestBridge(), nil, fmt.Sprint("flood", i)) },
		"frames of no use": func(i int) []byte {
			return fmt.Appendf(ethernet(t, wire.NearestBridge(), nil, "x")[:14], "garbage %d", i)
		},
	} {
		t.Run(name, func(t *testing.T) {
			node, leaf := newSpace(t), newSpace(t)
			cable(node, "eth0", leaf, "eth0")
			a := node.agent(named("node1"))
			a.speaks()
			out := leaf.sender("eth0")
			known := ethernet(t, wire.NearestBridge(), nil, "leaf1")
			out.send(known)
			a.untilNeighbors("eth0: leaf1 x")
			frames := make([][]byte, rate*int(duration/time.Second))
			for i := range frames {
				frames[i] = next(i)
			}
			cost := out.flood(frames, rate)
			out.send(known)
			want := uint64(len(frames) + 2)
			awaitTrue(t, "all frames", func() bool { return a.Ports()[0].Counters.In+a.Drops() == want })
			if n := a.Neighbors(); len(n) > 8 || n[len(n)-1].Frame.ChassisID.ID != "leaf1" || time.Since(n[len(n)-1].LastSeen) > time.Second {
				t.Errorf("neighbours %+v", n)
			}
			t.Logf("%v, dropped by the kernel %d; %+v", cost, a.Drops(), a.Ports()[0].Counters)
		})
	}
}

// cost is what the process needed besides sending.
type cost struct {
	cpu, wall  time.Duration
	allocated  uint64
	heapGrowth int64
}

func (c cost) String() string {
	return fmt.Sprintf("%.1f %% of a core, %d KiB allocated, heap %+d KiB", 100*c.cpu.Seconds()/c.wall.Seconds(), c.allocated>>10, c.heapGrowth>>10)
}

// flood sends frames at a rate a second.
func (r *sender) flood(frames [][]byte, rate int) cost {
	r.t.Helper()
	const batch = 100
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	process, sending, start := used(unix.RUSAGE_SELF), used(unix.RUSAGE_THREAD), time.Now()
	tick := time.NewTicker(time.Second * batch / time.Duration(rate))
	defer tick.Stop()
	for i := 0; i < len(frames); i += batch {
		for _, raw := range frames[i:min(i+batch, len(frames))] {
			r.send(raw)
		}
		<-tick.C
	}
	c := cost{wall: time.Since(start), cpu: used(unix.RUSAGE_SELF) - process - (used(unix.RUSAGE_THREAD) - sending)}
	runtime.ReadMemStats(&after)
	c.allocated = after.TotalAlloc - before.TotalAlloc
	runtime.GC()
	runtime.ReadMemStats(&after)
	c.heapGrowth = int64(after.HeapAlloc) - int64(before.HeapAlloc)
	return c
}

// used is the processor time of the process or thread.
func used(who int) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(who, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
