package neighbors

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/deploy/lab/labtest/golden"
	"github.com/switchlet/switchlet/lldp/frame"
	"github.com/switchlet/switchlet/lldp/wire"
)

// Each file of testdata is a story: who is heard on all NICs at a moment, a line
// for each with NIC, chassis and port, "(stale)" before those of whom the wire
// says so; then what is known, and when to look again. "gone eth1" names NICs that
// are no longer there; "restart" is a new memory that knows what was on the disk.
func TestScenarios(t *testing.T) { golden.Archives(t, "testdata/*.txtar", play) }

// start is any moment.
func start() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) }

// play gives the archive with all outcomes as they are.
func play(t *testing.T, archive *txtar.Archive) *txtar.Archive {
	t.Helper()
	m := newMemory(24*time.Hour, nil)
	played := &txtar.Archive{Comment: archive.Comment}
	for _, file := range archive.Files {
		at, what, _ := strings.Cut(file.Name, " ")
		after, err := time.ParseDuration(at)
		if err != nil {
			t.Fatal(err)
		}
		now := start().Add(after)
		gone, isGone := strings.CutPrefix(what, "gone ")
		switch {
		case what == "known": // an outcome
			continue
		case what == "restart":
			m = restarted(t, m, now)
		case what == "" || isGone:
			here := slices.DeleteFunc([]string{"eth1", "eth2", "eth10"}, func(nic string) bool { return slices.Contains(strings.Fields(gone), nic) })
			m.observe(now, here, hear(t, string(file.Data), now))
		default:
			t.Fatalf("%q is no step", file.Name)
		}
		played.Files = append(played.Files, file, txtar.File{Name: at + " known", Data: []byte(m.print(now))})
	}
	return played
}

func restarted(t *testing.T, m *memory, now time.Time) *memory {
	t.Helper()
	file := filepath.Join(t.TempDir(), "neighbors")
	if err := save(file, m.all()); err != nil {
		t.Fatal(err)
	}
	known, err := load(file, now, m.forget)
	if err != nil {
		t.Fatal(err)
	}
	return newMemory(m.forget, known)
}

func hear(t *testing.T, text string, now time.Time) []wire.Neighbor {
	t.Helper()
	var heard []wire.Neighbor
	for line := range strings.Lines(text) {
		line, stale := strings.CutPrefix(line, "(stale) ")
		words := strings.Fields(line)
		if len(words) < 3 || len(words) > 4 {
			t.Fatalf("%q is not: NIC, chassis, port, description", line)
		}
		n := heardAt(now, words[0], words[1], words[2])
		n.Stale, n.Frame.PortDescription = stale, strings.Join(words[3:], "")
		heard = append(heard, n)
	}
	return heard
}

func heardAt(now time.Time, nic, chassis, port string) wire.Neighbor {
	return wire.Neighbor{
		Interface: nic, Destination: wire.NearestBridge(), FirstSeen: now, LastSeen: now,
		Frame: frame.Frame{ChassisID: frame.ChassisByName(chassis), PortID: frame.PortByName(port), TTL: 2 * time.Minute},
	}
}

// print has a line for each neighbour, and one for when to look again.
func (m *memory) print(now time.Time) string {
	var text strings.Builder
	for _, n := range m.shown() {
		if n.Stale {
			text.WriteString("stale ")
		}
		fmt.Fprintln(&text, strings.Join(strings.Fields(n.Port+" "+n.ChassisID+" "+n.PortID+" "+n.PortDescription), " "))
	}
	if next := m.next(); !next.IsZero() {
		fmt.Fprintln(&text, "next look in", next.Sub(now))
	}
	return text.String()
}

// Whatever is heard, at whatever times: who is heard is known and not stale, who
// is known was heard, no bound is passed, and nobody is forgotten early unless
// another has come to the NIC.
func TestMemoryKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m, now := newMemory(time.Minute, nil), start()
		last := map[string]time.Time{} // by NIC and port
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(1, 40_000).Draw(rt, "ms")) * time.Millisecond)
			var heard []wire.Neighbor
			for _, id := range rapid.SliceOfN(rapid.IntRange(0, 29), 0, 16).Draw(rt, "heard") {
				n := heardAt(now, fmt.Sprint("eth", id/10), "leaf", fmt.Sprint(id%10))
				n.Destination[5] = byte(rapid.SampledFrom([]int{0, 3, 14}).Draw(rt, "group"))
				heard = append(heard, n)
			}
			m.observe(now, []string{"eth0", "eth1", "eth2"}, heard)
			for _, n := range heard {
				last[n.Interface+" "+n.Frame.PortID.ID] = now
			}
			check(rt, m, now, last)
		}
	})
}

func check(rt *rapid.T, m *memory, now time.Time, last map[string]time.Time) {
	perNIC, known := map[string]int{}, map[string]bool{}
	for _, n := range m.shown() {
		key := n.Port + " " + n.PortID
		if at, was := last[key]; !was || n.Stale == at.Equal(now) {
			rt.Fatalf("%s was heard %v, it is now %v: stale %t", key, at, now, n.Stale)
		}
		if known[key] {
			rt.Fatalf("%s is known twice", key)
		}
		known[key] = true
		perNIC[n.Port]++
	}
	for key, at := range last {
		nic, _, _ := strings.Cut(key, " ")
		if now.Sub(at) < time.Minute && perNIC[nic] == 0 {
			rt.Fatalf("%s is forgotten after %v, and nobody has come in its place", key, now.Sub(at))
		}
		if perNIC[nic] > maxPerNIC || at.Equal(now) && !known[key] && perNIC[nic] < maxPerNIC {
			rt.Fatalf("%d neighbours on %s, and %s is known: %t", perNIC[nic], nic, key, known[key])
		}
	}
	if next := m.next(); !next.IsZero() && !next.After(now) {
		rt.Fatalf("time %v of the next look has come already", next)
	}
}

// More than the API takes: who is heard comes first.
func TestMemoryIsBounded(t *testing.T) {
	var old, heard []wire.Neighbor
	for nic := range 200 {
		for id := range 8 {
			old = append(old, heardAt(start(), fmt.Sprint("eth", nic), "old", fmt.Sprint(id)))
		}
	}
	for id := range 20 {
		heard = append(heard, heardAt(start(), "eth199", "new", fmt.Sprint(id)))
	}
	m := newMemory(time.Hour, old)
	m.observe(start(), nil, heard)
	all := m.shown()
	if len(all) != maxTotal || all[0].Port != "eth0" || all[maxTotal-1].Port != "eth199" || all[maxTotal-1].Stale {
		t.Fatalf("%d neighbours from %v to %v", len(all), all[0], all[len(all)-1])
	}
	if n := len(m.nics["eth199"]); n != maxPerNIC {
		t.Errorf("%d neighbours on one NIC", n)
	}
}
