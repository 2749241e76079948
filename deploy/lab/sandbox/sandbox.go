// Package sandbox runs this program again, with other arguments, in Linux
// namespaces of its own: processes, mounts, host name, and if wanted a network
// and a root folder. It is what a lab and each of its nodes live in.
//
// A sandbox has nothing to clean up. Its first process is process 1 of its
// namespace, so when that one ends, by itself or by kill -9, the kernel kills
// all others, and with the last of them its mounts, network namespace and links
// are gone.
package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// InitCommand is the argument by which the program knows that it is to be the
// first process of a sandbox; it then has to call Init. The argument after it
// is the sandbox's name, for people who list processes.
const InitCommand = "sandbox-init"

// Config says what a sandbox is like.
type Config struct {
	// Name is the host name inside.
	Name string
	// Root is a folder that becomes the root of the file system; empty: the
	// same root as outside.
	Root string
	// Mounts are made in this order before the root is changed.
	Mounts []Mount
	// Network says whether the sandbox has a network of its own, with nothing
	// in it but a loopback that is down.
	Network bool
	// Args are what this program is started with inside.
	Args []string
	// Output takes what it writes to stdout; Log is the file for stderr.
	Output *os.File
	Log    string
	// Orphan says that the sandbox may outlive its parent.
	Orphan bool
}

// Mount is one mount. Target is a path inside; it is made if it is not there.
type Mount struct {
	// Source is a path outside, a folder or a file, that is mounted with
	// everything below it; or empty for a Type.
	Source string
	// Type is a file system such as proc; empty for a Source.
	Type string
	// Target is the path inside.
	Target string
	// ReadOnly mounts it read-only (not what is mounted below it).
	ReadOnly bool
	// Exec lets programs in a Type be run, which else they are not.
	Exec bool
	// Flat leaves out what is mounted below the Source.
	Flat bool
	// Optional says that a Target that is not there and cannot be made is
	// passed over.
	Optional bool
}

// Sandbox is one that was started.
type Sandbox struct {
	cmd   *exec.Cmd
	input io.WriteCloser
}

// Start makes the namespaces and waits in them for Go: until then the network
// can be set up from outside, by Pid.
func Start(cfg Config) (*Sandbox, error) {
	text, err := json.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(cfg.Log), 0o755); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(cfg.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()

	cmd := exec.Command("/proc/self/exe", InitCommand, cfg.Name)
	cmd.Args[0] = os.Args[0]
	cmd.Stderr = log
	if cmd.Stdout = log; cfg.Output != nil {
		cmd.Stdout = cfg.Output
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid:     true,
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
	}
	if cfg.Network {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNET
	}
	if !cfg.Orphan {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start sandbox %s: %w", cfg.Name, err)
	}
	if _, err := input.Write(append(text, '\n')); err != nil {
		return nil, errors.Join(fmt.Errorf("start sandbox %s: %w", cfg.Name, err), cmd.Process.Kill(), cmd.Wait())
	}
	return &Sandbox{cmd: cmd, input: input}, nil
}

// Pid is the process id of the sandbox's first process, as seen by its parent.
func (s *Sandbox) Pid() int { return s.cmd.Process.Pid }

// Go lets the sandbox run. Each further call writes a line to the standard
// input of what runs inside, to say whatever the two have agreed on.
func (s *Sandbox) Go() error {
	_, err := s.input.Write([]byte{'\n'})
	return err
}

// Kill ends everything in the sandbox.
func (s *Sandbox) Kill() error { return s.cmd.Process.Kill() }

// Wait waits until the sandbox has ended.
func (s *Sandbox) Wait() error { return s.cmd.Wait() }
