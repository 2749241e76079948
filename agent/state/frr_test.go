package state

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/switchlet/switchlet/sonic/frr"
)

func mustOpenStatements(t *testing.T, dir string) (*Statements, string) {
	t.Helper()
	s, damage, err := OpenStatements(dir)
	must(t, err)
	return s, damage
}

func blueVRF() frr.Tree {
	return frr.Tree{{Line: "vrf Vrf20001", Owner: "VPC tenant/blue", Inside: frr.Tree{{Line: "vni 20001", Owner: "VPC tenant/blue"}}},
		{Line: "router bgp 65001", Shared: true, Inside: frr.Tree{{Line: "bgp router-id 10.255.0.1"}}}}
}

func TestStatementsAcrossRestarts(t *testing.T) {
	dir := t.TempDir()
	s, damage := mustOpenStatements(t, dir)
	if tree, known := s.Get(); known || tree != nil || damage != "" {
		t.Errorf("before there is a record: %v, %v, %q", tree, known, damage)
	}
	for _, tree := range []frr.Tree{blueVRF(), nil, blueVRF()[:1]} {
		must(t, s.Set(tree))
		s, damage = mustOpenStatements(t, dir)
		got, known := s.Get()
		if diff := cmp.Diff(tree, got); diff != "" || !known || damage != "" {
			t.Errorf("known %v, damage %q (-want +got):\n%s", known, damage, diff)
		}
	}
}

// A record that is damaged at any byte is set aside: what FRR has is looked at
// instead.
func TestStatementsDamaged(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpenStatements(t, dir)
	must(t, s.Set(blueVRF()))
	name := filepath.Join(dir, "frr-statements")
	whole, err := os.ReadFile(name)
	must(t, err)
	for i := range whole {
		for _, text := range [][]byte{whole[:i], append(append(append([]byte(nil), whole[:i]...), whole[i]^1), whole[i+1:]...)} {
			must(t, os.WriteFile(name, text, 0o600))
			s, damage := mustOpenStatements(t, dir)
			if tree, known := s.Get(); known || tree != nil || damage == "" {
				t.Fatalf("byte %d: %v, %v, %q", i, tree, known, damage)
			}
			if _, err := os.Stat(name + ".damaged"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What could not be recorded is not taken to be the agent's.
func TestStatementsDiskFails(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpenStatements(t, dir)
	must(t, s.Set(blueVRF()[:1]))
	must(t, os.Remove(filepath.Join(dir, "frr-statements")))
	must(t, os.Mkdir(filepath.Join(dir, "frr-statements"), 0o700))
	if err := s.Set(blueVRF()); err == nil {
		t.Error("a record that cannot be written is written")
	}
	if tree, _ := s.Get(); len(tree) != 1 {
		t.Errorf("the record is %v", tree)
	}
}

func FuzzStatements(f *testing.F) {
	text, err := encodeStatements(blueVRF())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		tree, err := decodeStatements(text)
		if err != nil {
			return
		}
		again, err := encodeStatements(tree)
		must(t, err)
		if got, err := decodeStatements(again); err != nil || !cmp.Equal(got, tree, cmpopts.EquateEmpty()) {
			t.Errorf("%v became %v, %v", tree, got, err)
		}
	})
}
