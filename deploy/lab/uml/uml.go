// Package uml runs this program, or another, in a Linux kernel that has what the machine's
// own may lack: User-Mode Linux, a whole kernel that is one ordinary process, as
// Debian packages it (user-mode-linux). Its root file system is the machine's.
//
//	machine                     User-Mode Linux
//	program ── sandbox ──────── program uml-init (process 1) ── program ARGS…
//	  Start      linux.uml         mounts, modules, lo           what is to be run
//
// Nothing stays when it ends, however it ends: it is in a sandbox, whose end is the
// end of its process, and its disk is the machine's folder Dir.
package uml

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/deploy/lab/process"
	"github.com/switchlet/switchlet/deploy/lab/sandbox"
)

// BootCommand is the argument by which the program knows that it is to become the
// kernel; it then has to call Boot with the one after it. It has to know
// sandbox.InitCommand too.
const BootCommand = "uml-boot"

// InitCommand is the argument by which the program knows that it is process 1 of a
// kernel; it then has to call Init with the one after it. More follow, from the
// kernel, that mean nothing.
const InitCommand = "uml-init"

// Config says what to run and how.
type Config struct {
	// Name is the host name.
	Name string
	// Dir is a folder of the machine for what is left to read: kernel.log. Required.
	Dir string
	// Kernel to run.
	Kernel Kernel
	// Memory in MiB that it may use; what is not used costs nothing.
	Memory int
	// Program is what runs inside, as process 1 too; empty for this program. Its file
	// must not change meanwhile.
	Program string
	// Args are what it is started with, and Env is its environment.
	Args, Env []string
	// Folder is where it starts; "/" if empty.
	Folder string
	// Keep are folders below /tmp and /run that stay the machine's: the rest of
	// those two is new and empty, in memory, since no Unix socket can be made on
	// the machine's file system.
	Keep []string
	// Output takes what it writes to stdout.
	Output *os.File
	// Log is the file for what it writes to stderr; empty for Output.
	Log string
	// TAP is a device of the network that the caller is in, which becomes the
	// kernel's link vec0; empty for none.
	TAP string
}

// Machine is a kernel that runs.
type Machine struct {
	cfg     Config
	sandbox *sandbox.Sandbox
}

// Start starts the kernel. It ends with the caller.
func Start(cfg Config) (*Machine, error) {
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, err
	}
	text, err := json.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.WriteFile(cfg.spec(), text, 0o600), remove(cfg.result())); err != nil {
		return nil, err
	}
	inside, err := sandbox.Start(sandbox.Config{
		Name: cfg.Name, Mounts: []sandbox.Mount{{Type: "proc", Target: "/proc"}},
		Args: []string{BootCommand, cfg.spec()}, Output: cfg.Output, Log: cfg.log(),
	})
	if err != nil {
		return nil, err
	}
	if err := inside.Go(); err != nil {
		return nil, errors.Join(err, inside.Kill())
	}
	return &Machine{cfg: cfg, sandbox: inside}, nil
}

func (cfg Config) spec() string   { return filepath.Join(cfg.Dir, "uml.json") }
func (cfg Config) result() string { return filepath.Join(cfg.Dir, "exit-code") }
func (cfg Config) log() string    { return filepath.Join(cfg.Dir, "kernel.log") }

func remove(file string) error {
	if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Kill ends the kernel and everything in it at once.
func (m *Machine) Kill() error { return m.sandbox.Kill() }

// Wait waits until what runs inside has ended, and returns its exit code. An error
// says that the kernel ended before.
func (m *Machine) Wait() (code int, err error) {
	err = m.sandbox.Wait()
	text, failed := os.ReadFile(m.cfg.result())
	if failed != nil {
		return 1, fmt.Errorf("User-Mode Linux ended by itself (%w); the end of %s:\n%s", errors.Join(err, failed), m.cfg.log(), process.Tail(m.cfg.log(), 15))
	}
	return strconv.Atoi(string(text))
}

// Boot becomes the kernel that Start was asked for. It returns only if that fails.
func Boot(spec string) error {
	cfg, err := read(spec)
	if err != nil {
		return err
	}
	if cfg.Program == "" {
		if cfg.Program, err = os.Executable(); err != nil {
			return err
		}
	}
	if err := onOneProcessor(); err != nil {
		return err
	}
	line := append([]string{cfg.Kernel.Program}, cfg.commandLine()...)
	return fmt.Errorf("become %s: %w", cfg.Kernel.Program, unix.Exec(cfg.Kernel.Program, line, os.Environ()))
}

// commandLine is that of the kernel: its console is stderr, the serial line on which
// Init puts the program's output is stdout.
func (cfg Config) commandLine() []string {
	line := []string{
		"rootfstype=hostfs", "rootflags=/", "rw", "quiet", "mem=" + strconv.Itoa(cfg.Memory) + "M",
		"con=null", "con0=null,fd:2", "ssl=null", "ssl0=null,fd:1", "init=" + cfg.Program,
	}
	if cfg.TAP != "" {
		line = append(line, "vec0:transport=tap,ifname="+cfg.TAP+",depth=128,gro=1")
	}
	return append(line, "--", InitCommand, cfg.spec())
}

func read(spec string) (Config, error) {
	var cfg Config
	text, err := os.ReadFile(spec)
	if err != nil {
		return cfg, err
	}
	if err := json.Unmarshal(text, &cfg); err != nil {
		return cfg, fmt.Errorf("%s: %w", spec, err)
	}
	return cfg, nil
}
