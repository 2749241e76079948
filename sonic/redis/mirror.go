package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/sonic"
)

// Mirror is a copy of a CONFIG_DB that is kept current: after a
// keyspace notification only the rows that it names are read again. Everything
// is read again after a connection was lost and after SONiC has loaded its
// configuration, because notifications are missing then.
type Mirror struct {
	client *Client
	log    *slog.Logger
	events chan struct{}
	rows   sonic.DB

	mu    sync.Mutex
	dirty map[sonic.Key]struct{}
	stale bool // everything has to be read again
	blind bool // there are no notifications
}

// NewMirror is a mirror that has nothing yet. Run has to run for it to notice
// changes.
func NewMirror(client *Client, log *slog.Logger) *Mirror {
	return &Mirror{
		client: client, log: log, events: make(chan struct{}, 1),
		rows: sonic.DB{}, dirty: map[sonic.Key]struct{}{}, stale: true, blind: true,
	}
}

// Events has a value when something may have changed since the last Refresh.
func (m *Mirror) Events() <-chan struct{} { return m.events }

// Blind reports whether changes by others go unnoticed: there is no connection,
// or Redis announces nothing.
func (m *Mirror) Blind() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.blind
}

// Rows are the rows as they were at the last Refresh. Only the goroutine that
// calls Refresh may use them.
func (m *Mirror) Rows() sonic.DB { return m.rows }

// Refresh brings the rows up to date, and says which have changed since they
// were read or written by Apply: some, or any. It returns ErrNotInitialized
// while CONFIG_DB is not in use. While there are no notifications, because Run
// has no connection, it reads everything.
func (m *Mirror) Refresh(ctx context.Context) (changed []sonic.Key, all bool, err error) {
	stale, keys := m.take()
	if stale {
		rows, err := m.client.Load(ctx)
		if err != nil {
			m.Invalidate()
			return nil, true, err
		}
		m.rows = rows
		return nil, true, nil
	}
	for {
		some := keys[:min(batch, len(keys))]
		differ, err := m.look(ctx, some)
		if err != nil {
			m.Invalidate()
			return nil, true, err
		}
		changed = append(changed, differ...)
		if keys = keys[len(some):]; len(keys) == 0 {
			return changed, false, nil
		}
	}
}

// look reads rows and takes over those that differ. Of the others the text that
// is there stays, which they mostly share with what is wanted.
func (m *Mirror) look(ctx context.Context, keys []sonic.Key) (changed []sonic.Key, err error) {
	now := make(sonic.DB, len(keys))
	if err := m.client.Read(ctx, now, keys); err != nil {
		return nil, err
	}
	for _, key := range keys {
		before, was := m.rows[key]
		fields, is := now[key]
		if is == was && slices.Equal(fields, before) {
			continue
		}
		changed = append(changed, key)
		if is {
			m.rows[key] = fields
		} else {
			delete(m.rows, key)
		}
	}
	return changed, nil
}

func (m *Mirror) take() (stale bool, keys []sonic.Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	stale = m.stale || m.blind
	keys = make([]sonic.Key, 0, len(m.dirty))
	for key := range m.dirty {
		keys = append(keys, key)
	}
	m.stale = false
	m.dirty = map[sonic.Key]struct{}{} // a cleared one keeps its size
	return stale, keys
}

// Invalidate makes the next Refresh read everything.
func (m *Mirror) Invalidate() {
	m.mu.Lock()
	m.stale = true
	m.mu.Unlock()
}

// Apply carries out the commands of a stage and brings the rows up to date with
// them.
func (m *Mirror) Apply(ctx context.Context, commands []sonic.Command) error {
	if err := m.client.Apply(ctx, commands); err != nil {
		m.Invalidate()
		return err
	}
	m.rows.Apply(commands...)
	return nil
}

// Touched has the next Refresh read rows that were written in another way than by Apply,
// and tell of them, without waiting until Redis announces them.
func (m *Mirror) Touched(commands []sonic.Command) {
	m.mu.Lock()
	for _, c := range commands {
		m.dirty[c.Key] = struct{}{}
	}
	m.mu.Unlock()
	m.signal()
}

// Run listens to keyspace notifications until ctx is done.
func (m *Mirror) Run(ctx context.Context) {
	prefix := fmt.Sprintf("__keyspace@%d__:", m.client.id)
	subscription := m.client.rdb.PSubscribe(ctx, prefix+"*")
	// The subscription does not notice by itself that ctx is done.
	stop := context.AfterFunc(ctx, func() { _ = subscription.Close() })
	defer stop()
	pause := minPause
	for ctx.Err() == nil {
		message, err := subscription.ReceiveTimeout(ctx, flushCheck)
		var quiet net.Error
		if errors.As(err, &quiet) && quiet.Timeout() {
			m.checkFlushed(ctx)
			continue
		}
		if err != nil {
			m.lost()
			sleep(ctx, pause)
			pause = min(2*pause, maxPause)
			continue
		}
		pause = minPause
		m.receive(ctx, message, prefix)
	}
}

// flushCheck is how often it is looked whether CONFIG_DB was emptied, while
// nothing is announced: Redis does not announce FLUSHDB.
const flushCheck = 5 * time.Second

func (m *Mirror) checkFlushed(ctx context.Context) {
	if m.Blind() {
		return
	}
	if err := m.client.checkInitialized(ctx); err != nil {
		m.Invalidate()
		m.signal()
	}
}

const (
	minPause = 20 * time.Millisecond
	maxPause = time.Second
)

// sleep waits for a time between half of d and d, or until ctx is done.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d/2 + rand.N(d/2))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (m *Mirror) receive(ctx context.Context, message any, prefix string) {
	switch message := message.(type) {
	case *redis.Subscription:
		m.subscribed(ctx)
	case *redis.Message:
		name := strings.TrimPrefix(message.Channel, prefix)
		m.mu.Lock()
		if key, ok := sonic.ParseKey(name); ok {
			m.dirty[key] = struct{}{}
		} else if name == initialized {
			m.stale = true
		}
		m.mu.Unlock()
		m.signal()
	}
}

// subscribed notes that notifications come from now on, if Redis sends any:
// what was read before may be out of date.
func (m *Mirror) subscribed(ctx context.Context) {
	m.mu.Lock()
	first := m.blind
	m.mu.Unlock()
	if !first {
		return
	}
	sends := m.client.notifies(ctx)
	if !sends {
		m.log.Warn("Redis does not announce changes of CONFIG_DB (notify-keyspace-events lacks K, g or h): changes by others are seen late")
	}
	m.mu.Lock()
	m.stale, m.blind = true, !sends
	m.mu.Unlock()
	m.signal()
}

func (m *Mirror) lost() {
	m.mu.Lock()
	was := m.blind
	m.stale, m.blind = true, true
	m.mu.Unlock()
	if !was {
		m.signal()
	}
}

func (m *Mirror) signal() {
	select {
	case m.events <- struct{}{}:
	default:
	}
}

// notifies reports whether Redis announces changes of hashes. One that does not
// let itself be asked is taken to do so, as SONiC's does.
func (c *Client) notifies(ctx context.Context) bool {
	settings, err := c.rdb.ConfigGet(ctx, "notify-keyspace-events").Result()
	if err != nil {
		return true
	}
	flags := settings["notify-keyspace-events"]
	return strings.Contains(flags, "K") &&
		(strings.Contains(flags, "A") || strings.Contains(flags, "g") && strings.Contains(flags, "h"))
}
