package converge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/switchlet/switchlet/sonic/frr"
)

// FindShell says how to find a way to FRR: the sockets of its daemons in a
// folder, as long as bgpd's is there, and otherwise a command that runs vtysh,
// such as docker exec -i bgp vtysh; there may be none.
func FindShell(dir string, vtysh []string) func() (frr.Shell, string) {
	return func() (frr.Shell, string) {
		if _, err := os.Stat(filepath.Join(dir, "bgpd.vty")); dir != "" && err == nil {
			return frr.Sockets{Dir: dir}, "the sockets in " + dir
		}
		if len(vtysh) > 0 {
			return frr.Vtysh{Exec: instead(vtysh)}, strings.Join(vtysh, " ")
		}
		return nil, ""
	}
}

const (
	// maxOutput bounds what a program may write: the configuration of a full
	// switch has some MiB.
	maxOutput = 64 << 20
	// lastWords is how long a program that was told to end may go on.
	lastWords = time.Second
)

// instead runs a command in place of the first word, vtysh.
func instead(vtysh []string) frr.Exec {
	return func(ctx context.Context, argv []string, stdin string) (frr.Output, error) {
		words := slices.Concat(vtysh, argv[1:])
		cmd := exec.CommandContext(ctx, words[0], words[1:]...)
		var out, problems bounded
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &problems
		cmd.WaitDelay = lastWords
		err := cmd.Run()
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.Exited() {
			err = nil
		}
		if err != nil {
			return frr.Output{}, fmt.Errorf("%s: %w", vtysh[0], err)
		}
		return frr.Output{Stdout: out.String(), Stderr: problems.String(), Status: cmd.ProcessState.ExitCode()}, nil
	}
}

// bounded keeps what is written, up to a limit.
type bounded struct{ bytes.Buffer }

var errOutput = fmt.Errorf("it wrote more than %d bytes", maxOutput)

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxOutput {
		return 0, errOutput
	}
	return b.Buffer.Write(p)
}
