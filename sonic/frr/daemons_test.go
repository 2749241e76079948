package frr

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/frrtest"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

// router is the real FRR, alone in a network namespace.
type router struct {
	*frrtest.Router
	namespace string
}

// start starts FRR; it ends with the test.
func start(t testing.TB, frr frrtest.Release) *router {
	t.Helper()
	if os.Geteuid() != 0 {
		labtest.Missing(t, "network namespaces need root")
	}
	labtest.Program(t, "ip", "iproute2")
	r := &router{namespace: fmt.Sprintf("switchlet-%d-%d", os.Getpid(), time.Now().UnixNano())}
	ip(t, "netns", "add", r.namespace)
	t.Cleanup(func() { ip(t, "netns", "delete", r.namespace) })
	ip(t, "-n", r.namespace, "link", "set", "lo", "up")
	r.Router = frr.Start(t, filepath.Join("/run/netns", r.namespace))
	return r
}

func ip(t testing.TB, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %v: %v: %s", args, err, out)
	}
}

// vtysh is a shell by FRR's own one.
func (r *router) vtysh() Vtysh {
	return Vtysh{Exec: r.exec, Options: []string{"--vty_socket", r.Dir}}
}

// exec is an Exec where the release is.
func (r *router) exec(ctx context.Context, argv []string, stdin string) (Output, error) {
	return run(ctx, r.Argv(argv[0], argv[1:]...), stdin)
}

// run is an Exec on this machine, without a terminal as in SONiC's container.
func run(ctx context.Context, argv []string, stdin string) (Output, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "TERM=")
	var out, problems bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader([]byte(stdin)), &out, &problems
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	return Output{Stdout: out.String(), Stderr: problems.String(), Status: cmd.ProcessState.ExitCode()}, err
}

func discard() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }
