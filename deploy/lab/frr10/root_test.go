package frr10_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

// TestProgramsOfTheRoot starts those that take a configuration, with their libraries.
func TestProgramsOfTheRoot(t *testing.T) {
	root := labtest.FRR10(t)
	if os.Geteuid() != 0 {
		labtest.Missing(t, "mount namespaces need root")
	}
	for _, program := range []string{"/usr/lib/frr/mgmtd", "/usr/lib/frr/zebra", "/usr/lib/frr/bgpd", "/usr/lib/frr/staticd", "/usr/lib/frr/bfdd", "vtysh"} {
		argv := root.Argv(program, "--help")
		out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--vty_socket") {
			t.Errorf("%s: %v: %s", program, err, out)
		}
	}
}
