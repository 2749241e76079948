package wire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// retryAfter is when links that could not be followed are tried again.
const retryAfter = time.Second

// Run speaks and hears LLDP until ctx ends; then it takes back what it said. It
// works in the network namespace of the calling thread, needs CAP_NET_RAW, and is
// called once.
func (a *Agent) Run(ctx context.Context) error {
	s, err := open()
	if err != nil {
		return err
	}
	carriers, err := openCarriers()
	if err != nil {
		return errors.Join(err, s.close())
	}
	defer carriers.close()
	a.setSocket(s)
	failed := make(chan error, 1)
	go func() { failed <- a.listen(s, carriers) }()
	err = a.follow(ctx, s, failed)
	a.setSocket(nil)
	return errors.Join(err, s.close(), <-failed)
}

func (a *Agent) setSocket(s *socket) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s == nil && a.socket != nil {
		a.drops += a.socket.drops()
	}
	a.socket = s
}

// listen hears frames until the socket is closed.
func (a *Agent) listen(s *socket, c *carriers) error {
	buffer := make([]byte, maxFrame)
	for {
		n, index, err := s.receive(buffer)
		switch {
		case s.closing.Load():
			return nil
		case errors.Is(err, unix.ENETDOWN):
			// A link was switched off; others go on.
		case err != nil:
			return fmt.Errorf("hear LLDP: %w", err)
		default:
			a.hear(c, index, buffer[:min(n, len(buffer))], n > len(buffer))
		}
	}
}

// hear takes a frame. One that is too long to be LLDP counts as malformed.
func (a *Agent) hear(c *carriers, index int, raw []byte, tooLong bool) {
	if tooLong {
		raw = raw[:0]
	}
	losses, asked := a.ask(c, index)
	now := time.Now()
	a.mu.Lock()
	before := a.engine.next()
	changed := asked && a.engine.lost(index, losses, now)
	changed = a.engine.hear(index, raw, now) || changed
	after := a.engine.next()
	a.mu.Unlock()
	if changed {
		signal(a.changed)
	}
	if !after.Equal(before) {
		signal(a.wake)
	}
}

// ask asks how often the link of a frame has lost its carrier, if that is to be known.
func (a *Agent) ask(c *carriers, index int) (losses uint32, asked bool) {
	a.mu.Lock()
	asks := a.engine.asks(index, time.Now())
	a.mu.Unlock()
	if !asks {
		return 0, false
	}
	return c.losses(index)
}

// signal is for a channel of one place: signals that nobody took yet are one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// follow follows links and time until ctx ends or listen has failed.
func (a *Agent) follow(ctx context.Context, s *socket, failed chan error) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	ctx, cancel := context.WithCancel(ctx)
	events, err := a.subscribe(ctx, s)
	defer func() { finish(cancel, events) }()
	if err != nil {
		return err
	}
	var retry <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			a.farewell(s)
			return nil
		case err := <-failed:
			failed <- err
			return nil // Run returns it
		case <-timer.C:
		case <-a.wake:
		case <-a.refresh:
			a.perform(s, a.engine.refresh)
		case e, ok := <-events:
			if ok {
				a.perform(s, func(now time.Time) effects { return a.engine.setEvent(e, now) })
				break
			}
			events, retry = nil, time.After(retryAfter)
		case <-retry:
			if events, err = a.subscribe(ctx, s); err != nil {
				a.cfg.Log.Warn("links are not followed; trying again", "error", err)
				retry = time.After(retryAfter)
			}
		}
		a.perform(s, a.engine.due)
		a.rearm(timer)
	}
}

// finish ends a subscription and waits for that.
func finish(cancel context.CancelFunc, events <-chan linkEvent) {
	cancel()
	if events == nil {
		return
	}
	for range events {
	}
}

// subscribe begins to follow the links, with all there are.
func (a *Agent) subscribe(ctx context.Context, s *socket) (<-chan linkEvent, error) {
	all, events, err := links(ctx)
	if err != nil {
		return nil, err
	}
	a.perform(s, func(now time.Time) effects { return a.engine.setLinks(all, now) })
	return events, nil
}

// perform asks the engine what to do, and does it.
func (a *Agent) perform(s *socket, decide func(now time.Time) effects) {
	a.mu.Lock()
	fx := decide(time.Now())
	a.mu.Unlock()
	for _, index := range fx.join {
		a.report("hear LLDP's group addresses", index, s.join(index))
	}
	for _, index := range fx.leave {
		a.report("leave LLDP's group addresses", index, s.leave(index))
	}
	for _, o := range fx.send {
		err := s.send(o.index, o.frame)
		a.report("send", o.index, err)
		a.mu.Lock()
		a.engine.sent(o.index, err == nil)
		a.mu.Unlock()
	}
	if fx.changed {
		signal(a.changed)
	}
}

// report logs what did not work on a link, unless the link is gone or off.
func (a *Agent) report(what string, index int, err error) {
	if err == nil || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENETDOWN) {
		return
	}
	a.cfg.Log.Warn("LLDP on a link", "cannot", what, "index", index, "error", err)
}

func (a *Agent) rearm(timer *time.Timer) {
	a.mu.Lock()
	next := a.engine.next()
	a.mu.Unlock()
	if next.IsZero() {
		timer.Stop()
		return
	}
	timer.Reset(time.Until(next))
}

// farewell takes back what was said.
func (a *Agent) farewell(s *socket) {
	a.perform(s, func(time.Time) effects { return effects{send: a.engine.farewells()} })
}
