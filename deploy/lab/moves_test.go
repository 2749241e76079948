package main_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// moved is how a cable was followed to a port.
type moved struct {
	port string
	// heard is when the host heard the port, followed when the port had the VLAN, left
	// when the one before had it no more: all since the cable was moved.
	heard, followed, left time.Duration
	// waited is for how long of the time until followed, and then until left, somebody
	// on this machine had no processor: that much later it may all be.
	waited [2]time.Duration
}

func (m moved) String() string {
	return fmt.Sprintf("%s: heard after %v, the VLAN followed after %v, and left after %v; without a processor for %v and %v",
		m.port, m.heard, m.followed, m.left, m.waited[0], m.waited[1])
}

// moves moves the cable of host1/eth1 from leaf1/Ethernet0 over other ports and back, and
// fails if its VLAN does not follow in time: half of the times whatever else this
// machine does, and each time after the host has heard the port.
func (l lab) moves(t *testing.T) {
	t.Helper()
	tl := l.timeline(t, "host1")
	var all []moved
	for range 3 {
		for _, port := range []string{"leaf2/Ethernet8", "leaf1/Ethernet4", "leaf1/Ethernet8", "leaf2/Ethernet12", "leaf1/Ethernet0"} {
			all = append(all, l.move(t, tl, port))
			t.Log(all[len(all)-1])
		}
	}
	var took []time.Duration
	for _, m := range all {
		took = append(took, m.followed)
		if late := m.followed - m.heard - m.waited[0]; late > reaction {
			t.Errorf("%v: want it within %v after the host has heard the port", m, reaction)
		}
		if late := m.left - m.followed - m.waited[1]; late > grace+reaction {
			t.Errorf("%v: want it to leave within %v after that", m, grace+reaction)
		}
	}
	slices.Sort(took)
	p50, worst := took[len(took)/2], took[len(took)-1]
	t.Logf("%d moves, the VLAN followed after %v (p50), %v (worst); the interval of LLDP and %v are %v", len(took), p50, worst, reaction, interval+reaction)
	if p50 > interval+reaction {
		t.Errorf("half of the moves took more than %v, want at most %v", p50, interval+reaction)
	}
}

// move moves the cable of host1/eth1 to a port and waits until only that one, and those
// that have nothing to do with it, carry VLANs.
func (l lab) move(t *testing.T, tl *timeline, port string) moved {
	t.Helper()
	m := moved{port: port}
	begin, waited := time.Now(), stalled(t)
	l.must(t, "cable", "move", "host1/eth1", port)
	done := false
	defer func() {
		if !done {
			t.Logf("since the cable was moved to %s:\n%s\n%s\n%s", port, tl.since(begin), l.must(t, "cables"), l.kubectl(t, "get links,hosts,switches -o yaml"))
		}
	}()
	eventually(t, "the VLAN is at "+port, func() bool { return slices.Contains(l.carriers(t), port) })
	m.followed, m.waited[0] = time.Since(begin).Round(10*time.Millisecond), stalled(t)-waited
	want := []string{port, "leaf1/Ethernet24", "leaf2/Ethernet0"}
	slices.Sort(want)
	eventually(t, fmt.Sprint("these ports and no others carry a VLAN: ", want), func() bool { return slices.Equal(want, l.carriers(t)) })
	m.left, m.waited[1] = time.Since(begin).Round(10*time.Millisecond), stalled(t)-waited-m.waited[0]
	node, name, _ := strings.Cut(port, "/")
	for _, id := range []string{name, alias(t, name)} { // lldpd may not be told the alias yet
		if at := tl.first(begin, "host1 hears "+node+" "+id); !at.IsZero() && (m.heard == 0 || at.Sub(begin) < m.heard) {
			m.heard = at.Sub(begin).Round(10 * time.Millisecond)
		}
	}
	done = true
	return m
}

// alias is what a port of a lab's switch has on its front panel: Eth3 is Ethernet8.
func alias(t *testing.T, port string) string {
	t.Helper()
	lane, err := strconv.Atoi(strings.TrimPrefix(port, "Ethernet"))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint("Eth", lane/4+1)
}

// stalled is for how long somebody on this machine had work and no processor so far,
// or 0 if the kernel does not tell. Other work may run beside the tests.
func stalled(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	_, total, _ := strings.Cut(line, "total=")
	microseconds, err := strconv.ParseInt(total, 10, 64)
	if err != nil {
		t.Fatalf("/proc/pressure/cpu says %q", line)
	}
	return (time.Duration(microseconds) * time.Microsecond).Round(10 * time.Millisecond)
}
