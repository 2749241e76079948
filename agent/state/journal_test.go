package state

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/sonic"
)

func noon() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

func web() Before {
	return Before{There: true, Fields: sonic.NewFields("vlanid", "100", "description", "web, blue")}
}

func TestJournalFile(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir)
	s.BeginJournal(Journal{Revision: "r8", Base: "r7", Begun: noon(), Baseline: []string{"uplink/Ethernet0", "apiserver"}})
	must(t, s.Remember(map[sonic.Key]Before{vlan(100): web(), vlan(101): {}}))
	s.BeginJournal(Journal{Revision: "r9", Base: "r8", Begun: noon().Add(time.Second)})
	must(t, s.Remember(map[sonic.Key]Before{vlan(100): {}, vlan(102): {There: true}}))
	text, err := os.ReadFile(s.journalName())
	must(t, err)
	want := "switchlet journal 1\n" +
		"31495c78 begin r8 r7 2026-11-20T12:00:00Z uplink/Ethernet0 apiserver\n" +
		"6a6a950c + VLAN|Vlan100 description \"web,\\x20blue\" vlanid 100\n" +
		"57c12318 - VLAN|Vlan101\n" +
		"9527a8d2 begin r9 r7 2026-11-20T12:00:00Z uplink/Ethernet0 apiserver\n" +
		"b96e5989 + VLAN|Vlan102\n"
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	// What to go back to is what was there before the first of the two.
	s, loaded := mustOpen(t, dir)
	open := &Journal{
		Revision: "r9", Base: "r7", Begun: noon(), Baseline: []string{"uplink/Ethernet0", "apiserver"},
		Rows: map[sonic.Key]Before{vlan(100): web(), vlan(101): {}, vlan(102): {There: true, Fields: sonic.Fields{}}},
	}
	if diff := cmp.Diff(open, s.Journal()); diff != "" || loaded.Damage != nil {
		t.Errorf("damage %q, journal (-want +got):\n%s", loaded.Damage, diff)
	}
	must(t, s.CloseJournal())
	must(t, s.CloseJournal())
	if s, loaded = mustOpen(t, dir); s.Journal() != nil || loaded.Damage != nil {
		t.Errorf("after it is closed: journal %+v, damage %q", s.Journal(), loaded.Damage)
	}
}

// Wherever the agent, or the power, ends while the file is being written: all
// that was recorded before is there, and nobody speaks of damage.
func TestJournalEndsAnywhere(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir)
	type recorded struct {
		size     int
		revision string // of the open journal, empty if none is
		rows     int
	}
	want := []recorded{{size: len(journalHeader)}}
	note := func() {
		r := recorded{size: s.journal.size}
		if open := s.Journal(); open != nil {
			r.revision, r.rows = open.Revision, len(open.Rows)
		}
		want = append(want, r)
	}
	for i := range 3 {
		s.BeginJournal(Journal{Revision: fmt.Sprint("r", i), Begun: noon(), Baseline: []string{"apiserver"}})
		must(t, s.Remember(map[sonic.Key]Before{vlan(100 + i): web()}))
		note()
		must(t, s.Remember(map[sonic.Key]Before{vlan(200 + i): {}}))
		note()
		must(t, s.CloseJournal())
		note()
	}
	text, err := os.ReadFile(s.journalName())
	must(t, err)
	for size := len(journalHeader); size <= len(text); size++ {
		must(t, os.WriteFile(s.journalName(), text[:size], 0o600))
		i, exact := slices.BinarySearchFunc(want, size, func(r recorded, size int) int { return r.size - size })
		if !exact {
			i--
		}
		s, loaded := mustOpen(t, dir)
		if loaded.Damage != nil {
			t.Fatalf("%d bytes: damage %q", size, loaded.Damage)
		}
		got := recorded{size: want[i].size}
		if open := s.Journal(); open != nil {
			got.revision, got.rows = open.Revision, len(open.Rows)
		}
		// A line that got through whole, of a record that did not, does no harm:
		// its row was not touched.
		if next := want[min(i+1, len(want)-1)]; got != want[i] && (got.revision != next.revision || got.rows > next.rows) {
			t.Fatalf("%d bytes: %+v, recorded was %+v", size, got, want[i])
		}
		// It goes on from there.
		s.BeginJournal(Journal{Revision: "later", Begun: noon()})
		must(t, s.Remember(map[sonic.Key]Before{vlan(300): web()}))
		if again, loaded := mustOpen(t, dir); loaded.Damage != nil || again.Journal().Revision != "later" || !again.Journal().Rows[vlan(300)].There {
			t.Fatalf("%d bytes, and on: damage %q, journal %+v", size, loaded.Damage, again.Journal())
		}
	}
}

