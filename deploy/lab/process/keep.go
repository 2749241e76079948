package process

import (
	"context"
	"log/slog"
	"time"
)

// Keep starts a program again whenever it has ended, as systemd does with
// Restart=always, until ctx is done. It logs each end and each failed start.
func Keep(ctx context.Context, log *slog.Logger, p *Process, start func(context.Context) (*Process, error)) {
	for {
		select {
		case <-p.Done():
		case <-ctx.Done():
			return
		}
		log.Warn("program ended and is started again", "program", p.Name(), "pid", p.Pid(), "cause", ending(p.Err()))
		next, err := start(ctx)
		for err != nil {
			log.Error("program cannot be started; trying again", "program", p.Name(), "error", err)
			if !pause(ctx) {
				return
			}
			next, err = start(ctx)
		}
		p = next
		// One that ends at once must not eat the machine.
		if !pause(ctx) {
			return
		}
	}
}

// pause waits a second; false if ctx is done before.
func pause(ctx context.Context) bool {
	select {
	case <-time.After(time.Second):
		return true
	case <-ctx.Done():
		return false
	}
}
