package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/sonic"
)

// initialized is the key that says whether CONFIG_DB is in use: "1" when it is,
// "0" or absent while SONiC loads it.
const initialized = "CONFIG_DB_INITIALIZED"

// ErrNotInitialized says that SONiC is loading CONFIG_DB: nothing may be
// written before it has.
var ErrNotInitialized = errors.New("CONFIG_DB_INITIALIZED is not 1: SONiC is starting or reloading its configuration")

// ErrChanged says that somebody else wrote at the same moment: nothing was
// written, and the rows have to be looked at again.
var ErrChanged = errors.New("somebody else changed CONFIG_DB at the same moment")

const (
	// connections, beside the one for notifications: while Redis carries out
	// what came by one, the next is made ready for the other.
	connections = 2
	dialTimeout = 2 * time.Second
	// ioTimeout bounds one answer of a Redis that hangs; a whole CONFIG_DB
	// takes it a tenth of a second.
	ioTimeout = 10 * time.Second
	// batch is how many rows are read in one go, which bounds the memory that
	// the answers take.
	batch = 1000
	// maxRows bounds what is read; a large switch has some ten thousand.
	maxRows = 1 << 19
)

// Client talks to a CONFIG_DB. It connects when it is first used and again
// after every failure. Several goroutines may use it.
type Client struct {
	rdb *redis.Client
	id  int
}

// NewClient is a client of the database.
func NewClient(db Database) *Client {
	return &Client{id: db.ID, rdb: redis.NewClient(&redis.Options{
		Network: "unix", Addr: db.Socket, DB: db.ID, Password: db.Password,
		Protocol: 2, DisableIdentity: true, PoolSize: connections,
		// A write whose answer was lost is not sent again: the rows are read first.
		MaxRetries: -1, ContextTimeoutEnabled: true,
		DialTimeout: dialTimeout, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout,
	})}
}

// Close ends the connections.
func (c *Client) Close() error { return c.rdb.Close() }

// Load reads all rows. It returns ErrNotInitialized while CONFIG_DB is not in
// use.
//
// Keys are listed while the rows of those before are being read.
func (c *Client) Load(ctx context.Context) (sonic.DB, error) {
	ctx, cancel := context.WithCancel(ctx)
	keys, listed := make(chan []sonic.Key, 1), make(chan error, 1)
	defer func() {
		cancel()
		for range keys {
		}
	}()
	go func() {
		defer close(keys)
		listed <- c.scan(ctx, keys)
	}()
	db, names := sonic.DB{}, interned{}
	if err := c.readBatch(ctx, db, nil, names); err != nil {
		return nil, fmt.Errorf("read CONFIG_DB: %w", err)
	}
	for some := range keys {
		if err := c.readBatch(ctx, db, some, names); err != nil {
			return nil, fmt.Errorf("read CONFIG_DB: %w", err)
		}
		if len(db) > maxRows {
			return nil, fmt.Errorf("read CONFIG_DB: there are more than %d rows", maxRows)
		}
	}
	if err := <-listed; err != nil {
		return nil, fmt.Errorf("list the rows of CONFIG_DB: %w", err)
	}
	return db, nil
}

// scan lists the keys of rows. SCAN, unlike KEYS, lets Redis answer others in
// between; it may give a key twice.
func (c *Client) scan(ctx context.Context, out chan<- []sonic.Key) error {
	tables := interned{}
	for cursor := uint64(0); ; {
		names, next, err := c.rdb.Scan(ctx, cursor, "", batch).Result()
		if err != nil {
			return err
		}
		keys := make([]sonic.Key, 0, len(names))
		for _, name := range names {
			if key, ok := sonic.ParseKey(name); ok {
				key.Table = tables.one(key.Table)
				keys = append(keys, key)
			}
		}
		if len(keys) > 0 {
			select {
			case out <- keys:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if next == 0 {
			return nil
		}
		cursor = next
	}
}

// Read brings the rows with the given keys up to date in db. It returns
// ErrNotInitialized, having changed nothing, while CONFIG_DB is not in use.
func (c *Client) Read(ctx context.Context, db sonic.DB, keys []sonic.Key) error {
	names := interned{}
	for first := true; first || len(keys) > 0; first = false {
		n := min(batch, len(keys))
		if err := c.readBatch(ctx, db, keys[:n], names); err != nil {
			return fmt.Errorf("read CONFIG_DB: %w", err)
		}
		keys = keys[n:]
	}
	return nil
}

func (c *Client) readBatch(ctx context.Context, db sonic.DB, keys []sonic.Key, names interned) error {
	pipe := c.rdb.Pipeline()
	state := pipe.Get(ctx, initialized)
	rows := make([]*redis.StringSliceCmd, len(keys))
	for i, key := range keys {
		rows[i] = redis.NewStringSliceCmd(ctx, "hgetall", key.String())
		if err := pipe.Process(ctx, rows[i]); err != nil {
			return err
		}
	}
	// The error is that of the first command that failed; each has its own.
	_, _ = pipe.Exec(ctx)
	if err := checkInitialized(state); err != nil {
		return err
	}
	for i, key := range keys {
		pairs, err := rows[i].Result()
		switch {
		case redis.HasErrorPrefix(err, "WRONGTYPE"):
			db[key] = nil // something of somebody's that is no row
		case err != nil:
			return fmt.Errorf("%s: %w", key, err)
		case len(pairs) == 0:
			delete(db, key)
		default:
			names.intern(pairs)
			db[key] = sonic.NewFields(pairs...)
		}
	}
	return nil
}

func checkInitialized(state *redis.StringCmd) error {
	value, err := state.Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	if value != "1" {
		return ErrNotInitialized
	}
	return nil
}

// interned keeps one string for each name of a table or field, of which there
// are few.
type interned map[string]string

func (in interned) one(name string) string {
	if known, ok := in[name]; ok {
		return known
	}
	name = strings.Clone(name) // not a part of a long one
	in[name] = name
	return name
}

func (in interned) intern(pairs []string) {
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = in.one(pairs[i])
	}
}