func TestJournalDamaged(t *testing.T) {
	for _, test := range []struct {
		name   string
		damage func(text []byte) []byte
		want   string
	}{
		{"a bit flipped", func(text []byte) []byte { return bytes.Replace(text, []byte("vlanid"), []byte("vlanie"), 1) }, "line 3: the checksum is wrong"},
		{"another version", func(text []byte) []byte { return bytes.Replace(text, []byte("journal 1"), []byte("journal 2"), 1) }, `the first line is not "switchlet journal 1"`},
		{"the begin is missing", func([]byte) []byte {
			return append([]byte(journalHeader), appendRecord(nil, absentWord, "VLAN|Vlan100")...)
		}, `line 2: "-" stands before a line that begins a journal`},
		{"empty", func([]byte) []byte { return nil }, "the first line is not"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			s, _ := mustOpen(t, dir)
			s.BeginJournal(Journal{Revision: "r8", Base: "r7", Begun: noon()})
			must(t, s.Remember(map[sonic.Key]Before{vlan(100): web(), vlan(101): {}}))
			text, err := os.ReadFile(s.journalName())
			must(t, err)
			must(t, os.WriteFile(s.journalName(), test.damage(text), 0o600))
			s, loaded := mustOpen(t, dir)
			if s.Journal() != nil || len(loaded.Damage) != 1 || !strings.Contains(loaded.Damage[0], test.want) {
				t.Errorf("journal %+v, damage %q, want %q", s.Journal(), loaded.Damage, test.want)
			}
			if _, err := os.Stat(s.journalName() + ".damaged"); err != nil {
				t.Error(err)
			}
			s.BeginJournal(Journal{Revision: "r9", Begun: noon()})
			must(t, s.Remember(map[sonic.Key]Before{vlan(100): web()}))
			if s, loaded = mustOpen(t, dir); s.Journal() == nil || loaded.Damage != nil {
				t.Errorf("afterwards: journal %+v, damage %q", s.Journal(), loaded.Damage)
			}
		})
	}
}

// A disk that cannot be written is an error, and what is not recorded is not
// counted on. Once the disk is well again everything is recorded.
func TestJournalDiskFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "switchlet")
	s, _ := mustOpen(t, dir)
	s.BeginJournal(Journal{Revision: "r8", Begun: noon()})
	must(t, s.Remember(map[sonic.Key]Before{vlan(100): web()}))
	must(t, os.Rename(dir, dir+".away"))
	if err := s.Remember(map[sonic.Key]Before{vlan(101): {}}); err == nil || !strings.Contains(err.Error(), "journal 1 rows: ") {
		t.Errorf("Remember() = %v", err)
	}
	if _, known := s.Journal().Rows[vlan(101)]; known {
		t.Error("a row that could not be recorded counts as recorded")
	}
	if err := s.CloseJournal(); err == nil || s.Journal() == nil {
		t.Errorf("CloseJournal() = %v, journal %+v", err, s.Journal())
	}
	must(t, os.Rename(dir+".away", dir))
	must(t, s.Remember(map[sonic.Key]Before{vlan(102): {}}))
	again, loaded := mustOpen(t, dir)
	if diff := cmp.Diff(s.Journal(), again.Journal()); diff != "" || loaded.Damage != nil {
		t.Errorf("damage %q, journal (-memory +disk):\n%s", loaded.Damage, diff)
	}
}

func TestRememberNeedsAJournal(t *testing.T) {
	s, _ := mustOpen(t, t.TempDir())
	if err := s.Remember(map[sonic.Key]Before{vlan(100): {}}); err == nil {
		t.Error("Remember() without a journal is no error")
	}
}

// The file does not grow for ever, and is not written anew for each change.
func TestJournalIsWrittenAnew(t *testing.T) {
	s, _ := mustOpen(t, t.TempDir())
	rows := map[sonic.Key]Before{}
	for i := range 1000 {
		rows[vlan(100+i)] = web()
	}
	for range 50 {
		s.BeginJournal(Journal{Revision: "r", Begun: noon()})
		must(t, s.Remember(rows))
		must(t, s.CloseJournal())
		if s.journal.size > spareBytes {
			t.Fatalf("the file has %d bytes and no open journal", s.journal.size)
		}
	}
}

// Whatever was recorded is there after a restart, the oldest value of each row.
func TestJournalAcrossRestarts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		must(t, err)
		s, _ := mustOpen(t, dir)
		var want *Journal
		word := rapid.StringN(1, 8, -1).Filter(func(s string) bool { return s != "NULL" })
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"begin", "remember", "remember", "close", "restart"}).Draw(rt, "step") {
			case "begin":
				j := Journal{Revision: word.Draw(rt, "revision"), Base: word.Draw(rt, "base"), Begun: noon(), Baseline: []string{word.Draw(rt, "probe")}}
				s.BeginJournal(j)
				if want == nil {
					j.Rows = map[sonic.Key]Before{}
					want = &j
				}
				want.Revision = j.Revision
				must(t, s.Remember(nil))
			case "remember":
				key := sonic.Key{Table: "T", Name: rapid.SampledFrom([]string{"a", "b", "c d", `"`}).Draw(rt, "name")}
				before := Before{There: rapid.Bool().Draw(rt, "there")}
				if before.There {
					before.Fields = sonic.NewFields(word.Draw(rt, "field"), rapid.String().Draw(rt, "value"))
				}
				if want == nil {
					continue
				}
				must(t, s.Remember(map[sonic.Key]Before{key: before}))
				if _, known := want.Rows[key]; !known {
					want.Rows[key] = before
				}
			case "close":
				must(t, s.CloseJournal())
				want = nil
			case "restart":
				s, _ = mustOpen(t, dir)
			}
			if diff := cmp.Diff(want, s.Journal()); diff != "" {
				rt.Fatalf("journal (-want +got):\n%s", diff)
			}
		}
	})
}

