package live

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// initialized is the key that says whether CONFIG_DB is loaded: "1" once it is.
const initialized = "CONFIG_DB_INITIALIZED"

// session is one connection to Redis. The goroutine of run has it, and holds
// the service's mutex whenever it touches the daemons.
type session struct {
	s        *Service
	ctx      context.Context // of the connection
	sub      *redis.PubSub
	out      *redis.Conn // for writes, in order
	prefix   string      // of keyspace events
	messages chan *redis.Message
	seen     int  // the last fence that came back
	reload   bool // the daemons are to start again: CONFIG_DB_INITIALIZED was set
}

// queue is how many events wait in this process before they wait in Redis.
const queue = 4096

// connect subscribes, so that no event is lost from here on.
func (s *Service) connect(ctx context.Context) (*session, error) {
	se := &session{
		s: s, ctx: ctx, prefix: fmt.Sprintf("__keyspace@%d__:", s.db.ids[configDB]),
		messages: make(chan *redis.Message, queue),
	}
	se.sub = s.rdb.PSubscribe(ctx, se.prefix+"*")
	if err := se.sub.Subscribe(ctx, s.fence); err != nil {
		return nil, errors.Join(err, se.sub.Close())
	}
	for range 2 {
		if _, err := se.sub.ReceiveTimeout(ctx, ioTimeout); err != nil {
			return nil, errors.Join(err, se.sub.Close())
		}
	}
	se.out = s.rdb.Conn()
	go se.receive()
	return se, nil
}

func (se *session) close() {
	se.sub.Close()
	se.out.Close()
}

// receive passes events on, and ends them when the connection does.
func (se *session) receive() {
	defer close(se.messages)
	stop := context.AfterFunc(se.ctx, func() { _ = se.sub.Close() })
	defer stop()
	for {
		message, err := se.sub.ReceiveTimeout(se.ctx, 0)
		if err != nil {
			return
		}
		if message, ok := message.(*redis.Message); ok {
			select {
			case se.messages <- message:
			case <-se.ctx.Done():
				return
			}
		}
	}
}

// run starts the daemons and lets them act until the connection ends.
func (se *session) run() error {
	se.reload = true
	if err := se.locked(se.act); err != nil {
		return err
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var due <-chan time.Time
		if wait, ok := se.untilNext(); ok {
			timer.Reset(wait)
			due = timer.C
		}
		select {
		case <-se.ctx.Done():
			return se.ctx.Err()
		case message, ok := <-se.messages:
			if !ok {
				return errLost
			}
			if err := se.locked(func() error { se.hear(message); return se.act() }); err != nil {
				return err
			}
		case request := <-se.s.requests:
			err := se.locked(func() error { return request.do(se) })
			request.done <- err
			if err != nil {
				return err
			}
		case <-due:
			if err := se.locked(se.act); err != nil {
				return err
			}
		}
	}
}

func (se *session) locked(do func() error) error {
	se.s.mu.Lock()
	defer se.s.mu.Unlock()
	return do()
}

// untilNext is how long the daemons have nothing to do; false if only an event
// gives them anything.
func (se *session) untilNext() (time.Duration, bool) {
	se.s.mu.Lock()
	defer se.s.mu.Unlock()
	next, ok := se.s.daemons.Next()
	return max(0, next-time.Since(se.s.start)), ok
}

// hear takes one message.
func (se *session) hear(message *redis.Message) {
	if message.Channel == se.s.fence {
		if n, err := strconv.Atoi(message.Payload); err == nil {
			se.seen = max(se.seen, n)
		}
		return
	}
	key := strings.TrimPrefix(message.Channel, se.prefix)
	if key == initialized {
		se.reload = true
		return
	}
	se.s.daemons.Event(key, message.Payload)
}

// act hears what else has come, brings the virtual time up to now, and writes.
func (se *session) act() error {
	for len(se.messages) > 0 {
		message, ok := <-se.messages
		if !ok {
			return errLost
		}
		se.hear(message)
	}
	for again := true; again; again = se.reload { // what is read while they act can tell of the next
		if err := se.restart(); err != nil {
			return err
		}
		writes, err := se.s.daemons.Advance(max(0, time.Since(se.s.start)-se.s.daemons.Now()))
		if err := errors.Join(err, se.publish(writes)); err != nil {
			return err
		}
	}
	se.release()
	return nil
}

// restart starts the daemons again as long as CONFIG_DB_INITIALIZED is seen to be
// set, also while they start.
func (se *session) restart() error {
	for se.reload {
		se.reload = false
		se.s.log.Info("the daemons start: CONFIG_DB_INITIALIZED was set, or Redis is new")
		if err := se.boot(); err != nil {
			return err
		}
	}
	return nil
}

// release lets those go on who wait for quiet.
func (se *session) release() {
	s := se.s
	if len(s.waiters) == 0 || !s.daemons.Quiet() || !s.daemons.Running() && !s.stopped {
		return
	}
	rest := s.waiters[:0]
	for _, w := range s.waiters {
		if w.fence > se.seen {
			rest = append(rest, w)
			continue
		}
		close(w.quiet)
	}
	s.waiters = rest
}
