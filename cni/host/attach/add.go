package attach

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/cni/host/ipam"
	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/networks"
	"github.com/switchlet/switchlet/cni/host/pause"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/protocol"
)

func (s *Service) add(ctx context.Context, r request.Request, netns *os.File) ([]byte, error) {
	inode, err := link.Inode(netns)
	if err != nil {
		return nil, failed(err)
	}
	if a, ok := s.cfg.Journal.Get(r.Key); ok {
		if body, err := s.again(r, a, netns, inode); body != nil || err != nil {
			return body, err
		}
	}
	a, commit, err := s.reserve(ctx, r, inode)
	if err != nil {
		return nil, err
	}
	if err := s.finish(ctx, a, commit, netns); err != nil {
		s.release(a)
		return nil, failed(err)
	}
	s.cfg.Changed()
	s.cfg.Log.Debug("attached", "pod", a.Pod, "interface", a.IfName, "network", a.Subnet, "addresses", a.Addresses)
	return s.encode(r, a)
}

// again answers an ADD for an interface that is there. An attachment that is left
// of another pod, or of another network, is released; then there is no answer yet.
func (s *Service) again(r request.Request, a journal.Attachment, netns *os.File, inode uint64) ([]byte, error) {
	now, _ := s.now()
	n, err := now.set.Find(r)
	if err != nil || n.VNI != a.VNI || a.NetnsInode != inode || a.Boot != s.cfg.Boot || a.Mode != r.Mode {
		s.release(a)
		return nil, s.clean(netns, a)
	}
	switch err := s.cfg.Pods.Check(netns, s.interfaceOf(a)); {
	case errors.Is(err, link.ErrMissing), errors.Is(err, link.ErrSurplus):
		if err := s.cfg.Pods.Repair(netns, s.interfaceOf(a)); err != nil {
			return nil, failed(err)
		}
	case err != nil:
		return nil, failed(err)
	}
	return s.encode(r, a)
}

// reserve waits for the network and takes addresses of it.
func (s *Service) reserve(ctx context.Context, r request.Request, inode uint64) (journal.Attachment, *journal.Commit, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Wait)
	defer cancel()
	for {
		now, changed := s.now()
		a, commit, err := s.choose(now, r, inode)
		var known *protocol.Error
		if err == nil || !errors.As(err, &known) || known.Code != protocol.CodeTryAgain {
			return a, commit, err
		}
		select {
		case <-ctx.Done():
			return a, nil, err
		case <-changed:
		}
	}
}

// choose takes addresses, if the network is ready.
func (s *Service) choose(seen current, r request.Request, inode uint64) (journal.Attachment, *journal.Commit, error) {
	n, err := s.ready(seen, r)
	if err != nil {
		return journal.Attachment{}, nil, err
	}
	a := journal.Attachment{
		Key: r.Key, Network: r.Network, Pod: r.Pod, VNI: n.VNI, Subnet: n.Name(), Mode: r.Mode, Netns: r.NetnsPath, NetnsInode: inode, Seen: sees(r.NetnsPath, inode),
		Boot: s.cfg.Boot, MAC: r.MAC.String(), MTU: r.MTU, IPv6: n.IPv6(), DefaultRoute: r.DefaultRoute, Made: time.Now().UTC().Round(0),
	}
	if err := s.place(n, r, &a); err != nil {
		return journal.Attachment{}, nil, err
	}
	if r.DefaultRoute && len(n.Default()) == 0 {
		return journal.Attachment{}, nil, noGateway(r, n)
	}
	s.choosing.RLock()
	defer s.choosing.RUnlock()
	if now, _ := s.now(); now.set.Get(n.VNI) != n {
		return s.choose(now, r, inode) // it has just been replaced
	}
	var wanted []ipam.Subnet
	if r.Mode != request.Chained {
		wanted, err = n.Want(r, func(ip netip.Addr) string { return s.cfg.Journal.Holder(n.VNI, ip) })
		if err != nil {
			return journal.Attachment{}, nil, err
		}
	}
	a, commit, err := s.cfg.Journal.Add(a, wanted)
	return a, commit, refused(n, err)
}

func noGateway(r request.Request, n *networks.Network) error {
	return &protocol.Error{Code: protocol.CodeInvalidConfig, Message: fmt.Sprintf("network configuration %q: defaultRoute is true, and network %s has no gateway", r.Network, n.Name()),
		Details: "leave it out, or choose a subnet that is not isolated"}
}

// ready is the pod's network when pods can be attached to it.
func (s *Service) ready(now current, r request.Request) (*networks.Network, error) {
	if !now.set.Known {
		return nil, s.unknownNode(protocol.CodeTryAgain)
	}
	n, err := now.set.Find(r)
	if err != nil {
		return nil, err
	}
	if err := n.NotAt(r); err != nil {
		return nil, err
	}
	if err := n.NotReady(); err != nil {
		return nil, err
	}
	if err := now.failed[n.VNI]; err != nil {
		return nil, refusing(n, err)
	}
	return n, nil
}

// refusing is the error of a network whose devices the kernel refuses.
func refusing(n *networks.Network, err error) error {
	return &protocol.Error{Code: protocol.CodeTryAgain, Message: fmt.Sprintf("network %s cannot be had on this node: %v", n.Name(), err), Details: agentLog}
}

// agentLog is where more is to be found about what the kernel refuses.
const agentLog = "see the log of the node's pod of DaemonSet switchlet-host-agent"

// refused turns an error of the journal into one for the runtime.
func refused(n *networks.Network, err error) error {
	switch {
	case errors.Is(err, ipam.ErrNone):
		return &protocol.Error{Code: protocol.CodeExhausted, Message: fmt.Sprintf("network %s has no free address on this node", n.Name()),
			Details: fmt.Sprintf("%v; the node gets more if the subnet has any: %s", err, n.Describe())}
	case errors.Is(err, journal.ErrMAC):
		return &protocol.Error{Code: protocol.CodeInvalidConfig, Message: fmt.Sprintf("network %s: %v", n.Name(), err), Details: "ask for another one, or for none"}
	case err != nil:
		return &protocol.Error{Code: protocol.CodeTryAgain, Message: fmt.Sprintf("network %s: %v", n.Name(), err), Details: "it is tried again by itself"}
	}
	return nil
}

// finish makes the interface once the addresses are on the disk.
func (s *Service) finish(ctx context.Context, a journal.Attachment, commit *journal.Commit, netns *os.File) error {
	over := s.rush.begin()
	defer over()
	if err := commit.Wait(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("the runtime has gone away: %w", err)
	}
	if a.Mode == request.Chained {
		return nil
	}
	err := s.attach(a, netns)
	if errors.Is(err, unix.EADDRINUSE) { // that is up to a deletion
		over()
		return s.attachLater(ctx, a, netns)
	}
	return err
}

func (s *Service) attach(a journal.Attachment, netns *os.File) error {
	_, err := s.cfg.Pods.Attach(netns, s.interfaceOf(a))
	return err
}

const (
	// leaveTime is how long an interface that had the same MAC address may take to
	// go: the kernel deletes a pod's namespace after the runtime has gone on.
	leaveTime  = 3 * time.Second
	leaveEvery = 20 * time.Millisecond
)

func (s *Service) attachLater(ctx context.Context, a journal.Attachment, netns *os.File) error {
	began, err := time.Now(), error(unix.EADDRINUSE)
	for errors.Is(err, unix.EADDRINUSE) && time.Since(began) < leaveTime && pause.For(ctx, leaveEvery) {
		err = s.attach(a, netns)
	}
	return err
}
