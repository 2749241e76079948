package supervisor

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"

	"github.com/switchlet/switchlet/deploy/lab/rack"
	"github.com/switchlet/switchlet/deploy/lab/registry"
	"github.com/switchlet/switchlet/deploy/lab/upgrade"
)

// sockets are those of a node that those outside connect to: what runs a node, Redis,
// the daemons' report and FRR.
func sockets(m rack.Member) []string {
	if m.Role == "" {
		return []string{"run/node.sock"}
	}
	return []string{"run/node.sock", "run/redis/redis.sock", "run/swss.sock", "run/frr/zebra.vty", "run/frr/bgpd.vty"}
}

// forward listens in a node's folder outside, where the sockets of a node without
// User-Mode Linux are, and passes on to those inside.
func (s *supervisor) forward(ctx context.Context, m rack.Member) error {
	for _, socket := range sockets(m) {
		path := filepath.Join(m.Spec.Dir, socket)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		listener, err := net.Listen("unix", path)
		if err != nil {
			return err
		}
		go s.accept(context.WithoutCancel(ctx), listener, m.Spec.Name, "/"+socket)
	}
	return nil
}

// accept passes on all connections, as long as the lab runs.
func (s *supervisor) accept(ctx context.Context, listener net.Listener, node, socket string) {
	for {
		here, err := listener.Accept()
		if err != nil {
			s.log.Error("a socket is not passed on any more", "node", node, "socket", socket, "error", err)
			return
		}
		go func() {
			there, err := s.machine.client.Dial(ctx, node, socket)
			if err != nil {
				s.log.Debug("nobody listens", "node", node, "socket", socket, "error", errors.Join(err, here.Close()))
				return
			}
			upgrade.Join(here, there)
		}()
	}
}

// serveImages serves the images of releases as long as the lab runs, if switches fetch
// any.
func (s *supervisor) serveImages(ctx context.Context) error {
	if !s.lab.SwitchPods {
		return nil
	}
	listener, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(registry.Address(s.plan)))
	if err != nil {
		return err
	}
	go func() {
		if err := registry.Serve(context.WithoutCancel(ctx), listener); err != nil {
			s.log.Error("no images are served any more", "error", err)
		}
	}()
	return nil
}

// serve answers those outside, unless User-Mode Linux does.
func (s *supervisor) serve(ctx context.Context) error {
	if s.machine != nil {
		return nil
	}
	token, err := os.ReadFile(s.lab.TokenFile())
	if err != nil {
		return err
	}
	listener, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(rack.Address(s.lab)))
	if err != nil {
		return err
	}
	go func() {
		if err := rack.Serve(ctx, listener, s.rack.Handler(string(token))); err != nil {
			s.log.Error("the rack does not answer any more", "error", err)
		}
	}()
	return nil
}
