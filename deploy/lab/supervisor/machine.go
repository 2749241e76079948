package supervisor

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/switchlet/switchlet/deploy/lab/kubelet"
	"github.com/switchlet/switchlet/deploy/lab/network"
	"github.com/switchlet/switchlet/deploy/lab/node"
	"github.com/switchlet/switchlet/deploy/lab/process"
	"github.com/switchlet/switchlet/deploy/lab/rack"
	"github.com/switchlet/switchlet/deploy/lab/uml"
)

const (
	// tap is the lab's end of the link to User-Mode Linux.
	tap = "uml"
	// memory of User-Mode Linux in MiB: a switch takes some 150, a host 50.
	memory = 6 * 1024
	// atOnce is how many nodes boot there at the same time: while one waits for the
	// clock another one uses the processor.
	atOnce = 4
)

// machine is the User-Mode Linux that the switches and hosts are in.
type machine struct {
	client rack.Client
	booted map[string]chan struct{} // closed when that node has
}

// startMachine starts it, and does not wait until it is ready.
func (s *supervisor) startMachine(inside rack.Config, fail context.CancelCauseFunc) (*machine, error) {
	kernel, err := uml.Find()
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(s.lab.TokenFile())
	if err != nil {
		return nil, err
	}
	file, err := s.writeInside(rack.Inside{Config: inside, Address: s.plan.Rack(), Token: string(token)})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(network.MakeTAP(tap), network.Attach(tap)); err != nil {
		return nil, err
	}
	ours, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	log := filepath.Join(s.lab.Machine(), "rack.log")
	running, err := uml.Start(uml.Config{
		Name: "rack", Dir: s.lab.Machine(), Kernel: kernel, Memory: memory, Program: s.lab.Rackd(), Args: []string{rack.Command, file}, Env: os.Environ(),
		Keep: []string{s.lab.Dir, s.lab.Programs, s.lab.Binaries, s.lab.Images}, Output: theirs, Log: log, TAP: tap,
	})
	if err := errors.Join(err, theirs.Close()); err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	m := &machine{client: rack.NewClient(rack.Address(s.lab), string(token)), booted: map[string]chan struct{}{}}
	for _, member := range inside.Members {
		m.booted[member.Spec.Name] = make(chan struct{})
	}
	go func() {
		defer ours.Close()
		for lines := bufio.NewScanner(ours); lines.Scan(); {
			if node := m.booted[lines.Text()]; node != nil {
				close(node)
			}
		}
		code, err := running.Wait()
		ended := fmt.Sprintf("the User-Mode Linux of the switches and hosts ended, exit code %d; the end of %s:\n%s", code, log, process.Tail(log, 15))
		err = errors.Join(errors.New(ended), err)
		s.log.Error("User-Mode Linux ended", "error", err)
		fail(err)
	}()
	return m, nil
}

// writeInside writes what the machine reads when it begins.
func (s *supervisor) writeInside(inside rack.Inside) (file string, err error) {
	text, err := json.Marshal(inside)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(s.lab.Machine(), 0o755); err != nil {
		return "", err
	}
	file = filepath.Join(s.lab.Machine(), "rack.json")
	return file, os.WriteFile(file, text, 0o600)
}

// joinMachine makes the machine's nodes a part of the cluster, each as soon as it has
// booted, and what listens in them that of the node's folders outside.
func (s *supervisor) joinMachine(ctx context.Context, members []rack.Member) error {
	begin := time.Now()
	ca, err := os.ReadFile(s.controlPlane.CAFile())
	if err != nil {
		return err
	}
	group, joining := errgroup.WithContext(ctx)
	var nodes []kubelet.Node
	for _, m := range members {
		if !m.Spec.InMemory {
			continue
		}
		joined := make(chan struct{})
		group.Go(func() error {
			defer close(joined)
			return s.joinInside(joining, m)
		})
		if !m.Spec.Kubelet {
			nodes = append(nodes, kubelet.Node{
				Name: m.Spec.Name, Address: m.Spec.Address.Addr(), Labels: m.Spec.Labels, Taint: m.Spec.Taint,
				Control: s.machine.client.Node(m.Spec.Name), Booted: joined,
			})
		}
	}
	cfg := kubelet.Config{
		Kubeconfig: s.controlPlane.Kubeconfig(), Service: s.controlPlane.ServiceAddress(), CA: ca,
		Programs: node.ProgramDir, Nodes: nodes, Log: s.log,
	}
	go func() {
		if err := kubelet.Run(context.WithoutCancel(ctx), cfg); err != nil {
			s.log.Error("no pod runs any more", "error", err)
		}
	}()
	if err := group.Wait(); err != nil {
		return err
	}
	return s.events.Encode(Event{Text: fmt.Sprintf("User-Mode Linux runs switches and hosts (%s later)", time.Since(begin).Round(time.Millisecond))})
}

// joinInside waits until a node of the machine has booted, and joins it.
func (s *supervisor) joinInside(ctx context.Context, m rack.Member) error {
	select {
	case <-s.machine.booted[m.Spec.Name]:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := s.forward(ctx, m); err != nil || !m.Spec.Kubelet {
		return err
	}
	return s.join(m, func(node string) error { return s.machine.client.Go(ctx, node) })
}
