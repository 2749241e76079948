package wire_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/lldp/frame"
	"github.com/switchlet/switchlet/lldp/wire"
)

// patience is how long tests wait for what takes milliseconds.
const patience = 20 * time.Second

// space is a network namespace that ends with the test.
type space struct {
	t  testing.TB
	ns *os.File
}

func newSpace(t testing.TB) *space {
	t.Helper()
	type made struct {
		ns  *os.File
		err error
	}
	result := make(chan made)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its namespace
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err != nil {
			result <- made{err: err}
			return
		}
		ns, err := os.Open("/proc/thread-self/ns/net")
		result <- made{ns, err}
	}()
	m := <-result
	if errors.Is(m.err, unix.EPERM) {
		labtest.Missing(t, "make a network namespace: %v: run the tests as root", m.err)
	}
	if m.err != nil {
		t.Fatal(m.err)
	}
	t.Cleanup(func() { m.ns.Close() })
	return &space{t, m.ns}
}

// enter runs something in the namespace. Programs that it starts stay there.
func (s *space) enter(fn func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := unix.Setns(int(s.ns.Fd()), unix.CLONE_NEWNET)
		if err == nil {
			err = fn()
		}
		result <- err
	}()
	return <-result
}

// do is enter for what has to work.
func (s *space) do(fn func() error) {
	s.t.Helper()
	if err := s.enter(fn); err != nil {
		s.t.Fatal(err)
	}
}

// cable connects two namespaces, or one with itself.
func cable(a *space, name string, b *space, there string) {
	a.t.Helper()
	a.do(func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = name
		return netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: there, PeerNamespace: netlink.NsFd(int(b.ns.Fd()))})
	})
	a.set(name, netlink.LinkSetUp)
	b.set(there, netlink.LinkSetUp)
}

// set changes a link.
func (s *space) set(name string, change func(netlink.Link) error) {
	s.t.Helper()
	s.do(func() error {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		return change(link)
	})
}

// run is an agent that runs in a namespace.
type run struct {
	*wire.Agent
	t     testing.TB
	stop  context.CancelFunc
	ended chan error
}

// agent starts an agent on all veth links; it ends with the test or by end.
func (s *space) agent(cfg wire.Config) *run {
	s.t.Helper()
	a, err := wire.New(veths(cfg))
	if err != nil {
		s.t.Fatal(err)
	}
	return s.start(a)
}

func veths(cfg wire.Config) wire.Config {
	if cfg.Select == nil {
		cfg.Select = func(l wire.Link) bool { return l.Kind == "veth" }
	}
	return cfg
}

func (s *space) start(a *wire.Agent) *run {
	ctx, stop := context.WithCancel(context.Background())
	r := &run{Agent: a, t: s.t, stop: stop, ended: make(chan error, 1)}
	go func() { r.ended <- s.enter(func() error { return a.Run(ctx) }) }()
	s.t.Cleanup(r.end)
	return r
}

// end stops the agent, if it has not been stopped yet.
func (r *run) end() {
	r.t.Helper()
	r.stop()
	if err := <-r.ended; err != nil {
		r.t.Error(err)
	}
	r.ended <- nil
}

// until waits for something that the agent tells a change of.
func (r *run) until(what string, done func() bool) {
	r.t.Helper()
	deadline := time.After(patience)
	for !done() {
		select {
		case <-r.Changed():
		case <-deadline:
			r.t.Fatalf("%s: not seen. Neighbours: %+v\nports: %+v", what, r.Neighbors(), r.Ports())
		}
	}
}

// speaks waits until the agent has spoken on its only link.
func (r *run) speaks() {
	r.t.Helper()
	awaitTrue(r.t, "a frame that was sent", func() bool { p := r.Ports(); return len(p) == 1 && p[0].Counters.Out > 0 })
}

// neighbors are the neighbours as "interface: chassis port", with "stale" if so.
func (r *run) neighbors() []string { return lines(r.Neighbors()) }

func lines(neighbors []wire.Neighbor) []string {
	all := []string{}
	for _, n := range neighbors {
		line := n.Interface + ": " + n.Frame.ChassisID.String() + " " + n.Frame.PortID.String()
		if n.Stale {
			line += " stale"
		}
		all = append(all, line)
	}
	return all
}

func named(name string) wire.Config {
	return wire.Config{Chassis: frame.ChassisByName(name), SystemName: name}
}
