package redis

import (
	"context"
	"net"
	"sync"
)

// wires are the connections of a client that are not in use.
type wires struct {
	db Database

	mu     sync.Mutex
	idle   []*wire
	closed bool
}

// lend gives do a connection, and keeps it for the next unless do fails or ctx is
// done: answers may be left on it.
func (p *wires) lend(ctx context.Context, do func(*wire) error) error {
	w, err := p.take(ctx)
	if err != nil {
		return err
	}
	release := w.until(ctx)
	err = do(w)
	if release() && err == nil {
		p.give(w)
		return nil
	}
	_ = w.conn.Close()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// take gives a connection that was used before, if Redis has not ended it, or a
// new one.
func (p *wires) take(ctx context.Context) (*wire, error) {
	for {
		w, closed := p.pop()
		switch {
		case closed:
			return nil, net.ErrClosed
		case w == nil:
			return dialWire(ctx, p.db)
		case w.alive():
			return w, nil
		}
		_ = w.conn.Close()
	}
}

func (p *wires) pop() (w *wire, closed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := len(p.idle) - 1; last >= 0 {
		w, p.idle = p.idle[last], p.idle[:last]
	}
	return w, p.closed
}

// give takes a connection back.
func (p *wires) give(w *wire) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= connections {
		_ = w.conn.Close()
		return
	}
	p.idle = append(p.idle, w)
}

// close ends the connections.
func (p *wires) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, w := range p.idle {
		_ = w.conn.Close()
	}
	p.idle = nil
}
