package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// resubscribe is when it is tried again to be told of rows.
const resubscribe = 5 * time.Second

// Announcements tell that somebody has written rows of a table, by Redis's keyspace
// notifications (SONiC's redis.conf: notify-keyspace-events AKE). They are for looking
// sooner and for nothing else: what is not announced is seen with the next look.
type Announcements struct {
	client *redis.Client
	rows   chan struct{}
	stop   context.CancelFunc
	done   chan struct{}
}

// Announce subscribes to a table of the database, until Close.
func (db Database) Announce(table string) *Announcements {
	const small = 4 << 10 // bytes, for short messages
	ctx, stop := context.WithCancel(context.Background())
	a := &Announcements{rows: make(chan struct{}, 1), stop: stop, done: make(chan struct{})}
	a.client = redis.NewClient(&redis.Options{
		Network: "unix", Addr: db.Socket, DB: db.ID, Password: db.Password, Protocol: 2, DisableIdentity: true,
		PoolSize: 1, MaxRetries: -1, ReadBufferSize: small, WriteBufferSize: small,
	})
	go a.run(ctx, fmt.Sprintf("__keyspace@%d__:%s%s*", db.ID, table, db.Separator))
	return a
}

// Rows has a value when rows were written since it was last received from.
func (a *Announcements) Rows() <-chan struct{} { return a.rows }

// Close ends the subscription.
func (a *Announcements) Close() {
	a.stop()
	<-a.done
	_ = a.client.Close() // whatever it may say is of no interest any more
}

// run passes on that something was announced until ctx is done.
func (a *Announcements) run(ctx context.Context, pattern string) {
	defer close(a.done)
	subscription := a.client.PSubscribe(ctx, pattern)
	// The subscription does not notice by itself that ctx is done.
	stop := context.AfterFunc(ctx, func() { _ = subscription.Close() })
	defer stop()
	for ctx.Err() == nil {
		message, err := subscription.ReceiveTimeout(ctx, 0)
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(resubscribe):
			}
			continue
		}
		switch message.(type) {
		case *redis.Message, *redis.Subscription: // what came before that was not announced
		default:
			continue
		}
		select {
		case a.rows <- struct{}{}:
		default:
		}
	}
}
