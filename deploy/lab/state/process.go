package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Process names a process for good: a process id alone is given to another
// process some day.
type Process struct {
	Pid int `json:"pid"`
	// Start is when it started, in clock ticks since the machine did.
	Start uint64 `json:"start"`
}

// FindProcess is the process that has the id now.
func FindProcess(pid int) (Process, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Process{}, err
	}
	start, err := startTime(text)
	return Process{Pid: pid, Start: start}, err
}

// startTime is field 22 of /proc/PID/stat, see proc(5). The program's name,
// field 2, is in parentheses and may contain anything.
func startTime(stat []byte) (uint64, error) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const field = 22 - 3 // fields[0] is field 3
	if len(fields) <= field {
		return 0, fmt.Errorf("/proc/PID/stat is %q: it has too few fields", stat)
	}
	return strconv.ParseUint(string(fields[field]), 10, 64)
}

// Running says whether this very process still runs.
func (p Process) Running() (bool, error) {
	if p.Pid == 0 {
		return false, nil
	}
	now, err := FindProcess(p.Pid)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return false, nil
	}
	return now == p, err
}

// Kill ends this very process, if it still runs, and waits until it is gone.
func (p Process) Kill(timeout time.Duration) error {
	if p.Pid == 0 {
		return nil
	}
	// The descriptor is of one process for good. Once it is open, the start
	// time tells whether that is the right one.
	fd, err := unix.PidfdOpen(p.Pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find process %d: %w", p.Pid, err)
	}
	defer unix.Close(fd)
	if ok, err := p.Running(); !ok || err != nil {
		return err
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill process %d: %w", p.Pid, err)
	}
	return waitEnd(fd, p.Pid, time.Now().Add(timeout))
}

// waitEnd waits until a process descriptor becomes readable: the process ended.
func waitEnd(fd, pid int, deadline time.Time) error {
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return fmt.Errorf("process %d did not end", pid)
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left.Milliseconds())+1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait for process %d: %w", pid, err)
		}
		if n > 0 {
			return nil
		}
	}
}
