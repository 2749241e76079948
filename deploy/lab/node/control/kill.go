package control

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// signal is the one of a name such as "KILL".
func signal(name string) (syscall.Signal, error) {
	number := unix.SignalNum("SIG" + strings.ToUpper(strings.TrimPrefix(strings.ToUpper(name), "SIG")))
	if number == 0 {
		return 0, fmt.Errorf("there is no signal %q; there are KILL, TERM, STOP, CONT and others", name)
	}
	return number, nil
}

// Signal sends a signal, by its name, to all processes of this node that run a program
// of a name.
func Signal(program, name string) error {
	number, err := signal(name)
	if err != nil {
		return err
	}
	return send(program, number)
}

// send sends a signal to all processes of the node that run a program of a name.
func send(name string, number syscall.Signal) error {
	processes, err := find("/proc", name)
	if err != nil {
		return err
	}
	if len(processes) == 0 {
		return fmt.Errorf("no process is called %s", name)
	}
	var errs []error
	for _, pid := range processes {
		if err := syscall.Kill(pid, number); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, fmt.Errorf("send %s to %s (pid %d): %w", number, name, pid, err))
		}
	}
	return errors.Join(errs...)
}

// find are the processes whose name, which has 15 characters at most (see proc(5),
// /proc/PID/comm), is this one.
func find(proc, name string) ([]int, error) {
	files, err := filepath.Glob(filepath.Join(proc, "[0-9]*/comm"))
	if err != nil {
		return nil, err
	}
	var found []int
	for _, file := range files {
		comm, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return nil, err
		}
		if string(bytes.TrimSpace(comm)) == name[:min(len(name), 15)] {
			found = append(found, pid)
		}
	}
	return found, nil
}
