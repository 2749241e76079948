package attach

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/protocol"
)

// del releases what an interface had and has it deleted, for which nobody waits:
// the kernel takes its time, and the addresses are not given out for a while. ADDs
// come before it. A virtual function is given back first, as another pod may get it at once.
func (s *Service) del(ctx context.Context, r request.Request, netns *os.File) error {
	if err := s.busy.lock(ctx, r.Key); err != nil {
		return err
	}
	a, ok := s.cfg.Journal.Get(r.Key)
	if !ok {
		s.busy.unlock(r.Key)
		return nil
	}
	if a.Mode == request.SRIOV {
		defer s.busy.unlock(r.Key)
		if err := s.clean(netns, a); err != nil {
			return failed(err)
		}
		s.release(a)
		return nil
	}
	netns, err := duplicate(netns)
	if err != nil {
		s.busy.unlock(r.Key)
		return failed(err)
	}
	s.release(a)
	s.background.Go(func() {
		defer s.busy.unlock(r.Key)
		if netns != nil {
			defer netns.Close()
		}
		s.rush.giveWay()
		if err := s.clean(netns, a); err != nil {
			s.cfg.Log.Warn("interface not deleted", "pod", a.Pod, "interface", a.IfName, "error", err)
		}
	})
	return nil
}

// duplicate is the same namespace for as long as the copy is open.
func duplicate(netns *os.File) (*os.File, error) {
	if netns == nil {
		return nil, nil
	}
	fd, err := unix.FcntlInt(netns.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("network namespace %s: %w", netns.Name(), err)
	}
	return os.NewFile(uintptr(fd), netns.Name()), nil
}

// clean deletes an interface. One deletion at a time leaves the kernel time for
// those who wait.
func (s *Service) clean(netns *os.File, a journal.Attachment) error {
	s.deleting.Lock()
	defer s.deleting.Unlock()
	return s.cfg.Pods.Detach(netns, s.interfaceOf(a))
}

// release gives back what an attachment had. That it reaches the disk is not
// waited for: if it is lost, the collection finds that the pod is gone.
func (s *Service) release(a journal.Attachment) {
	_, commit := s.cfg.Journal.Remove(a.Key, time.Now())
	if commit == nil {
		return
	}
	s.background.Go(func() {
		if err := commit.Wait(); err != nil {
			s.cfg.Log.Warn("a release is not on the disk", "pod", a.Pod, "error", err)
		}
		s.cfg.Changed()
	})
}

func (s *Service) check(r request.Request, netns *os.File) error {
	a, ok := s.cfg.Journal.Get(r.Key)
	if !ok {
		return &protocol.Error{Code: protocol.CodeBroken, Message: fmt.Sprintf("interface %s of container %s: nobody has attached it", r.IfName, r.ContainerID)}
	}
	now, _ := s.now()
	if now.set.Known && now.set.Get(a.VNI) == nil {
		return &protocol.Error{Code: protocol.CodeBroken, Message: fmt.Sprintf("pod %s: this host's HostConfig has network %s no more", a.Pod, a.Subnet)}
	}
	err := s.cfg.Pods.Check(netns, s.interfaceOf(a))
	if errors.Is(err, link.ErrMissing) {
		return &protocol.Error{Code: protocol.CodeBroken, Message: fmt.Sprintf("pod %s: %v", a.Pod, err)}
	}
	return err
}

// collect releases all attachments of a network configuration but those that the
// runtime says are valid. It goes on past errors.
func (s *Service) collect(ctx context.Context, r request.Request) error {
	var errs []error
	for _, a := range s.cfg.Journal.All() {
		if a.Network == r.Network && !slices.Contains(r.Valid, a.Key) {
			errs = append(errs, s.discard(ctx, a))
		}
	}
	return errors.Join(errs...)
}

// discard releases an attachment that has no pod any more.
func (s *Service) discard(ctx context.Context, a journal.Attachment) error {
	if err := s.busy.lock(ctx, a.Key); err != nil {
		return err
	}
	defer s.busy.unlock(a.Key)
	if now, ok := s.cfg.Journal.Get(a.Key); !ok || now.Made != a.Made {
		return nil // it is another one by now
	}
	netns, state := find(a, s.cfg.Boot)
	if netns != nil {
		defer netns.Close()
	}
	if state == replaced {
		netns = nil
	}
	if err := s.clean(netns, a); err != nil {
		return err
	}
	s.release(a)
	s.cfg.Log.Info("released what a pod had that is gone", "pod", a.Pod, "interface", a.IfName, "network", a.Subnet, "addresses", a.Addresses)
	return nil
}
