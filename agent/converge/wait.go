package converge

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/switchlet/switchlet/sonic/redis"
)

// Pauses between attempts that fail, with jitter so that a hundred switches do
// not try in step.
const (
	minPause = 50 * time.Millisecond
	maxPause = 5 * time.Second
	// poll is how often rows are looked at when Redis announces no changes, and
	// whether SONiC has loaded its configuration.
	poll = time.Second
)

// wait returns when there may be something to do.
func (c *Converger) wait(ctx context.Context, err error) {
	var events, markers <-chan struct{}
	var timer <-chan time.Time
	if c.session != nil {
		events, markers = c.session.mirror.Events(), c.session.markers.Events()
	}
	switch {
	case errors.Is(err, errAgain):
		return
	case err == nil:
		c.failures = 0
		timer = c.alarm(time.Now())
	case errors.Is(err, redis.ErrNotInitialized):
		c.failures = 0
		timer = time.After(poll)
	default:
		timer = time.After(backoff(c.failures))
		c.failures++
		events, markers = nil, nil // whoever changes rows must not make the agent spin
	}
	select {
	case <-ctx.Done():
	case <-c.cfg.Inbox.wake:
	case <-c.woken:
	case <-events:
	case <-markers:
	case <-timer:
	}
}

// alarm is when there is something to do although nothing happens.
func (c *Converger) alarm(now time.Time) <-chan time.Time {
	var next time.Time
	for _, t := range []time.Time{
		c.proof.recheck, c.proof.deadline(c.cfg.Patience), c.stuck.next(), c.quarantine.next(), c.trial.next(), c.orphanTime(), c.persistTime(), c.routing.next(now),
	} {
		if c.rests && !t.IsZero() && !t.After(now) {
			t = now.Add(poll) // what is due stays so until there is something to write
		}
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if c.session.mirror.Blind() && (next.IsZero() || next.After(now.Add(poll))) {
		next = now.Add(poll)
	}
	if next.IsZero() {
		return nil
	}
	return time.After(next.Sub(now))
}

// signal wakes the Converger.
func (c *Converger) signal() {
	select {
	case c.woken <- struct{}{}:
	default:
	}
}

// backoff is the pause after a number of failures in a row.
func backoff(failures int) time.Duration {
	pause := maxPause
	if failures < 7 {
		pause = min(minPause<<failures, maxPause)
	}
	return jitter(pause)
}

// jitter is a time between half of d and d.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2) }
