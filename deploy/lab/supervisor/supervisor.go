// Package supervisor is the inside of a lab: in a sandbox of its own it starts
// the control plane and the nodes, tells the one outside how far it is, and
// keeps everything running until it is killed.
package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/lab/images"
	"github.com/switchlet/switchlet/deploy/lab/network"
	"github.com/switchlet/switchlet/deploy/lab/node"
	"github.com/switchlet/switchlet/deploy/lab/sandbox"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

// Command is the argument by which the program knows that it is to be the
// inside of a lab; it then has to call Run with the one after it.
const Command = "supervise"

// What the product says of a switch's Node.
const (
	roleLabel   = "fabric.switchlet.io/role"
	switchTaint = "fabric.switchlet.io/switch"
)

// Event is what the inside tells the outside, one JSON object on a line.
type Event struct {
	// Text for the person who waits.
	Text string `json:"text,omitempty"`
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
	controlPlane *controlplane.ControlPlane
}

// member is a node that is being started.
type member struct {
	spec    node.Spec
	role    string // of a switch
	host    bool
	sandbox *sandbox.Sandbox
}

func (s *supervisor) start(ctx context.Context, fail context.CancelCauseFunc) error {
	plan := network.NewPlan(s.lab.Subnet)
	services := netip.PrefixFrom(plan.Services().Addr().Next(), plan.Services().Addr().BitLen())
	err := errors.Join(network.Up("lo"), network.MakeBridge(plan.ControlPlane(), services), network.Attach(network.Uplink))
	if err != nil {
		return err
	}
	members := s.members(plan)
	if err := s.bootAll(members, fail); err != nil {
		return err
	}
	if err := s.startControlPlane(ctx, plan); err != nil {
		return err
	}
	var group errgroup.Group
	for _, m := range members {
		group.Go(func() error { return s.join(m) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	// A node that could not be booted has cancelled ctx by now, or will be
	// missed by whoever waits for its Node object.
	return errors.Join(context.Cause(ctx), s.record(members))
}

// members are the switches, the hosts, and one node, cp1, for everything else.
func (s *supervisor) members(plan network.Plan) []member {
	var members []member
	for n := range s.lab.Leaves + s.lab.Spines {
		role, name := "leaf", fmt.Sprintf("leaf%d", n+1)
		if n >= s.lab.Leaves {
			role, name = "spine", fmt.Sprintf("spine%d", n-s.lab.Leaves+1)
		}
		members = append(members, member{role: role, spec: node.Spec{
			Name: name, Address: plan.Node(n), Network: true, Switch: n + 1, FRR: s.lab.FRR,
			Labels: map[string]string{roleLabel: role}, Taint: switchTaint,
			Archives: []string{images.Pause, images.Agent},
		}})
	}
	for n := range s.lab.Hosts {
		members = append(members, member{host: true, spec: node.Spec{
			Name: cabling.HostName(n + 1), Address: plan.Node(s.lab.Leaves + s.lab.Spines + n), Network: true,
			Labels: hostLabels(n + 1), Archives: []string{images.Pause, images.HostAgent},
		}})
	}
	members = append(members, member{spec: node.Spec{
		Name: "cp1", Address: plan.ControlPlane(), Archives: []string{images.Pause, images.HostAgent, images.Controller},
	}})
	for i := range members {
		spec := &members[i].spec
		spec.Dir = s.lab.NodeDir(spec.Name)
		spec.Cgroup = s.lab.Cgroup() + "/" + spec.Name
		spec.Binaries, spec.Images = s.lab.Binaries, s.lab.Images
	}
	return members
}

// hostLabels are what the demonstration selects hosts by: all of them are in one
// rack, below leaf1 and leaf2, and serve the web and the database in turn.
func hostLabels(number int) map[string]string {
	app := "web"
	if number%2 == 0 {
		app = "db"
	}
	return map[string]string{"rack": "a", "app": app}
}

// bootAll starts all nodes, cables them and lets them boot.
func (s *supervisor) bootAll(members []member, fail context.CancelCauseFunc) error {
	for i := range members {
		if err := s.startNode(&members[i], fail); err != nil {
			return err
		}
	}
	if err := s.cable(members); err != nil {
		return err
	}
	for _, m := range members {
		if err := m.sandbox.Go(); err != nil {
			return err
		}
	}
	return nil
}

// startNode starts a node and connects it to the management network. Should it
// end, that fails the start of the lab; in a lab that is ready it is only
// logged.
func (s *supervisor) startNode(m *member, fail context.CancelCauseFunc) (err error) {
	if m.sandbox, err = node.Start(m.spec); err != nil {
		return err
	}
	go func() {
		err := fmt.Errorf("node %s ended: %w; see %s", m.spec.Name, m.sandbox.Wait(), filepath.Join(m.spec.Dir, "var/log/node.log"))
		s.log.Error("node ended", "node", m.spec.Name, "error", err)
		fail(err)
	}()
	if !m.spec.Network {
		return nil
	}
	if err := network.Connect(m.spec.Name, network.NodeLink, m.sandbox.Pid(), m.spec.MAC()); err != nil {
		return err
	}
	return network.Attach(m.spec.Name)
}

func (s *supervisor) startControlPlane(ctx context.Context, plan network.Plan) (err error) {
	s.controlPlane, err = controlplane.Start(ctx, controlplane.Config{
		Dir: s.lab.ControlPlane(), Binaries: s.lab.Binaries,
		Address: plan.ControlPlane().Addr(), Port: 443, AllAddresses: true,
		ServiceCIDR: plan.Services(), ControllerManager: true, Scheduler: true,
	})
	if err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	return s.events.Encode(Event{Text: "control plane is ready: " + s.controlPlane.URL()})
}

// join gives a node its credentials and lets its kubelet start.
func (s *supervisor) join(m member) error {
	dir := m.spec.Kubernetes()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	ca, err := os.ReadFile(s.controlPlane.CAFile())
	if err != nil {
		return err
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, "ca.crt"), ca, 0o644),
		s.controlPlane.WriteKubeconfig(filepath.Join(dir, "kubelet.kubeconfig"), "system:node:"+m.spec.Name, "system:nodes"),
		s.controlPlane.WriteServingCertificate(dir, m.spec.Name, m.spec.Address.Addr()),
	)
	if err != nil {
		return err
	}
	return m.sandbox.Go()
}

func (s *supervisor) record(members []member) error {
	var nodes []state.Node
	for _, m := range members {
		nodes = append(nodes, state.Node{
			Name: m.spec.Name, Role: m.role, Host: m.host, Address: m.spec.Address.Addr(), Pid: m.sandbox.Pid(),
		})
	}
	return s.lab.SaveNodes(nodes)
}
