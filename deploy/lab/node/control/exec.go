package control

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"syscall"

	"github.com/switchlet/switchlet/deploy/lab/upgrade"
)

// Exit codes of a shell for a command that cannot be run.
const (
	notFound      = 127
	notExecutable = 126
	signalled     = 128 // and the signal's number
)

// exec runs a command whose words are the query's values "arg", and ends it when the
// one who wants it is gone.
func (h *handler) exec(w http.ResponseWriter, r *http.Request) {
	args := r.URL.Query()["arg"]
	if len(args) == 0 {
		http.Error(w, "which command? exec?arg=PROGRAM&arg=…", http.StatusBadRequest)
		return
	}
	conn, err := upgrade.Accept(w, r)
	if err != nil {
		return
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	out := &frames{to: conn}
	code, err := command(ctx, cancel, conn, out, args)
	if err != nil {
		_ = out.write(stderr, fmt.Appendln(nil, err)) // the code follows, or nobody listens
	}
	_ = out.write(exitCode, binary.BigEndian.AppendUint32(nil, uint32(code)))
}

func command(ctx context.Context, cancel func(), conn net.Conn, out *frames, args []string) (code int, err error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = out.writer(stdout), out.writer(stderr)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	input, err := cmd.StdinPipe()
	if err != nil {
		return notExecutable, err
	}
	if err := cmd.Start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return notFound, err
		}
		return notExecutable, err
	}
	go func() {
		defer cancel() // the connection is gone
		feed(conn, input)
	}()
	return exitStatus(cmd.Wait())
}

// feed passes stdin on until the connection ends.
func feed(conn net.Conn, input io.WriteCloser) {
	defer input.Close()
	for {
		kind, data, err := readFrame(conn)
		switch {
		case err != nil:
			return
		case kind == stdin && len(data) == 0:
			_ = input.Close()
		case kind == stdin:
			_, _ = input.Write(data) // a command need not read what it is told
		}
	}
}

// exitStatus is the exit code as a shell has it.
func exitStatus(err error) (code int, _ error) {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return signalled + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}
