package attach

import (
	"context"
	"errors"
	"time"

	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/pause"
	"github.com/switchlet/switchlet/cni/host/request"
)

const (
	// sweepEvery is how often all attachments are looked at: that their pods are
	// there, and that nobody has changed their interfaces.
	sweepEvery = 30 * time.Second
	// settle is the time from a change of the host's devices to the next look,
	// which takes along what else changes meanwhile.
	settle = 200 * time.Millisecond
	// grace is how old an attachment has to be before it counts as left behind
	// because nobody knows its pod.
	grace = 2 * time.Minute
)

// Node says which pods are on this node, if somebody knows.
type Node func(context.Context) (known func(request.Pod) bool, err error)

// Run keeps the host's devices and the pods' interfaces as they have to be, until
// ctx is done. changes tells of changes of the host's devices.
func (s *Service) Run(ctx context.Context, changes <-chan struct{}, node Node) {
	ticks := time.NewTicker(sweepEvery)
	defer ticks.Stop()
	s.Sweep(ctx, node)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			s.Upkeep()
			s.Sweep(ctx, node)
		case <-s.rerouted:
			s.Sweep(ctx, node)
		case <-changes:
			if !pause.For(ctx, settle) {
				return
			}
			s.Upkeep()
		}
	}
}

// Sweep looks at all attachments once: it releases what pods had that are gone,
// and repairs what is missing.
func (s *Service) Sweep(ctx context.Context, node Node) {
	var unseen []journal.Attachment
	for _, a := range s.cfg.Journal.All() {
		if ctx.Err() != nil {
			return
		}
		state, err := s.sweep(ctx, a)
		if err != nil {
			s.cfg.Log.Warn("attachment", "pod", a.Pod, "interface", a.IfName, "error", err)
		}
		if state == unknown && time.Since(a.Made) > grace {
			unseen = append(unseen, a)
		}
	}
	if err := s.ask(ctx, unseen, node); err != nil {
		s.cfg.Log.Info("pods whose network namespaces cannot be seen keep what they have", "pods", len(unseen), "error", err)
	}
	s.forget(time.Now())
}

func (s *Service) sweep(ctx context.Context, a journal.Attachment) (fate, error) {
	netns, state := find(a, s.cfg.Boot)
	if netns != nil {
		defer netns.Close()
	}
	switch state {
	case gone, replaced:
		return state, s.discard(ctx, a)
	case there:
		return state, s.repair(ctx, a)
	case unknown:
	}
	return state, nil
}

// ask releases what pods had that nobody knows.
func (s *Service) ask(ctx context.Context, unseen []journal.Attachment, node Node) error {
	if len(unseen) == 0 {
		return nil
	}
	known, err := node(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, a := range unseen {
		if !known(a.Pod) {
			errs = append(errs, s.discard(ctx, a))
		}
	}
	return errors.Join(errs...)
}

// repair gives an interface back what somebody took from it.
func (s *Service) repair(ctx context.Context, a journal.Attachment) error {
	if err := s.busy.lock(ctx, a.Key); err != nil {
		return err
	}
	defer s.busy.unlock(a.Key)
	if now, ok := s.cfg.Journal.Get(a.Key); !ok || now.Made != a.Made {
		return nil
	}
	netns, state := find(a, s.cfg.Boot)
	if state != there {
		return nil // it has just ended
	}
	defer netns.Close()
	err := s.cfg.Pods.Check(netns, s.interfaceOf(a))
	if !errors.Is(err, link.ErrMissing) && !errors.Is(err, link.ErrSurplus) {
		return err
	}
	s.cfg.Log.Warn("an interface is not as it was made, and is repaired", "pod", a.Pod, "interface", a.IfName, "found", err)
	return s.cfg.Pods.Repair(netns, s.interfaceOf(a))
}
