package lifecycle_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/lifecycle"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

func TestUpSaysWhatIsWrong(t *testing.T) {
	t.Setenv("SWITCHLET_LAB_DIR", t.TempDir())
	for _, test := range []struct {
		name string
		cfg  lifecycle.Config
		want string
	}{
		{"no switch", lifecycle.Config{Name: "demo"}, "0 leaves and 0 spines: a lab has 1 to"},
		{"too many", lifecycle.Config{Name: "demo", Leaves: 1000}, "1000 leaves"},
		{"negative", lifecycle.Config{Name: "demo", Leaves: 3, Spines: -1}, "-1 spines"},
		{"too many hosts", lifecycle.Config{Name: "demo", Leaves: 2, Hosts: 1000}, "1000 hosts: with 2 switches"},
		{"too few ports", lifecycle.Config{Name: "demo", Leaves: 2, Hosts: 40}, "no port of leaf1 is left for a cable to host33/eth1"},
		{"mesh with a spine", lifecycle.Config{Name: "demo", Leaves: 2, Spines: 1, Mesh: true}, "--spines 0"},
		{"name", lifecycle.Config{Name: "my-lab", Leaves: 1}, `lab name "my-lab"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := lifecycle.Up(t.Context(), test.cfg)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Up() = %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestDown(t *testing.T) {
	t.Setenv("SWITCHLET_LAB_DIR", t.TempDir())
	if err := lifecycle.Down("demo"); !errors.Is(err, state.ErrNone) {
		t.Errorf("Down() without a lab = %v, want ErrNone", err)
	}
	// A lab whose start ended before anything ran.
	folder, err := state.Folder("demo")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(folder, "nodes"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := lifecycle.Down("demo"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("%s is still there (%v)", folder, err)
	}
}
