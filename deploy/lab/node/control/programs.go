package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/process"
)

// stopGrace is how long a program may take to end: that of the agents' pods.
const stopGrace = 10 * time.Second

// Program is one that a node runs until it is told to stop, and starts again when it
// ends.
type Program struct {
	// Path of the executable on the node.
	Path string `json:"path"`
	// Args without the program itself, and Env, which is added to the node's.
	Args []string `json:"args"`
	Env  []string `json:"env"`
	// Files are written before, by their paths; only root may read them.
	Files map[string]string `json:"files"`
	// Log is the file that both outputs are appended to.
	Log string `json:"log"`
}

// programs are those that run.
type programs struct {
	ctx context.Context
	log *slog.Logger

	mu      sync.Mutex
	running map[string]*kept
}

// kept is a program that is started again until cancel.
type kept struct {
	cancel context.CancelFunc

	mu   sync.Mutex // held while it is started
	now  *process.Process
	gone bool
}

func newPrograms(ctx context.Context, log *slog.Logger) *programs {
	return &programs{ctx: ctx, log: log, running: map[string]*kept{}}
}

// run starts a program, in place of the one of that name.
func (p *programs) run(name string, program Program) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.end(name); err != nil {
		return err
	}
	for path, text := range program.Files {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			return fmt.Errorf("program %s: %w", name, err)
		}
	}
	ctx, cancel := context.WithCancel(p.ctx)
	k := &kept{cancel: cancel}
	start := func(context.Context) (*process.Process, error) { return k.start(name, program) }
	first, err := start(ctx)
	if err != nil {
		cancel()
		return err
	}
	p.running[name] = k
	go process.Keep(ctx, p.log, first, start)
	return nil
}

// stop ends a program; one that does not run is no error.
func (p *programs) stop(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.end(name)
}

func (p *programs) end(name string) error {
	k, ok := p.running[name]
	if !ok {
		return nil
	}
	delete(p.running, name)
	k.cancel()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.gone = true
	return k.now.Stop(stopGrace)
}

func (k *kept) start(name string, program Program) (*process.Process, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.gone {
		return nil, context.Canceled
	}
	next, err := process.Start(process.Program{
		Name: name, Path: program.Path, Args: program.Args, Env: program.Env, Log: program.Log,
	})
	if err == nil {
		k.now = next
	}
	return next, err
}
