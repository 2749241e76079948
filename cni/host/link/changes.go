package link

import (
	"context"
	"log/slog"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// retryAfter is when it is tried again to follow the devices.
const retryAfter = 2 * time.Second

// Changes tells when a device of the host may have changed; several that nobody
// has taken yet are one. It ends with ctx.
func (k *Kernel) Changes(ctx context.Context, log *slog.Logger) <-chan struct{} {
	changes := make(chan struct{}, 1)
	k.background.Go(func() {
		for ctx.Err() == nil {
			if err := k.follow(ctx, changes); err != nil {
				log.Warn("devices of the host are not followed, trying again", "error", err)
			}
			tell(changes) // whatever was missed
			timer := time.NewTimer(retryAfter)
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
			timer.Stop()
		}
	})
	return changes
}

// follow passes on changes until ctx is done or the kernel had to leave some out.
func (k *Kernel) follow(ctx context.Context, changes chan<- struct{}) error {
	home, updates, done := netns.NsHandle(k.home.Fd()), make(chan netlink.LinkUpdate), make(chan struct{})
	if err := netlink.LinkSubscribeWithOptions(updates, done, netlink.LinkSubscribeOptions{Namespace: &home}); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { close(done) })
	for range updates {
		tell(changes)
	}
	if stop() {
		close(done)
	}
	return nil
}

func tell(changes chan<- struct{}) {
	select {
	case changes <- struct{}{}:
	default:
	}
}
