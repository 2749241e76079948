package nics

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/pause"
)

const (
	// settle is the time from a change to the next look, which takes along what
	// else changes meanwhile: pods make many changes that are no NIC's.
	settle = 200 * time.Millisecond
	// retryAfter is when it is tried again to follow the interfaces.
	retryAfter = 2 * time.Second
)

// errEnded says that the kernel had more changes than it could keep.
var errEnded = errors.New("the kernel left changes of network interfaces out")

// Watch tells the NICs now and after every change, and what keeps it from
// knowing them, until ctx is done.
func Watch(ctx context.Context, rules Rules, log *slog.Logger, tell func([]v1alpha1.HostNIC, error)) {
	for {
		err := follow(ctx, func(links []Link) { tell(rules.NICs(links), nil) })
		if ctx.Err() != nil {
			return
		}
		if !errors.Is(err, errEnded) {
			tell(nil, err)
		}
		log.Warn("NICs are not followed, trying again", "error", err)
		if !pause.For(ctx, retryAfter) {
			return
		}
	}
}

// follow tells the links until that does not work any more.
func follow(ctx context.Context, tell func([]Link)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changes, err := subscribe(ctx) // before the list, so that nothing gets lost between
	if err != nil {
		return err
	}
	for {
		links, err := list()
		if err != nil {
			return err
		}
		tell(links)
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-changes:
			if !ok {
				return errEnded
			}
		}
		if !pause.For(ctx, settle) {
			return nil
		}
	}
}
