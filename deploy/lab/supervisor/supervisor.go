// Package supervisor is the inside of a lab: in a sandbox of its own it starts
// the control plane and the nodes, tells the one outside how far it is, and
// keeps everything running until it is killed.
package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/lab/network"
	"github.com/switchlet/switchlet/deploy/lab/rack"
	"github.com/switchlet/switchlet/deploy/lab/sandbox"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

// Command is the argument by which the program knows that it is to be the
// inside of a lab; it then has to call Run with the one after it.
const Command = "supervise"

// Event is what the inside tells the outside, one JSON object on a line.
type Event struct {
	// Text for the person who waits.
	Text string `json:"text,omitempty"`
	// ControlPlane is true if the cluster takes objects from now on.
	ControlPlane bool `json:"controlPlane,omitempty"`
	// Ready is true in the last event if everything is started.
	Ready bool `json:"ready,omitempty"`
	// Error is set in the last event if something failed.
	Error string `json:"error,omitempty"`
}

// Start starts the inside of a lab. The caller connects its network, records
// its process and then calls Go. If the caller ends before the inside is ready,
// the inside ends too.
func Start(lab state.Lab, events *os.File) (*sandbox.Sandbox, error) {
	text, err := json.Marshal(lab)
	if err != nil {
		return nil, err
	}
	return sandbox.Start(sandbox.Config{
		Name: "lab-" + lab.Name, Network: true, Orphan: true,
		Mounts: []sandbox.Mount{{Type: "proc", Target: "/proc"}},
		Args:   []string{Command, string(text)}, Output: events, Log: lab.Log(),
	})
}

// Run is the inside of a lab. It returns only if something failed or the one
// who started it is gone before it is ready.
func Run(ctx context.Context, config string, stdin io.Reader, stdout io.Writer, log *slog.Logger) error {
	s := &supervisor{log: log, events: json.NewEncoder(stdout)}
	if err := json.Unmarshal([]byte(config), &s.lab); err != nil {
		return err
	}
	// What goes wrong meanwhile ends the start, but not a lab that is ready.
	starting, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	go func() {
		_, err := io.Copy(io.Discard, stdin) // ends when the one outside does
		fail(errors.Join(errors.New("interrupted"), err))
	}()
	if err := s.start(starting, fail); err != nil {
		return errors.Join(err, s.events.Encode(Event{Error: err.Error()}))
	}
	if err := s.serve(ctx); err != nil {
		return errors.Join(err, s.events.Encode(Event{Error: err.Error()}))
	}
	if err := s.events.Encode(Event{Ready: true}); err != nil {
		return err
	}
	s.controlPlane.Keep(ctx, log)
	<-ctx.Done()
	return ctx.Err()
}

type supervisor struct {
	lab          state.Lab
	log          *slog.Logger
	events       *json.Encoder
	plan         network.Plan
	controlPlane *controlplane.ControlPlane
	// rack is what runs in this sandbox: all nodes, or of a lab in User-Mode Linux
	// only cp1, while machine has the others.
	rack    *rack.Rack
	machine *machine // nil without
}

func (s *supervisor) start(ctx context.Context, fail context.CancelCauseFunc) error {
	s.plan = network.NewPlan(s.lab.Subnet)
	services := netip.PrefixFrom(s.plan.Services().Addr().Next(), s.plan.Services().Addr().BitLen())
	err := errors.Join(network.Up("lo"), network.MakeBridge(s.plan.ControlPlane(), services), network.Attach(network.Uplink))
	if err != nil {
		return err
	}
	if err := s.serveImages(ctx); err != nil {
		return err
	}
	members, err := s.startNodes(fail)
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.Go(func() error { return s.rack.Boot(ctx, func(string) error { return nil }) })
	if err := s.startControlPlane(ctx); err != nil {
		return err
	}
	for _, m := range members {
		if !m.Spec.InMemory {
			group.Go(func() error { return s.join(m, s.rack.Go) })
		}
	}
	if s.machine != nil {
		group.Go(func() error { return s.joinMachine(ctx, members) })
	}
	if err := group.Wait(); err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	// A node that could not be booted has cancelled ctx by now, or will be
	// missed by whoever waits for its Node object.
	return errors.Join(context.Cause(ctx), s.record(members))
}

// startNodes starts all nodes, here or, but for cp1, in User-Mode Linux.
func (s *supervisor) startNodes(fail context.CancelCauseFunc) ([]rack.Member, error) {
	members := s.members()
	here := rack.Config{Members: members}
	var err error
	if here.Cables, err = s.cables(); err != nil {
		return nil, err
	}
	if s.lab.UML {
		inside := rack.Config{Members: members[:len(members)-1], Cables: here.Cables, AtOnce: atOnce}
		here = rack.Config{Members: members[len(members)-1:]} // cp1
		if s.machine, err = s.startMachine(inside, fail); err != nil {
			return nil, err
		}
	}
	s.rack, err = rack.Start(here, fail, s.log)
	return members, err
}

func (s *supervisor) cables() ([]cabling.Cable, error) {
	return cabling.Fabric{Leaves: s.lab.Leaves, Spines: s.lab.Spines, Hosts: s.lab.Hosts, Mesh: s.lab.Mesh}.Cables()
}

func (s *supervisor) startControlPlane(ctx context.Context) (err error) {
	s.controlPlane, err = controlplane.Start(ctx, controlplane.Config{
		Dir: s.lab.ControlPlane(), Binaries: s.lab.Binaries,
		Address: s.plan.ControlPlane().Addr(), Port: 443, AllAddresses: true,
		ServiceCIDR: s.plan.Services(), ControllerManager: true, Scheduler: true,
	})
	if err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	return s.events.Encode(Event{Text: "control plane is ready: " + s.controlPlane.URL(), ControlPlane: true})
}

// join gives a node the credentials of its kubelet and lets that start.
func (s *supervisor) join(m rack.Member, start func(node string) error) error {
	dir := m.Spec.Kubernetes()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	ca, err := os.ReadFile(s.controlPlane.CAFile())
	if err != nil {
		return err
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, "ca.crt"), ca, 0o644),
		s.controlPlane.WriteKubeconfig(filepath.Join(dir, "kubelet.kubeconfig"), "system:node:"+m.Spec.Name, "system:nodes"),
		s.controlPlane.WriteServingCertificate(dir, m.Spec.Name, m.Spec.Address.Addr()),
	)
	if err != nil {
		return err
	}
	return start(m.Spec.Name)
}

// record records the nodes for those who come later. One in User-Mode Linux has no
// process id here.
func (s *supervisor) record(members []rack.Member) error {
	var nodes []state.Node
	for _, m := range members {
		n := state.Node{Name: m.Spec.Name, Role: m.Role, Host: m.Host, Address: m.Spec.Address.Addr()}
		if !m.Spec.InMemory {
			n.Pid = s.rack.Pid(m.Spec.Name)
		}
		nodes = append(nodes, n)
	}
	return s.lab.SaveNodes(nodes)
}
