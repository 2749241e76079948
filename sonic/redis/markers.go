package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/sonic"
)

// Markers looks for the rows by which SONiC's daemons show what they have made
// of CONFIG_DB. It follows keyspace notifications and asks only for what is
// waited for: it holds no copy of the daemons' databases.
type Markers struct {
	databases map[string]*markerDB // by name
	listener  *redis.Client
	events    chan struct{}

	mu      sync.Mutex
	changed map[string]struct{} // NAME_OF_DB and key, since the last take
	blind   bool                // changes go unnoticed
	all     bool                // anything may have changed
}

// markerDB is one of the daemons' databases.
type markerDB struct {
	rdb     *redis.Client
	channel string // of its keyspace notifications, up to the key
}

// maxChanged bounds the changes that are remembered until somebody asks.
const maxChanged = 4096

// NewMarkers watches the daemons' databases of a switch. Run has to run for it
// to notice changes.
func NewMarkers(databases Databases) (*Markers, error) {
	m := &Markers{databases: map[string]*markerDB{}, events: make(chan struct{}, 1), changed: map[string]struct{}{}, blind: true}
	for _, name := range []string{sonic.StateDB, sonic.ApplDB} {
		db, ok := databases[name]
		if !ok {
			return nil, errors.Join(fmt.Errorf("database_config.json has no %s", name), m.Close())
		}
		rdb := db.client()
		m.databases[name] = &markerDB{rdb: rdb, channel: fmt.Sprintf("__keyspace@%d__:", db.ID)}
		m.listener = rdb
	}
	return m, nil
}

// Close ends the connections.
func (m *Markers) Close() error {
	var err error
	for _, db := range m.databases {
		err = errors.Join(err, db.rdb.Close())
	}
	return err
}

// Events has a value when a marker may have come or gone.
func (m *Markers) Events() <-chan struct{} { return m.events }

// Changed are the daemons' rows that changed since it was last called, as
// "STATE_DB VLAN_TABLE|Vlan10"; all is true when any may have.
func (m *Markers) Changed() (rows map[string]struct{}, all bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rows, all = m.changed, m.all || m.blind
	m.changed, m.all = map[string]struct{}{}, false
	return rows, all
}

// Missing are those of the markers that are not there.
func (m *Markers) Missing(ctx context.Context, markers []sonic.Marker) ([]sonic.Marker, error) {
	var missing []sonic.Marker
	for name, db := range m.databases {
		mine := slices.DeleteFunc(slices.Clone(markers), func(marker sonic.Marker) bool { return marker.DB != name })
		for some := range slices.Chunk(mine, batch) {
			rest, err := db.missing(ctx, some)
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", name, err)
			}
			missing = append(missing, rest...)
		}
	}
	return missing, nil
}

func (db *markerDB) missing(ctx context.Context, markers []sonic.Marker) ([]sonic.Marker, error) {
	pipe := db.rdb.Pipeline()
	answers := make([]redis.Cmder, len(markers))
	for i, marker := range markers {
		if marker.Field != "" {
			answers[i] = pipe.HMGet(ctx, marker.Key, marker.Field)
		} else {
			answers[i] = pipe.Exists(ctx, marker.Key)
		}
	}
	if len(markers) > 0 {
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, err
		}
	}
	var missing []sonic.Marker
	for i, marker := range markers {
		if !met(marker, answers[i]) {
			missing = append(missing, marker)
		}
	}
	return missing, nil
}

func met(marker sonic.Marker, answer redis.Cmder) bool {
	switch answer := answer.(type) {
	case *redis.IntCmd:
		return (answer.Val() > 0) != marker.Gone
	case *redis.SliceCmd:
		value, _ := answer.Val()[0].(string)
		return value == marker.Value
	}
	return false
}

// Await waits until the markers are there and returns those that are not when
// none has come for the given time.
func (m *Markers) Await(ctx context.Context, markers []sonic.Marker, patience time.Duration) ([]sonic.Marker, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		missing, err := m.Missing(ctx, markers)
		if err != nil || len(missing) == 0 {
			return nil, err
		}
		if len(missing) < len(markers) {
			timer.Reset(patience)
		}
		markers = missing
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
			return missing, nil
		case <-m.events:
		case <-m.look():
		}
	}
}

// look is a timer for looking without being told, while changes go unnoticed.
func (m *Markers) look() <-chan time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.blind {
		return nil
	}
	return time.After(blindLook)
}

// blindLook is how often markers are looked for without notifications.
const blindLook = 100 * time.Millisecond

// Run listens to keyspace notifications until ctx is done.
func (m *Markers) Run(ctx context.Context) {
	var patterns []string
	for name, db := range m.databases {
		for _, table := range sonic.MarkerTables(name) {
			patterns = append(patterns, db.channel+table+"[|:]*")
		}
	}
	subscription := m.listener.PSubscribe(ctx, patterns...)
	stop := context.AfterFunc(ctx, func() { _ = subscription.Close() })
	defer stop()
	pause := minPause
	for ctx.Err() == nil {
		message, err := subscription.ReceiveTimeout(ctx, 0)
		if err != nil {
			m.note(func() { m.blind, m.all = true, true })
			sleep(ctx, pause)
			pause = min(2*pause, maxPause)
			continue
		}
		pause = minPause
		switch message := message.(type) {
		case *redis.Subscription:
			if message.Count == len(patterns) {
				m.note(func() { m.blind, m.all = false, true })
			}
		case *redis.Message:
			m.receive(message.Channel)
		}
	}
}

func (m *Markers) receive(channel string) {
	for name, db := range m.databases {
		key, ok := strings.CutPrefix(channel, db.channel)
		if !ok {
			continue
		}
		m.note(func() {
			if len(m.changed) >= maxChanged {
				m.all = true
				clear(m.changed)
			}
			m.changed[name+" "+key] = struct{}{}
		})
	}
}

// note changes what is known and tells whoever waits.
func (m *Markers) note(change func()) {
	m.mu.Lock()
	change()
	m.mu.Unlock()
	select {
	case m.events <- struct{}{}:
	default:
	}
}
