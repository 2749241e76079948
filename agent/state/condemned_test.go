package state_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// What broke something is remembered over a restart, and a damaged record is set
// aside.
func TestCondemned(t *testing.T) {
	dir := t.TempDir()
	s, _, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := []state.Condemned{{
		Owner: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "tenant", Name: "blue"}, Reason: "it broke apiserver",
		Wanted: sonic.DB{sonic.VLANKey(100): sonic.NewFields("vlanid", "100"), {Table: "VLAN_INTERFACE", Name: "Vlan100|10.1.0.1/24"}: nil},
		Kept:   sonic.DB{},
	}}
	if err := s.Condemn(all); err != nil {
		t.Fatal(err)
	}
	s, loaded, err := state.Open(dir)
	if err != nil || len(loaded.Damage) > 0 {
		t.Fatal(err, loaded.Damage)
	}
	if diff := cmp.Diff(all, s.Condemned()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := os.WriteFile(filepath.Join(dir, "condemned.json"), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, loaded, err = state.Open(dir)
	if err != nil || len(loaded.Damage) != 1 || len(s.Condemned()) > 0 {
		t.Errorf("a damaged record: %v, %v, %v", err, loaded.Damage, s.Condemned())
	}
}
