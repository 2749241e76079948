// Package lifecycle starts and ends labs from the outside.
//
// A lab is one sandbox: a process whose end ends everything else. So a lab that
// is interrupted while it starts is gone, Down needs to end one process only,
// and nothing is left of a lab but its folder and empty cgroups.
package lifecycle

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/filelock"
	"github.com/switchlet/switchlet/deploy/lab/network"
	"github.com/switchlet/switchlet/deploy/lab/process"
	"github.com/switchlet/switchlet/deploy/lab/rack"
	"github.com/switchlet/switchlet/deploy/lab/sandbox"
	"github.com/switchlet/switchlet/deploy/lab/state"
	"github.com/switchlet/switchlet/deploy/lab/supervisor"
	"github.com/switchlet/switchlet/deploy/lab/uml"
)

// Config says what lab to start.
type Config struct {
	// Name of the lab.
	Name string
	// Leaves and Spines are how many switches of each role it has.
	Leaves, Spines int
	// Hosts is how many hosts it has.
	Hosts int
	// Mesh says that every leaf gets a cable to every other one.
	Mesh bool
	// FRR says that the switches route, by FRR.
	FRR bool
	// Forward says whether the switches have a data plane.
	Forward Forward
	// HostPods says that the hosts have kubelets in User-Mode Linux too.
	HostPods bool
	// SwitchPods says that the switches have kubelets in User-Mode Linux too, and
	// nothing of FRR and lldpd but what pods bring.
	SwitchPods bool
	// Programs is the folder with agent, host-agent and controller.
	Programs string
	// Binaries is the folder with Kubernetes's programs.
	Binaries string
	// Images is the folder with the image archives that every node gets.
	Images string
	// Say is told each step.
	Say func(format string, args ...any)
	// Deploy, if not nil, is called as soon as the cluster takes objects, while the
	// nodes still boot; the lab is up when it has returned too.
	Deploy func(context.Context, state.Lab) error
}

// endTimeout is how long the kernel may take to end all processes of a lab.
const endTimeout = 30 * time.Second

// Up starts a lab and returns once its kubelets are started. A lab of the same
// name is ended before.
func Up(ctx context.Context, cfg Config) (state.Lab, error) {
	dir, err := state.Folder(cfg.Name)
	if err != nil {
		return state.Lab{}, err
	}
	if err := cfg.check(); err != nil {
		return state.Lab{}, err
	}
	if os.Geteuid() != 0 {
		return state.Lab{}, errors.New("a lab makes network namespaces and runs containers: start it as root")
	}
	if err := Down(cfg.Name); err != nil && !errors.Is(err, state.ErrNone) {
		return state.Lab{}, fmt.Errorf("end the lab that was there: %w", err)
	}
	forward, inUML, err := cfg.Forward.choose(uml.Missing, cfg.Say)
	if err != nil {
		return state.Lab{}, err
	}
	lab := state.Lab{
		Forward: forward, UML: inUML, HostPods: cfg.HostPods, SwitchPods: cfg.SwitchPods, Programs: cfg.Programs,
		Name: cfg.Name, Dir: dir, Leaves: cfg.Leaves, Spines: cfg.Spines, Hosts: cfg.Hosts, Mesh: cfg.Mesh, FRR: cfg.FRR,
		Binaries: cfg.Binaries, Images: cfg.Images,
	}
	if err := start(ctx, &lab, cfg); err != nil {
		return lab, fmt.Errorf("start lab %s: %w", cfg.Name, err)
	}
	return lab, nil
}

// check fails if there cannot be such a lab.
func (cfg Config) check() error {
	switches := cfg.Leaves + cfg.Spines
	if cfg.Leaves < 0 || cfg.Spines < 0 || switches < 1 || switches > network.MaxNodes {
		return fmt.Errorf("%d leaves and %d spines: a lab has 1 to %d switches", cfg.Leaves, cfg.Spines, network.MaxNodes)
	}
	if cfg.Hosts < 0 || cfg.Hosts > network.MaxNodes-switches {
		return fmt.Errorf("%d hosts: with %d switches a lab has 0 to %d", cfg.Hosts, switches, network.MaxNodes-switches)
	}
	fabric := cabling.Fabric{Leaves: cfg.Leaves, Spines: cfg.Spines, Hosts: cfg.Hosts, Mesh: cfg.Mesh}
	_, err := fabric.Cables()
	return err
}

