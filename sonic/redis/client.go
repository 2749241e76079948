package redis

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// initialized is the key that says whether CONFIG_DB is in use: "1" when it is,
// "0" or absent while SONiC loads it.
const initialized = "CONFIG_DB_INITIALIZED"

// inUse is the value of that key when CONFIG_DB is in use.
const inUse = "1"

// ErrNotInitialized says that SONiC is loading CONFIG_DB: nothing may be
// written before it has.
var ErrNotInitialized = errors.New("CONFIG_DB_INITIALIZED is not 1: SONiC is starting or reloading its configuration")

// ErrChanged says that somebody else wrote at the same moment: nothing was
// written, and the rows have to be looked at again.
var ErrChanged = errors.New("somebody else changed CONFIG_DB at the same moment")

const (
	// connections for rows that are kept; while Redis answers on one, the next
	// questions are made ready on the other.
	connections = 2
	dialTimeout = 2 * time.Second
	// ioTimeout bounds one answer of a Redis that hangs; a whole CONFIG_DB
	// takes it a tenth of a second.
	ioTimeout = 10 * time.Second
	// batch is how many rows are asked for at once.
	batch = 1000
	// maxRows bounds what is read; a large switch has some ten thousand.
	maxRows = 1 << 19
)

// Client talks to a CONFIG_DB. It connects when it is first used and again
// after every failure. Several goroutines may use it.
type Client struct {
	wires wires         // for rows
	rdb   *redis.Client // for everything else
	id    int
}

// NewClient is a client of the database.
func NewClient(db Database) *Client {
	return &Client{id: db.ID, wires: wires{db: db}, rdb: db.client()}
}

// client is a client of go-redis's with one connection, and a second one for a
// subscription.
func (db Database) client() *redis.Client {
	return redis.NewClient(&redis.Options{
		Network: "unix", Addr: db.Socket, DB: db.ID, Password: db.Password,
		Protocol: 2, DisableIdentity: true, PoolSize: 1, MaxRetries: -1, ContextTimeoutEnabled: true,
		DialTimeout: dialTimeout, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout,
		ReadBufferSize: smallBuffer, WriteBufferSize: smallBuffer,
		// Pipelines would get connections of their own, with 256 KiB each.
		PipelinePoolSize: -1,
	})
}

// smallBuffer is enough for short questions and answers; go-redis's own are
// eight times as large, for each connection.
const smallBuffer = 4 << 10

// Close ends the connections.
func (c *Client) Close() error {
	c.wires.close()
	return c.rdb.Close()
}

// checkInitialized reports whether CONFIG_DB is in use.
func (c *Client) checkInitialized(ctx context.Context) error {
	value, err := c.rdb.Get(ctx, initialized).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	if value != inUse {
		return ErrNotInitialized
	}
	return nil
}
