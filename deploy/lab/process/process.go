// Package process starts the programs of a lab, tells when they are ready and
// ends them.
//
// A program never outlives the one that started it: the kernel kills it when
// its parent dies, however that happens, so nothing has to be searched for and
// cleaned up afterwards.
package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Program says what to start.
type Program struct {
	// Name of the program in messages, such as "kube-apiserver".
	Name string
	// Path of the executable; looked up in PATH if it has no slash.
	Path string
	// Args without the program itself.
	Args []string
	// Env is added to the environment of this process.
	Env []string
	// Log is the file that both outputs are appended to.
	Log string
}

// Process is a program that was started.
type Process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{}
	err  error // why it ended; set before done is closed
}

// Start starts a program in a process group of its own, so that an interrupt
// typed at the terminal reaches only this process, which then decides.
func Start(p Program) (*Process, error) {
	if err := os.MkdirAll(filepath.Dir(p.Log), 0o755); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.Name, err)
	}
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.Name, err)
	}
	defer log.Close() // the child has its own descriptor

	cmd := exec.Command(p.Path, p.Args...)
	cmd.Env = append(os.Environ(), p.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	// The parent death signal belongs to the thread that forks. Go ends a
	// thread before its process only when a goroutine locked to it returns,
	// which no caller of this package does.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.Name, err)
	}
	proc := &Process{name: p.Name, log: p.Log, cmd: cmd, done: make(chan struct{})}
	go func() {
		proc.err = cmd.Wait()
		close(proc.done)
	}()
	return proc, nil
}

// Name of the program.
func (p *Process) Name() string { return p.name }

// Log is the file that the program's output goes to.
func (p *Process) Log() string { return p.log }

// Pid is the process id, as seen by the one who started it.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed once the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says why the program ended; nil while it runs, or if its exit code was 0.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Stop asks the program to end (SIGTERM), waits for that, and after the grace
// time kills its whole process group. It returns once the program is gone; an
// error says that it had to be killed.
func (p *Process) Stop(grace time.Duration) error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
	}
	if err := p.Kill(); err != nil {
		return err
	}
	return fmt.Errorf("%s did not end within %s of SIGTERM and was killed", p.name, grace)
}

// Kill ends the program's process group at once (SIGKILL) and waits for it.
func (p *Process) Kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

// signal sends to the process group. Until Wait has returned, the process id
// cannot have been given to anybody else.
func (p *Process) signal(s syscall.Signal) error {
	select {
	case <-p.done:
		return nil
	default:
	}
	if err := syscall.Kill(-p.Pid(), s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %s to %s (pid %d): %w", s, p.name, p.Pid(), err)
	}
	return nil
}