func start(ctx context.Context, lab *state.Lab, cfg Config) error {
	if lab.UML {
		if err := rack.Build(ctx, lab.Rackd()); err != nil {
			return err
		}
	}
	ours, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ours.Close()
	inside, err := launch(ctx, lab, theirs)
	if err := errors.Join(err, theirs.Close()); err != nil {
		return err
	}
	err = cfg.follow(ctx, ours, *lab)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil: // nobody will look at the logs
		return errors.Join(errors.New("interrupted"), end(inside), cleanAfterFailure(*lab), os.RemoveAll(lab.Dir))
	default:
		err = fmt.Errorf("%w\nthe end of %s:\n%s", err, lab.Log(), process.Tail(lab.Log(), 10))
		return errors.Join(err, end(inside), cleanAfterFailure(*lab))
	}
}

// cleanAfterFailure leaves the folder. If the lab was ended by another command,
// that one cleans up, and what has its name now may be a lab of its own.
func cleanAfterFailure(lab state.Lab) error {
	if now, err := state.Load(lab.Name); err != nil || now.Process != lab.Process {
		return nil //nolint:nilerr // gone, or another lab by now
	}
	return cleanKernel(lab)
}

// launch starts the inside and connects it. No other lab chooses a subnet
// meanwhile.
func launch(ctx context.Context, lab *state.Lab, events *os.File) (*sandbox.Sandbox, error) {
	if err := os.MkdirAll(lab.Dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(lab.TokenFile(), []byte(rand.Text()), 0o600); err != nil {
		return nil, err
	}
	unlock, err := filelock.Lock(ctx, filepath.Join(filepath.Dir(lab.Dir), ".lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if lab.Subnet, err = network.FreeSubnet(); err != nil {
		return nil, err
	}
	inside, err := supervisor.Start(*lab, events)
	if err != nil {
		return nil, err
	}
	if err := connect(lab, inside); err != nil {
		return nil, errors.Join(err, end(inside))
	}
	return inside, nil
}

// connect records the lab, so that Down finds it whatever happens next, makes
// the link to it and lets it run.
func connect(lab *state.Lab, inside *sandbox.Sandbox) (err error) {
	if lab.Process, err = state.FindProcess(inside.Pid()); err != nil {
		return err
	}
	if err := lab.Save(); err != nil {
		return err
	}
	if err := network.Connect(lab.HostLink(), network.Uplink, inside.Pid(), nil); err != nil {
		return err
	}
	if err := network.Up(lab.HostLink(), network.NewPlan(lab.Subnet).Host()); err != nil {
		return err
	}
	return inside.Go()
}

// follow passes on what the inside says until it is ready, and deploys meanwhile.
func (cfg Config) follow(ctx context.Context, events *os.File, lab state.Lab) error {
	group, ctx := errgroup.WithContext(ctx)
	stop := context.AfterFunc(ctx, func() { events.Close() }) // ends the Decode below
	defer stop()
	decoder := json.NewDecoder(events)
	group.Go(func() error {
		for {
			var event supervisor.Event
			err := decoder.Decode(&event)
			switch {
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case err != nil:
				return fmt.Errorf("it ended before it was ready (%w)", err)
			case event.Error != "":
				return errors.New(event.Error)
			case event.Ready:
				return nil
			}
			cfg.Say("%s", event.Text)
			if event.ControlPlane && cfg.Deploy != nil {
				group.Go(func() error { return cfg.Deploy(ctx, lab) })
			}
		}
	})
	return group.Wait()
}

// end kills a sandbox and waits for it. How it ended is no news then.
func end(inside *sandbox.Sandbox) error {
	err := inside.Kill()
	_ = inside.Wait()
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Down ends a lab, whoever started it and however that one ended, and removes
// all of it.
func Down(name string) error {
	dir, err := state.Folder(name)
	if err != nil {
		return err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("lab %s: %w", name, state.ErrNone)
	}
	lab, err := state.Load(name)
	if errors.Is(err, state.ErrNone) {
		// The record is written before anything is made outside the folder.
		return os.RemoveAll(dir)
	}
	if err != nil {
		return err
	}
	if err := lab.Process.Kill(endTimeout); err != nil {
		return fmt.Errorf("lab %s: %w", name, err)
	}
	return errors.Join(cleanKernel(lab), os.RemoveAll(lab.Dir))
}

// cleanKernel removes what the kernel does not remove by itself, or not at
// once, when a lab's processes end.
func cleanKernel(lab state.Lab) error {
	if err := errors.Join(network.Remove(lab.HostLink()), lab.RemoveCgroups(endTimeout)); err != nil {
		return fmt.Errorf("clean up after lab %s: %w", lab.Name, err)
	}
	return nil
}
