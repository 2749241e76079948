package live

import (
	"context"
	"fmt"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// Quiet waits until the daemons have heard of all that was written to CONFIG_DB
// before the call and nothing more would happen, but what waits in vain.
func (s *Service) Quiet(ctx context.Context) error {
	s.mu.Lock()
	s.fences++
	w := waiter{s.fences, make(chan struct{})}
	s.waiters = append(s.waiters, w)
	s.mu.Unlock()
	if err := s.rdb.Publish(ctx, s.fence, w.fence).Err(); err != nil {
		return fmt.Errorf("ask for quiet: %w", err)
	}
	select {
	case <-w.quiet:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the daemons did not come to rest: %w", ctx.Err())
	}
}

// Stop stops the daemons, as `systemctl stop sonic.target` does: their rows are
// gone when it returns.
func (s *Service) Stop(ctx context.Context) error {
	return s.request(ctx, func(se *session) error {
		s.stopped = true
		return se.boot()
	})
}

// Start starts the daemons on what CONFIG_DB has. If they run they are started
// anew.
func (s *Service) Start(ctx context.Context) error {
	return s.request(ctx, func(se *session) error {
		s.stopped = false
		if err := se.boot(); err != nil {
			return err
		}
		return se.act()
	})
}

// request has something done by the goroutine that has the connection.
func (s *Service) request(ctx context.Context, do func(*session) error) error {
	r := request{do, make(chan error, 1)}
	select {
	case s.requests <- r:
		return <-r.done
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Put writes rows that other daemons would: LLDP_ENTRY_TABLE of APPL_DB,
// NEIGH_STATE_TABLE of STATE_DB, those of COUNTERS_DB.
func (s *Service) Put(ctx context.Context, writes ...swss.Write) error {
	return s.request(ctx, func(se *session) error { return se.write(writes) })
}

// SetLink plugs in or pulls the cable of a port.
func (s *Service) SetLink(ctx context.Context, port string, plugged bool) error {
	return s.change(ctx, func() { s.daemons.SetLink(port, plugged) })
}

// SetLinks says which ports have a carrier; all others have none.
func (s *Service) SetLinks(ctx context.Context, up map[string]bool) error {
	return s.change(ctx, func() {
		for port := range s.daemons.Links() {
			if !up[port] {
				s.daemons.SetLink(port, false)
			}
		}
		for port, carrier := range up {
			s.daemons.SetLink(port, carrier)
		}
	})
}

// Hang makes the daemon that follows a row never act on it; see swss.Daemons.
func (s *Service) Hang(ctx context.Context, key string) error {
	return s.change(ctx, func() { s.daemons.Hang(key) })
}

// Slow makes the daemon that follows a row take longer; see swss.Daemons.
func (s *Service) Slow(ctx context.Context, key string, by time.Duration) error {
	return s.change(ctx, func() { s.daemons.Slow(key, by) })
}

// Heal ends the faults of a row, or, for "", all.
func (s *Service) Heal(ctx context.Context, key string) error {
	return s.change(ctx, func() { s.daemons.Heal(key) })
}

func (s *Service) change(ctx context.Context, do func()) error {
	return s.request(ctx, func(se *session) error {
		do()
		return se.act()
	})
}

// Mistakes are the mistakes there were, without those of the kinds that are
// allowed.
func (s *Service) Mistakes(allowed ...swss.Kind) []swss.Mistake {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.daemons.Mistakes(allowed...)
}

// Counts are how many mistakes there were of each kind.
func (s *Service) Counts() map[swss.Kind]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.daemons.Counts()
}

// Errors are the lines that the daemons would have logged at priority ERR.
func (s *Service) Errors() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.daemons.Errors()
}

// Forget drops the record of mistakes and errors.
func (s *Service) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.daemons.Forget()
}

// Dump is all rows of the daemons and what they wait to do, one a line.
func (s *Service) Dump() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.daemons.Dump()
}

// Running reports whether the daemons are started.
func (s *Service) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.daemons.Running()
}
