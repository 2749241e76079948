package attach

import (
	"context"

	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/protocol"
)

// Await returns when pods can be attached to a network on this host, or with the
// error of ctx. That may end again: then an ADD waits.
func (s *Service) Await(ctx context.Context, r request.Request) error {
	for {
		now, changed := s.now()
		if s.offers(now, r) == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// offers is why pods cannot be attached to a network, nil if they can.
func (s *Service) offers(now current, r request.Request) error {
	if !now.set.Known {
		return s.unknownNode(protocol.CodeTryAgain)
	}
	n, err := now.set.Named(r)
	if err == nil {
		err = n.NotReady()
	}
	if err != nil {
		return err
	}
	if err := now.failed[n.VNI]; err != nil {
		return refusing(n, err)
	}
	_, _, err = s.parent(n)
	return err
}
