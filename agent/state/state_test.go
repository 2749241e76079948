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

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

func mustOpen(t *testing.T, dir string) (*Store, Loaded) {
	t.Helper()
	s, loaded, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, loaded
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func good(revision string) LastGood {
	return LastGood{UID: "u", Generation: 3, Spec: v1alpha1.SwitchConfigSpec{Revision: revision, VTEP: "10.255.0.1"}}
}

func vlan(id int) sonic.Key { return sonic.VLANKey(id) }

func TestLastGoodAcrossRestarts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "switchlet")
	s, loaded := mustOpen(t, dir)
	if loaded.LastGood != nil || s.Ledger() != nil || loaded.Damage != nil {
		t.Errorf("a new folder has %+v, ledger %v", loaded, s.Ledger())
	}
	for _, revision := range []string{"r1", "r2"} {
		must(t, s.SaveLastGood(good(revision)))
		_, loaded = mustOpen(t, dir)
		if diff := cmp.Diff(good(revision), *loaded.LastGood); diff != "" {
			t.Errorf("(-saved +loaded):\n%s", diff)
		}
	}
}

// Whatever happens to the file, the one before is there, and people hear of it.
func TestLastGoodDamaged(t *testing.T) {
	for _, test := range []struct {
		name   string
		damage func(text []byte) []byte
	}{
		{"cut off", func(text []byte) []byte { return text[:len(text)/2] }},
		{"empty", func([]byte) []byte { return nil }},
		{"a bit flipped", func(text []byte) []byte { text[len(text)-3] ^= 1; return text }},
		{"another version", func(text []byte) []byte { return bytes.Replace(text, []byte("good 1"), []byte("good 2"), 1) }},
		{"zeros, as after a power cut", func(text []byte) []byte { return make([]byte, len(text)) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			s, _ := mustOpen(t, dir)
			must(t, s.SaveLastGood(good("r1")))
			must(t, s.SaveLastGood(good("r2")))
			text, err := os.ReadFile(s.lastGood())
			must(t, err)
			must(t, os.WriteFile(s.lastGood(), test.damage(text), 0o600))
			_, loaded := mustOpen(t, dir)
			if loaded.LastGood == nil || loaded.LastGood.Spec.Revision != "r1" {
				t.Errorf("loaded %+v, want r1", loaded.LastGood)
			}
			if len(loaded.Damage) != 1 || !strings.Contains(loaded.Damage[0], "last-good.json was unusable (damaged: the checksum is wrong) and is now ") {
				t.Errorf("damage is %q", loaded.Damage)
			}
			if _, err := os.Stat(s.lastGood() + ".damaged"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLedgerFile(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir)
	must(t, s.SetLedger(sonic.Ledger{}))
	must(t, s.Own(sonic.Ledger{vlan(100): {"description", "vlanid"}}))
	must(t, s.Own(sonic.Ledger{{Table: "VLAN_INTERFACE", Name: "Vlan100|10.1.0.1/24"}: nil}))
	must(t, s.Disown([]sonic.Key{vlan(100)}))
	text, err := os.ReadFile(s.ledgerFile())
	must(t, err)
	want := "switchlet ledger 1\n" +
		"92ca4491 + VLAN|Vlan100 description vlanid\n" +
		"ffd4b2c5 + VLAN_INTERFACE|Vlan100|10.1.0.1/24\n" +
		"a5aaa01b - VLAN|Vlan100\n"
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	s, _ = mustOpen(t, dir)
	if diff := cmp.Diff([]sonic.Key{{Table: "VLAN_INTERFACE", Name: "Vlan100|10.1.0.1/24"}}, slices.Collect(maps.Keys(s.Ledger()))); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}

// A line that was being written when the power went was not counted on yet.
func TestLedgerTornLine(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir)
	must(t, s.SetLedger(sonic.Ledger{vlan(100): nil}))
	must(t, s.Own(sonic.Ledger{vlan(101): nil}))
	info, err := os.Stat(s.ledgerFile())
	must(t, err)
	must(t, os.Truncate(s.ledgerFile(), info.Size()-3))
	s, loaded := mustOpen(t, dir)
	if len(s.Ledger()) != 1 || !s.Ledger().Has(vlan(100)) || loaded.Damage != nil {
		t.Errorf("ledger %v, damage %q", s.Ledger(), loaded.Damage)
	}
	must(t, s.Own(sonic.Ledger{vlan(102): nil}))
	s, loaded = mustOpen(t, dir)
	if len(s.Ledger()) != 2 || !s.Ledger().Has(vlan(102)) || loaded.Damage != nil {
		t.Errorf("after another line: ledger %v, damage %q", s.Ledger(), loaded.Damage)
	}
}

func TestLedgerDamaged(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir)
	must(t, s.SetLedger(sonic.Ledger{vlan(100): {"vlanid"}, vlan(101): nil}))
	text, err := os.ReadFile(s.ledgerFile())
	must(t, err)
	must(t, os.WriteFile(s.ledgerFile(), bytes.Replace(text, []byte("vlanid"), []byte("vlanie"), 1), 0o600))
	s, loaded := mustOpen(t, dir)
	if s.Ledger() != nil || len(loaded.Damage) != 1 || !strings.Contains(loaded.Damage[0], "line 2: the checksum is wrong") {
		t.Errorf("ledger %v, damage %q", s.Ledger(), loaded.Damage)
	}
}

// The file does not grow for ever.
func TestLedgerIsWrittenAnew(t *testing.T) {
	s, _ := mustOpen(t, t.TempDir())
	must(t, s.SetLedger(sonic.Ledger{}))
	many := sonic.Ledger{}
	for i := range 200 {
		many[vlan(100+i)] = []string{"vlanid"}
	}
	keys := slices.Collect(maps.Keys(many))
	for range 20 {
		must(t, s.Own(many))
		must(t, s.Disown(keys))
	}
	if s.lines > spareLines+2*len(many) {
		t.Errorf("the file has %d lines and no row", s.lines)
	}
}

// Whatever was recorded is there after a restart.
func TestLedgerAcrossRestarts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		must(t, err)
		s, _ := mustOpen(t, dir)
		must(t, s.SetLedger(sonic.Ledger{}))
		want := sonic.Ledger{}
		word := rapid.StringN(1, 8, -1)
		for i := range rapid.IntRange(1, 20).Draw(rt, "changes") {
			key := sonic.Key{Table: fmt.Sprintf("T%d", rapid.IntRange(0, 3).Draw(rt, "table")), Name: word.Draw(rt, "name")}
			if rapid.Bool().Draw(rt, "own") {
				names := rapid.SliceOfN(word, 0, 3).Draw(rt, fmt.Sprint("fields ", i))
				want[key] = names
				must(t, s.Own(sonic.Ledger{key: names}))
			} else {
				delete(want, key)
				must(t, s.Disown([]sonic.Key{key}))
			}
			s, _ = mustOpen(t, dir)
		}
		for key, names := range want {
			got, ok := s.Ledger()[key]
			if !ok || !slices.Equal(got, names) {
				rt.Fatalf("%s is %q, want %q", key, got, names)
			}
		}
		if len(s.Ledger()) != len(want) {
			rt.Fatalf("ledger is %v, want %v", s.Ledger(), want)
		}
	})
}

func FuzzLedger(f *testing.F) {
	f.Add([]byte(ledgerHeader + "92ca4491 + VLAN|Vlan100 description vlanid\n"))
	f.Add(encodeLedger(sonic.Ledger{vlan(100): {"a b", `"`}}))
	f.Add([]byte(ledgerHeader + "00000000 \n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		ledger, _, size, err := decodeLedger(text)
		if err != nil {
			return
		}
		if size > len(text) {
			t.Errorf("%d of %d bytes are whole", size, len(text))
		}
		again, _, _, err := decodeLedger(encodeLedger(ledger))
		if err != nil || len(again) != len(ledger) {
			t.Errorf("%v written and read is %v, error %v", ledger, again, err)
		}
	})
}

func FuzzLastGood(f *testing.F) {
	text, err := encodeLastGood(good("r1"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("switchlet last good 1 00000000\n{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		g, err := decodeLastGood(text)
		if (g == nil) == (err == nil) {
			t.Errorf("decoded %v, error %v", g, err)
		}
	})
}
