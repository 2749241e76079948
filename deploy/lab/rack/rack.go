// Package rack is where a lab's nodes are: switches and hosts in sandboxes, a
// management network, cables between them, and a server at which those outside can
// re-cable them, switch links on and off and reach what listens in a node. It runs in
// the lab's own sandbox, or inside User-Mode Linux where the machine's kernel has no
// data plane.
package rack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/network"
	"github.com/switchlet/switchlet/deploy/lab/node"
	"github.com/switchlet/switchlet/deploy/lab/node/control"
	"github.com/switchlet/switchlet/deploy/lab/patch"
	"github.com/switchlet/switchlet/deploy/lab/sandbox"
)

// Member is a node of the rack.
type Member struct {
	Spec node.Spec
	// Role of a switch, as the label says it; empty for other nodes.
	Role string
	// Host says that it has NICs with cables to switches.
	Host bool
}

// Config says what is in the rack.
type Config struct {
	Members []Member
	// Cables that are plugged in before anything runs. A host has its NICs with or
	// without.
	Cables []cabling.Cable
	// AtOnce is how many nodes boot at the same time; 0 for all. On one slow processor
	// many at once take longer than one after the other: they wait for each other's
	// programs, and look often whether these are ready.
	AtOnce int
}

// Rack is one whose nodes run.
type Rack struct {
	cfg    Config
	log    *slog.Logger
	ended  func(error)
	cables sync.Mutex // held by whoever changes them

	mu    sync.Mutex
	nodes map[string]*running
}

// running is a node that runs.
type running struct {
	*sandbox.Sandbox
	ended chan struct{} // closed when it has
}

// Start starts all nodes in this network namespace, whose bridge must be there, and
// cables them; Boot lets them go on. A node that ends is logged and told.
func Start(cfg Config, ended func(error), log *slog.Logger) (*Rack, error) {
	r := &Rack{cfg: cfg, log: log, ended: ended, nodes: map[string]*running{}}
	for _, m := range cfg.Members {
		if err := r.startNode(m); err != nil {
			return nil, err
		}
	}
	return r, r.plugIn(cfg.Members, cfg.Cables)
}

// startNode starts a node and connects it to the management network.
func (r *Rack) startNode(m Member) error {
	inside, err := node.Start(m.Spec)
	if err != nil {
		return err
	}
	n := &running{inside, make(chan struct{})}
	r.mu.Lock()
	r.nodes[m.Spec.Name] = n
	r.mu.Unlock()
	go r.watch(m, n)
	if !m.Spec.Network {
		return nil
	}
	if err := network.Connect(m.Spec.Name, network.NodeLink, inside.Pid(), m.Spec.MAC()); err != nil {
		return err
	}
	return network.Attach(m.Spec.Name)
}

// watch waits for the end of a node, and tells it unless it is wanted.
func (r *Rack) watch(m Member, n *running) {
	err := fmt.Errorf("node %s ended: %w; see %s", m.Spec.Name, n.Wait(), filepath.Join(m.Spec.Dir, "var/log/node.log"))
	close(n.ended)
	if r.node(m.Spec.Name) != n {
		r.log.Info("node rebooted", "node", m.Spec.Name)
		return
	}
	r.log.Error("node ended", "node", m.Spec.Name, "error", err)
	r.ended(err)
}

// node is one that runs, nil if it does not.
func (r *Rack) node(name string) *running {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.nodes[name]
}

// plugIn plugs in the cables of new nodes, and gives hosts the NICs that have none.
func (r *Rack) plugIn(members []Member, cables []cabling.Cable) error {
	panel, err := r.open()
	if err != nil {
		return err
	}
	defer panel.Close()
	wired := map[cabling.End]bool{}
	for _, c := range cables {
		if err := panel.Wire(c); err != nil {
			return err
		}
		wired[c.A], wired[c.B] = true, true
	}
	for _, m := range members {
		for n := range cabling.NICs {
			nic := cabling.End{Node: m.Spec.Name, Port: cabling.NICName(n + 1)}
			if !m.Host || wired[nic] {
				continue
			}
			if err := panel.AddNIC(nic); err != nil {
				return err
			}
		}
	}
	return nil
}

