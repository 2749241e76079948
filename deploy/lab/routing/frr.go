package routing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/process"
)

// FRR is FRR on the switch whose file system and network this process has. Its daemons
// run together or not at all, as in SONiC's bgp container, which ends when one of them
// does (critical_processes): a bgpd that connects to another zebra tells it nothing of
// the routes that it told the one before.
type FRR struct {
	name    string // of the switch
	place   place
	daemons []string // in the order of their start
	log     *slog.Logger
	start   func(ctx context.Context, daemon string) (*process.Process, error)
	restart chan struct{} // one that is asked for
	pause   time.Duration // between two starts
}

// New is FRR that does not run yet, on a switch with a name.
func New(name string, log *slog.Logger) *FRR { return at(onSwitch(), name, log, nil) }

// NewInContainer is the same in a container that has the switch's network, its /run/frr,
// and its /etc/sonic/frr as /etc/frr. bgpd are arguments for that. If there was an FRR
// since the switch booted, this one takes over what that left in the kernel, until BGP has
// told it anew (FRR's -K; RFC 4724).
func NewInContainer(name string, log *slog.Logger, bgpd []string) (*FRR, error) {
	args := map[string][]string{"bgpd": bgpd}
	// Killed daemons leave their sockets; a switch that boots has none.
	switch _, err := os.Stat(filepath.Join(sockets, "bgpd.vty")); {
	case err == nil:
		args["zebra"], args["bgpd"] = []string{"-K"}, append([]string{"-K"}, bgpd...)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	return at(inContainer(), name, log, args), nil
}

// daemons are those of this FRR, in the order in which SONiC starts them. mgmtd, which has
// the configuration of zebra, came with FRR 9.
func daemons() []string {
	if _, err := os.Stat(filepath.Join(programs, "mgmtd")); err != nil {
		return []string{"zebra", "bgpd"}
	}
	return []string{"mgmtd", "zebra", "bgpd"}
}

func at(p place, name string, log *slog.Logger, args map[string][]string) *FRR {
	return &FRR{
		name: name, place: p, daemons: daemons(), log: log, restart: make(chan struct{}, 1), pause: time.Second,
		start: func(ctx context.Context, daemon string) (*process.Process, error) {
			return p.start(ctx, daemon, name, args[daemon]...)
		},
	}
}

// Run runs FRR until one of its daemons ends, which is an error, or ctx is done, as the
// supervisor of SONiC's bgp container does. Then it ends the daemons so that their routes
// stay in the kernel, and neighbours take it for a restart (RFC 4724), as SONiC does before
// a warm restart.
func (f *FRR) Run(ctx context.Context) error {
	if err := f.place.prepare(f.name); err != nil {
		return fmt.Errorf("prepare for FRR: %w", err)
	}
	running, err := f.startAll(ctx)
	if err != nil {
		return err
	}
	f.log.Info("FRR runs")
	select {
	case name := <-running.ended():
		err = fmt.Errorf("%s has ended", name)
	case <-ctx.Done():
	}
	for _, p := range slices.Backward(running) {
		err = errors.Join(err, p.Kill())
	}
	return err
}

// Start starts FRR, and keeps it running until ctx is done.
func (f *FRR) Start(ctx context.Context) error {
	if err := f.place.prepare(f.name); err != nil {
		return fmt.Errorf("prepare for FRR: %w", err)
	}
	running, err := f.startAll(ctx)
	if err != nil {
		return err
	}
	go f.keep(ctx, running)
	return nil
}

// Restart ends the daemons, which are then started again with what frr.conf says. It
// does not wait for that. SONiC does so with its bgp container whenever swss starts
// anew: else they would know VRFs that are no longer there.
func (f *FRR) Restart() {
	select {
	case f.restart <- struct{}{}:
	default: // somebody has asked already
	}
}

// group is the daemons of one start, in that order.
type group []*process.Process

// ended gets the names of those that end.
func (g group) ended() <-chan string {
	names := make(chan string, len(g))
	for _, p := range g {
		go func() {
			<-p.Done()
			names <- p.Name()
		}()
	}
	return names
}

func (f *FRR) startAll(ctx context.Context) (group, error) {
	var running group
	for _, daemon := range f.daemons {
		p, err := f.start(ctx, daemon)
		if err != nil {
			for _, p := range slices.Backward(running) {
				err = errors.Join(err, p.Kill())
			}
			return nil, err
		}
		running = append(running, p)
	}
	return running, nil
}

// keep starts the daemons again whenever one has ended or somebody asks for it.
func (f *FRR) keep(ctx context.Context, g group) {
	for f.wait(ctx, g) {
		f.stop(g)
		for {
			next, err := f.startAll(ctx)
			if g = next; err == nil {
				break
			}
			f.log.Error("FRR cannot be started; trying again", "error", err)
			if !f.rest(ctx) {
				return
			}
		}
		if !f.rest(ctx) { // what ends at once must not eat the machine
			return
		}
	}
}

// wait waits until the daemons have to be started again; false if ctx is done before.
func (f *FRR) wait(ctx context.Context, g group) bool {
	var cause string
	select {
	case name := <-g.ended():
		cause = name + " has ended"
	case <-f.restart:
		cause = "SONiC's daemons have started anew"
	case <-ctx.Done():
		return false
	}
	f.log.Warn("FRR is started again", "cause", cause)
	return true
}

// stop ends what still runs of a group.
func (f *FRR) stop(g group) {
	var both sync.WaitGroup
	for _, p := range g {
		both.Go(func() {
			if err := p.Stop(stopTimeout); err != nil {
				f.log.Warn("restart FRR", "daemon", p.Name(), "error", err)
			}
		})
	}
	both.Wait()
}

// rest waits a moment; false if ctx is done before.
func (f *FRR) rest(ctx context.Context) bool {
	select {
	case <-time.After(f.pause):
		return true
	case <-ctx.Done():
		return false
	}
}

// start starts a daemon of a switch and, once it answers, tells it what frr.conf says.
func (at place) start(ctx context.Context, name, node string, more ...string) (*process.Process, error) {
	args := []string{"-P", "0", "--log", "stdout"}
	if name == "zebra" {
		// As SONiC starts it: frr.conf has statements of this module, and a zebra that
		// does not know them fails to start. Nobody listens to it here.
		args = append(args, "-M", "dplane_fpm_nl")
	}
	p, err := process.Start(process.Program{
		Name: name, Path: filepath.Join(programs, name), Args: append(args, more...), Log: at.log,
	})
	if err != nil {
		return nil, fmt.Errorf("%w (Debian has it in the package frr)", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	// To connect is to be answered, and needs no start of vtysh for each look.
	err = p.WaitReady(ctx, process.Answers(filepath.Join(sockets, name+".vty")))
	if err == nil {
		err = at.read(ctx, name, node)
	}
	if err != nil {
		return nil, errors.Join(err, p.Kill())
	}
	return p, nil
}

// read tells a daemon what frr.conf says, if that is anything.
func (at place) read(ctx context.Context, daemon, node string) error {
	text, err := os.ReadFile(at.file())
	if err != nil || string(text) == empty(node) && !at.eager {
		return err
	}
	return vtysh(ctx, "-d", daemon, "-b")
}

func vtysh(ctx context.Context, args ...string) error {
	output, err := exec.CommandContext(ctx, "vtysh", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("vtysh %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(output)))
	}
	return nil
}
