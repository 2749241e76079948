package routing

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/process"
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

// A restart ends the daemons that run; those who keep them start them again.
func TestRestart(t *testing.T) {
	frr := New("leaf1", slog.New(slog.DiscardHandler))
	frr.Restart() // none runs
	p, err := process.Start(process.Program{Name: "bgpd", Path: "sleep", Args: []string{"60"}, Log: filepath.Join(t.TempDir(), "log")})
	if err != nil {
		t.Fatal(err)
	}
	frr.running["bgpd"] = p
	frr.Restart()
	<-p.Done()
	if len(frr.running) > 0 {
		t.Errorf("%v are taken to be running", frr.running)
	}
}
