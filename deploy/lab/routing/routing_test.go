package routing

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

// A node's users are the machine's: FRR's programs, which are the machine's too,
// look for them by their names.
func TestUsers(t *testing.T) {
	labtest.Program(t, "vtysh", "frr")
	passwd, group, err := Users()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(passwd, "frr:x:") || strings.Count(passwd, ":") != 6 || !strings.HasSuffix(passwd, "\n") {
		t.Errorf("passwd = %q", passwd)
	}
	if !strings.HasPrefix(group, "frr:x:") || !strings.Contains(group, "\nfrrvty:x:") || strings.Count(group, "\n") != 2 {
		t.Errorf("group = %q", group)
	}
}

// What the agent has put into frr.conf is there when the switch starts again.
func TestFilesAreKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "etc/sonic/frr/frr.conf")
	for _, text := range []string{"hostname leaf1\n", "another\n"} {
		if err := create(file, text); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "hostname leaf1\n" {
		t.Errorf("%s = %q, %v", file, got, err)
	}
}
