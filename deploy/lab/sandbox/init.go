package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Init is the first process of a sandbox: it waits for Go, sets up mounts and
// host name, starts the program inside and buries the dead until that one has
// ended. It returns its exit code.
func Init() (code int, err error) {
	var cfg Config
	text, err := readLine(os.Stdin)
	if err == nil {
		err = json.Unmarshal(text, &cfg)
	}
	if err == nil {
		_, err = readLine(os.Stdin) // Go
	}
	if err != nil {
		return 1, fmt.Errorf("wait for the parent: %w", err)
	}
	if err := unix.Sethostname([]byte(cfg.Name)); err != nil {
		return 1, fmt.Errorf("set the host name: %w", err)
	}
	if err := cfg.mount(); err != nil {
		return 1, err
	}
	return runInside(cfg.Args)
}

// runInside starts this program again and waits for it. Whatever else ends in
// this process namespace without a parent is a child of process 1, which has
// to wait for it, or it stays in the process table.
func runInside(args []string) (code int, err error) {
	pid, err := syscall.ForkExec("/proc/self/exe", append([]string{os.Args[0]}, args...), &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{0, 1, 2},
	})
	if err != nil {
		return 1, err
	}
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 1, fmt.Errorf("wait: %w", err)
		case ended == pid && status.Exited():
			return status.ExitStatus(), nil
		case ended == pid:
			return 1, fmt.Errorf("ended by %s", status.Signal())
		}
	}
}

// readLine reads one line and not a byte more: what comes after it is for the
// program inside.
func readLine(from io.Reader) ([]byte, error) {
	var line []byte
	for {
		var next [1]byte
		if _, err := from.Read(next[:]); err != nil {
			return nil, err
		}
		if next[0] == '\n' {
			return line, nil
		}
		line = append(line, next[0])
	}
}
