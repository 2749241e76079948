package attach

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/protocol"
)

// Do does what a runtime asks for. netns is the pod's network namespace, nil if it
// is gone; it stays the caller's. When ctx ends, nobody waits for the answer.
func (s *Service) Do(ctx context.Context, p protocol.Request, netns *os.File) protocol.Response {
	body, err := s.do(ctx, p, netns)
	if err != nil {
		s.cfg.Log.Info("request failed", "command", p.Command, "container", p.ContainerID, "interface", p.IfName, "args", p.Args, "error", err)
		return protocol.Failure(p.Config, err)
	}
	return protocol.Response{Body: body}
}

func (s *Service) do(ctx context.Context, p protocol.Request, netns *os.File) ([]byte, error) {
	r, err := request.Parse(p)
	if err != nil {
		return nil, err
	}
	switch p.Command {
	case "STATUS":
		return nil, s.status(r)
	case "GC":
		return nil, s.collect(ctx, r)
	case "DEL":
		return nil, s.del(ctx, r, netns)
	}
	if netns == nil {
		return nil, &protocol.Error{Code: protocol.CodeEnvironment, Message: fmt.Sprintf("%s of container %s without its network namespace", p.Command, p.ContainerID)}
	}
	if err := s.busy.lock(ctx, r.Key); err != nil {
		return nil, err
	}
	defer s.busy.unlock(r.Key)
	switch p.Command {
	case "ADD":
		body, err := s.add(ctx, r, netns)
		s.note(r, err)
		return body, err
	case "CHECK":
		return nil, s.check(r, netns)
	}
	return nil, &protocol.Error{Code: protocol.CodeEnvironment, Message: fmt.Sprintf("CNI_COMMAND is %q", p.Command)}
}

// status is the error of a host that cannot attach pods. A configuration that says
// itself in which namespace its VPC is, as that of a cluster's own network does, is
// asked for by itself; of another one nobody knows before there is a pod.
func (s *Service) status(r request.Request) error {
	now, _ := s.now()
	switch {
	case !now.set.Known:
		return s.unknownNode(protocol.CodeUnavailable)
	case now.err != nil:
		return &protocol.Error{Code: protocol.CodeUnavailable, Message: now.err.Error(), Details: agentLog}
	case r.VPCNamespace == "":
		return nil
	}
	err := s.offers(now, r)
	var known *protocol.Error
	switch {
	case errors.As(err, &known):
		return &protocol.Error{Code: protocol.CodeUnavailable, Message: known.Message, Details: known.Details}
	case err != nil:
		return &protocol.Error{Code: protocol.CodeUnavailable, Message: err.Error(), Details: agentLog}
	}
	return nil
}

// unknownNode is the error of a node whose HostConfig the agent has not seen.
func (s *Service) unknownNode(code int) error {
	return &protocol.Error{Code: code, Message: fmt.Sprintf("Switchlet does not know node %s: it has no HostConfig", s.cfg.Node),
		Details: fmt.Sprintf("the controller makes one for each node that is no switch: see kubectl get node,host,hostconfig %s; if it is there, see the log of the node's pod of DaemonSet switchlet-host-agent", s.cfg.Node)}
}

// failed is an error of the kernel or the disk.
func failed(err error) error {
	var known *protocol.Error
	if errors.As(err, &known) {
		return err
	}
	wayOut := agentLog
	switch {
	case errors.Is(err, link.ErrExists):
		wayOut = "choose another one in the pod's annotation: NETWORK@INTERFACE"
	case errors.Is(err, link.ErrRouteTaken):
		wayOut = "two of the pod's networks have the same addresses: leave one out, or give the VPC's subnet others"
	}
	return &protocol.Error{Code: protocol.CodeFailed, Message: err.Error(), Details: wayOut}
}