// open opens the patch panel.
func (r *Rack) open() (*patch.Panel, error) {
	var places []patch.Place
	for _, m := range r.cfg.Members {
		if m.Spec.Network {
			places = append(places, patch.Place{Name: m.Spec.Name, Host: m.Host, Namespace: r.Namespace(m.Spec.Name)})
		}
	}
	return patch.Open("/proc/self/ns/net", places)
}

// look is how often a node is looked for that has no socket yet.
const look = 100 * time.Millisecond

// Boot lets all nodes boot, and waits until they have. booted is told of each that has:
// from then on what listens in it can be connected to.
func (r *Rack) Boot(ctx context.Context, booted func(node string) error) error {
	group, ctx := errgroup.WithContext(ctx)
	if r.cfg.AtOnce > 0 {
		group.SetLimit(r.cfg.AtOnce)
	}
	for _, m := range r.cfg.Members {
		group.Go(func() error {
			if err := r.boot(ctx, m.Spec.Name); err != nil {
				return fmt.Errorf("boot %s: %w", m.Spec.Name, err)
			}
			return booted(m.Spec.Name)
		})
	}
	return group.Wait()
}

func (r *Rack) boot(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.Go(name); err != nil {
		return err
	}
	client := control.NewClient(r.socket(name, control.Socket))
	for client.WaitBooted(ctx) != nil {
		select {
		case <-time.After(look):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// socket is the path of a Unix socket in a node, as seen from here.
func (r *Rack) socket(name, path string) string {
	return fmt.Sprintf("/proc/%d/root%s", r.Pid(name), filepath.Clean("/"+path)) // Clean keeps it below the root
}

// Go tells a node to go on, see node.Start.
func (r *Rack) Go(name string) error {
	n := r.node(name)
	if n == nil {
		return fmt.Errorf("%s does not run", name)
	}
	return n.Go()
}

// Pid is the process id of a node's first process, as seen from here; 0 while it does
// not run.
func (r *Rack) Pid(name string) int {
	if n := r.node(name); n != nil {
		return n.Pid()
	}
	return 0
}

// Namespace is the path of a node's network namespace, as seen from here.
func (r *Rack) Namespace(name string) string { return fmt.Sprintf("/proc/%d/ns/net", r.Pid(name)) }

// has fails if there is no such node.
func (r *Rack) has(name string) error {
	if slices.ContainsFunc(r.cfg.Members, func(m Member) bool { return m.Spec.Name == name }) {
		return nil
	}
	var names []string
	for _, m := range r.cfg.Members {
		names = append(names, m.Spec.Name)
	}
	return fmt.Errorf("there is no node %q; there are %v", name, names)
}

// recable does something with the patch panel that nobody else changes meanwhile.
func (r *Rack) recable(do func(*patch.Panel) error) (err error) {
	r.cables.Lock()
	defer r.cables.Unlock()
	panel, err := r.open()
	if err != nil {
		return err
	}
	defer panel.Close()
	return do(panel)
}

// tries is how often a change of cables is tried.
const tries = 10

// errEnds says how many ends a change of cables is about.
var errEnds = errors.New("move and plug want two ends of cables, pull wants one")

// change moves, plugs in or pulls a cable.
func (r *Rack) change(verb string, ends []cabling.End) error {
	if want := map[string]int{"move": 2, "plug": 2, "pull": 1}[verb]; want == 0 || want != len(ends) {
		return fmt.Errorf("%s with %d ends: %w", verb, len(ends), errEnds)
	}
	return r.recable(func(panel *patch.Panel) error {
		err := carryOut(panel, verb, ends)
		// A switch that forwards switches its ports on as soon as they are off, and one
		// that is on keeps its name.
		for try := 1; errors.Is(err, unix.EBUSY) && try < tries; try++ {
			err = carryOut(panel, verb, ends)
		}
		return err
	})
}

func carryOut(panel *patch.Panel, verb string, ends []cabling.End) error {
	switch verb {
	case "move":
		return panel.Move(ends[0], ends[1])
	case "plug":
		return panel.Plug(ends[0], ends[1])
	default:
		return panel.Pull(ends[0])
	}
}
