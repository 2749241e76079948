package neighbors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/lldp/frame"
	"github.com/switchlet/switchlet/lldp/wire"
)

const (
	// forget is how long somebody who is silent is kept for.
	forget = 24 * time.Hour
	// retryAfter is when it is tried again to speak and hear.
	retryAfter = 2 * time.Second
)

// Config is what a Watcher is made of. All is required unless it says otherwise.
type Config struct {
	// Node is the name of the host's Node.
	Node string
	// Chosen reports whether an interface is a NIC; see nics.Rules.
	Chosen func(name, kind string) bool
	// StateDir is the agent's folder on the host's disk.
	StateDir string
	// Interval is the time between two frames on a NIC; 0 is the 30 s of the
	// standard.
	Interval time.Duration
	// Report takes what is known, at first and whenever it is another.
	Report func(View)
	Log    *slog.Logger
}

// View is what is known at one moment.
type View struct {
	// Neighbors in natural order of their NICs, at most 8 on one and 1024 in all.
	Neighbors []v1alpha1.LLDPNeighbor
	// Silent says why LLDP is not spoken, on some NICs or at all; nil if it is.
	Silent error
	// Unsaved says why neighbours are not on the disk; nil if they are.
	Unsaved error
}

func (v View) equal(other View) bool {
	return slices.Equal(v.Neighbors, other.Neighbors) && same(v.Silent, other.Silent) && same(v.Unsaved, other.Unsaved)
}

func same(a, b error) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// Watcher follows the neighbours of a host.
type Watcher struct {
	cfg    Config
	agent  *wire.Agent // one that has not run yet, or runs
	memory *memory
	disk   *disk
	silent error
	told   *View
}

// New is a watcher that knows what an earlier one knew, all of it stale.
func New(cfg Config) (*Watcher, error) {
	now := time.Now()
	disk, known := openDisk(cfg.StateDir, now, forget)
	w := &Watcher{cfg: cfg, memory: newMemory(forget, known), disk: disk}
	if disk.err != nil {
		cfg.Log.Warn("neighbours of the last run are not known", "error", disk.err)
	}
	var err error
	w.agent, err = wire.New(w.wire())
	return w, err
}

// wire is what the host says of itself.
func (w *Watcher) wire() wire.Config {
	return wire.Config{
		Chassis: frame.ChassisByName(w.cfg.Node), SystemName: w.cfg.Node,
		SystemDescription: "Linux, LLDP by Switchlet",
		Capabilities:      frame.SystemCapabilities{Supported: frame.Station, Enabled: frame.Station},
		Interval:          w.cfg.Interval,
		Select:            func(l wire.Link) bool { return w.cfg.Chosen(l.Name, l.Kind) },
		Describe: func(l wire.Link, f *frame.Frame) {
			if f.PortDescription == "" { // nobody has written one down
				f.PortDescription = l.Name
			}
		},
		Log: w.cfg.Log,
	}
}

// Run follows the neighbours until ctx is done.
func (w *Watcher) Run(ctx context.Context) {
	for {
		w.tell()
		ended := make(chan error, 1)
		go func(a *wire.Agent) { ended <- a.Run(ctx) }(w.agent)
		err := w.follow(ended)
		if ctx.Err() != nil {
			w.observe(time.Now())
			w.disk.save(time.Now(), w.memory.all())
			return
		}
		if err == nil {
			err = errors.New("LLDP ended")
		}
		w.cfg.Log.Warn("LLDP is not spoken, trying again", "error", err)
		w.silent = err
		w.memory.observe(time.Now(), nil, nil)
		w.tell()
		select {
		case <-ctx.Done():
		case <-time.After(retryAfter):
		}
		// The Config was good the first time.
		w.agent, _ = wire.New(w.wire())
	}
}

// follow takes what is heard until the agent has ended.
func (w *Watcher) follow(ended <-chan error) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-w.agent.Changed():
			w.silent = problems(w.agent.Ports())
		case <-timer.C:
		}
		w.look(time.Now())
		timer.Reset(time.Until(w.next()))
	}
}

// observe takes who is heard now. A host that hears itself, by a cable between
// two of its NICs, is told too.
func (w *Watcher) observe(now time.Time) {
	var here []string
	for _, p := range w.agent.Ports() {
		here = append(here, p.Link.Name)
	}
	w.memory.observe(now, here, slices.Concat(w.agent.Neighbors(), w.agent.Loops()))
}

// look does what there is to do now.
func (w *Watcher) look(now time.Time) {
	w.observe(now)
	w.tell()
	if !now.Before(w.disk.due) {
		was := w.disk.err
		w.disk.save(now, w.memory.all())
		if !same(was, w.disk.err) {
			w.cfg.Log.Info("neighbours are written to the disk", "error", w.disk.err)
		}
		w.tell()
	}
}

// next is when to look although nothing changes.
func (w *Watcher) next() time.Time {
	if at := w.memory.next(); !at.IsZero() && at.Before(w.disk.due) {
		return at
	}
	return w.disk.due
}

// tell reports what is known if it is another than before.
func (w *Watcher) tell() {
	view := View{Neighbors: w.memory.shown(), Silent: w.silent, Unsaved: w.disk.err}
	if w.told != nil && view.equal(*w.told) {
		return
	}
	// Who is heard and who is stale is not on the disk: a cable with a loose
	// contact does not wear that out.
	if w.told != nil && !slices.EqualFunc(view.Neighbors, w.told.Neighbors, sameButStale) {
		w.disk.changed(time.Now())
	}
	w.told = &view
	w.cfg.Report(view)
}

func sameButStale(a, b v1alpha1.LLDPNeighbor) bool {
	a.Stale = b.Stale
	return a == b
}

// problems are why nothing is sent on some links.
func problems(ports []wire.Port) error {
	var all error
	for _, p := range ports {
		if p.Problem != "" {
			all = errors.Join(all, fmt.Errorf("%s: %s", p.Link.Name, p.Problem))
		}
	}
	return all
}