func TestBadRevisions(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir)
	for i := range maxBad + 2 {
		must(t, s.MarkBad(fmt.Sprint("r", i), fmt.Sprintf("bgp/10.0.0.%d is down", i), noon()))
	}
	must(t, s.MarkBad("r5", strings.Repeat("ü", maxReason), noon()))
	for _, store := range []string{"the same", "after a restart"} {
		if _, bad := s.Bad("r1"); bad {
			t.Errorf("%s: r1, the second of %d, is still known", store, maxBad+2)
		}
		if reason, bad := s.Bad("r2"); !bad || reason != "bgp/10.0.0.2 is down" {
			t.Errorf("%s: r2 is %q, %t", store, reason, bad)
		}
		if reason, bad := s.Bad("r5"); !bad || reason != strings.Repeat("ü", maxReason/2) {
			t.Errorf("%s: r5 is %t, its reason has %d bytes", store, bad, len(reason))
		}
		s, _ = mustOpen(t, dir)
	}
	text, err := os.ReadFile(s.badFile())
	must(t, err)
	must(t, os.WriteFile(s.badFile(), text[:len(text)-1], 0o600))
	s, loaded := mustOpen(t, dir)
	if _, bad := s.Bad("r5"); bad || len(loaded.Damage) != 1 || !strings.Contains(loaded.Damage[0], "bad-revisions was unusable (damaged: line 9: it has no end) and is now ") {
		t.Errorf("damaged: r5 is bad: %t, damage %q", bad, loaded.Damage)
	}
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(journalHeader))
	f.Add(encode(Journal{Revision: "r8", Begun: noon(), Baseline: []string{"a b"}, Rows: map[sonic.Key]Before{vlan(100): web(), vlan(101): {}}}))
	f.Add(appendRecord(appendBegin([]byte(journalHeader), Journal{}), closeWord))
	f.Add([]byte(journalHeader + "00000000 \n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		// The checksums would keep a fuzzer out: they are put right first.
		text = summed(text)
		open, size, err := decodeJournal(text)
		if err != nil || open == nil {
			return
		}
		if size > len(text) {
			t.Errorf("%d of %d bytes are whole", size, len(text))
		}
		again, _, err := decodeJournal(encode(*open))
		if diff := cmp.Diff(open, again); err != nil || diff != "" {
			t.Errorf("error %v, journal (-want +got):\n%s", err, diff)
		}
	})
}

// encode is the file with a journal that is open.
func encode(j Journal) []byte {
	return appendRows(appendBegin([]byte(journalHeader), j), j.Rows, keysOf(j.Rows, nil))
}

// summed is the text with the right checksum at the head of each line that has
// room for one.
func summed(text []byte) []byte {
	var out []byte
	for line := range bytes.Lines(text) {
		if body := bytes.TrimSuffix(line, []byte("\n")); len(body) > 9 && body[8] == ' ' {
			line = append(fmt.Appendf(nil, "%08x ", checksum(body[9:])), line[9:]...)
		}
		out = append(out, line...)
	}
	return out
}

func FuzzBad(f *testing.F) {
	f.Add(encodeBad([]badRevision{{"r8", noon(), "bgp/10.0.0.1 is down"}}))
	f.Fuzz(func(t *testing.T, text []byte) {
		revisions, err := decodeBad(summed(text))
		if err != nil {
			return
		}
		again, err := decodeBad(encodeBad(revisions))
		if err != nil || !slices.Equal(revisions, again) || len(again) > maxBad {
			t.Errorf("%v written and read is %v, error %v", revisions, again, err)
		}
	})
}

// What the disk costs a change of one row, and one of a whole leaf.
func BenchmarkJournal(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprint(n, " rows"), func(b *testing.B) {
			s, _, err := Open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			rows := map[sonic.Key]Before{}
			for i := range n {
				rows[vlan(i)] = web()
			}
			for b.Loop() {
				s.BeginJournal(Journal{Revision: "r", Begun: noon()})
				if err := s.Remember(maps.Clone(rows)); err != nil {
					b.Fatal(err)
				}
				if err := s.CloseJournal(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
