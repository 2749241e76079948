package neighbors

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/labtest/golden"
)

// Each file of testdata is a story: what is heard on all ports at a moment, a
// line for each neighbour with its port, system name ("host1?" does not tell it),
// port id and description, and then what is known, and when to look again. "restart" is a new table that
// knows what was on the disk. A gap takes 2 s, and a day makes forget.
func TestScenarios(t *testing.T) {
	golden.Archives(t, "testdata/*.txtar", play)
}

// start is any moment.
func start() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) }

// play gives the archive with all outcomes as they are.
func play(t *testing.T, archive *txtar.Archive) *txtar.Archive {
	t.Helper()
	known := newTable(2*time.Second, 24*time.Hour)
	played := &txtar.Archive{Comment: archive.Comment}
	for _, file := range archive.Files {
		at, what, _ := strings.Cut(file.Name, " ")
		if what == "known" {
			continue // an outcome
		}
		after, err := time.ParseDuration(at)
		if err != nil {
			t.Fatal(err)
		}
		now := start().Add(after)
		if what == "restart" {
			known = restarted(t, known, now)
		} else {
			known.observe(now, heard(t, string(file.Data)))
		}
		played.Files = append(played.Files, file, txtar.File{Name: at + " known", Data: []byte(known.print(now))})
	}
	return played
}

func restarted(t *testing.T, known *table, now time.Time) *table {
	t.Helper()
	text, err := encodeCache(known.cache(system{}))
	if err != nil {
		t.Fatal(err)
	}
	c, err := decodeCache(text)
	if err != nil {
		t.Fatal(err)
	}
	fresh := newTable(known.gap, known.forget)
	fresh.load(now, c)
	return fresh
}

func heard(t *testing.T, text string) []v1alpha1.LLDPNeighbor {
	t.Helper()
	var neighbors []v1alpha1.LLDPNeighbor
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 3 || len(words) > 4 {
			t.Fatalf("%q is not: port, system name, port id, description", line)
		}
		n := somebody(words[0], words[1], words[2])
		n.PortDescription = strings.Join(words[3:], "")
		if name, nameless := strings.CutSuffix(words[1], "?"); nameless {
			n.SystemName, n.ChassisID = "", name
		}
		neighbors = append(neighbors, n)
	}
	return neighbors
}

// neighbor is one whose chassis id is its name.
func somebody(port, name, id string) v1alpha1.LLDPNeighbor {
	return v1alpha1.LLDPNeighbor{
		Port: port, SystemName: name, ChassisIDSubtype: v1alpha1.ChassisLocal, ChassisID: name,
		PortIDSubtype: v1alpha1.PortLocal, PortID: id,
	}
}

// print has a line for each neighbour, and one for when to look again.
func (t *table) print(now time.Time) string {
	var text strings.Builder
	for _, n := range t.neighbors() {
		if n.Stale {
			text.WriteString("stale ")
		}
		fmt.Fprintln(&text, strings.Join(strings.Fields(n.Port+" "+cmp.Or(n.SystemName, n.ChassisID+"?")+" "+n.PortID+" "+n.PortDescription), " "))
	}
	if next := t.next(); !next.IsZero() {
		fmt.Fprintln(&text, "next look in", next.Sub(now))
	}
	return text.String()
}

// Whatever is heard, at whatever times: who is heard is known and not stale, who
// is known was heard, no bound is passed, nobody is forgotten early, and a table
// that was restarted knows the same neighbours.
func TestTableKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		known, now := newTable(2*time.Second, time.Minute), start()
		last := map[v1alpha1.LLDPNeighbor]time.Time{}
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(1, 20_000).Draw(rt, "ms")) * time.Millisecond)
			heard := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) v1alpha1.LLDPNeighbor {
				port := fmt.Sprintf("Ethernet%d", 4*rapid.IntRange(0, 2).Draw(rt, "port"))
				n := somebody(port, "host", fmt.Sprint(rapid.IntRange(0, 11).Draw(rt, "id")))
				n.SystemName = rapid.SampledFrom([]string{"", "a", "b"}).Draw(rt, "name")
				return n
			}), 0, 12).Draw(rt, "heard")
			known.observe(now, heard)
			for _, n := range heard {
				last[identity(n)] = now
			}
			checkTable(rt, known, now, last)
			if next := known.next(); !next.IsZero() && !next.After(now) {
				rt.Fatalf("time %v of the next look has come already", next)
			}
		}
	})
}

func checkTable(rt *rapid.T, known *table, now time.Time, last map[v1alpha1.LLDPNeighbor]time.Time) {
	ports := map[string]int{}
	for _, n := range known.neighbors() {
		at, was := last[identity(n)]
		if !was {
			rt.Fatalf("%v was never heard", n)
		}
		if n.Stale && now.Sub(at) < known.gap {
			rt.Fatalf("%v was heard %v ago, stale is %v", n, now.Sub(at), n.Stale)
		}
		ports[n.Port]++
	}
	for port, count := range ports {
		if count > maxPerPort {
			rt.Fatalf("%d neighbours on %s", count, port)
		}
	}
	for n, at := range last {
		if at.Equal(now) && known.port(n.Port, n) == nil && ports[n.Port] < maxPerPort {
			rt.Fatalf("%v is heard and not known", n)
		}
		if now.Sub(at) < time.Minute && ports[n.Port] == 0 {
			rt.Fatalf("%v is forgotten after %v, and nobody has come in its place", n, now.Sub(at))
		}
	}
}

// More than the API takes: who is heard comes first, in the ports' order.
func TestTableIsBounded(t *testing.T) {
	known := newTable(time.Second, time.Hour)
	for i := range 200 {
		for id := range 10 {
			known.restore(somebody(fmt.Sprintf("Ethernet%d", i), "old", fmt.Sprint("old ", id)), start())
		}
	}
	var heard []v1alpha1.LLDPNeighbor
	for id := range 20 {
		heard = append(heard, somebody("Ethernet199", "new", fmt.Sprint("new ", id)))
	}
	known.observe(start(), heard)
	all := known.neighbors()
	if len(all) != maxTotal || all[0].Port != "Ethernet0" || all[maxTotal-1].Port != "Ethernet199" || all[maxTotal-1].Stale {
		t.Fatalf("%d neighbours from %v to %v", len(all), all[0], all[len(all)-1])
	}
	if n := len(known.ports["Ethernet199"]); n != maxPerPort {
		t.Errorf("%d neighbours at one port", n)
	}
}
