package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// Config says which switch the daemons are on, and how they are.
type Config struct {
	// DatabaseConfig is the path of database_config.json. Required.
	DatabaseConfig string
	// Daemons is how they are; Read is set by this package, and with a Plane
	// Unplugged.
	Daemons swss.Config
	// Plane, if not nil, forwards as the daemons say.
	Plane Plane
	// Restarted, if not nil, is called when the daemons start anew: SONiC starts
	// its bgp container anew with them. It must not wait for anything.
	Restarted func()
	// Log, if not nil, is told of losses of Redis and of reloads.
	Log *slog.Logger
}

// Plane is what forwards; package dataplane has one of Linux devices.
type Plane interface {
	// Set makes it forward what the daemons' rows say, and returns when it does:
	// it is called before the rows are in Redis, so that who reads a marker there
	// can rely on it. The rows must not be changed or kept. An error is to the
	// daemons what a command that fails is to SONiC's: they start again.
	Set(rows func(db string) map[string]swss.Row) error
	// Run tells of ports until ctx is done.
	Run(ctx context.Context, to Reports)
}

// Reports are where a plane tells of its ports; a Service is one.
type Reports interface {
	SetLinks(ctx context.Context, up map[string]bool) error
	Put(ctx context.Context, writes ...swss.Write) error
}

// Service is the daemons on a switch. Its methods may be called by several
// goroutines.
type Service struct {
	db       databases
	log      *slog.Logger
	plane    Plane         // nil without
	anew     func()        // may be nil
	rdb      *redis.Client // CONFIG_DB
	fence    string        // channel on which we tell ourselves how far events came
	start    time.Time     // when the virtual time was 0
	requests chan request

	mu      sync.Mutex // of what follows
	daemons *swss.Daemons
	stopped bool // by Stop
	waiters []waiter
	session *session // nil: no connection
	fences  int      // sent
	started bool     // once
}

// request is something to be done by the goroutine that has the connection.
type request struct {
	do   func(*session) error
	done chan error
}

// waiter waits for quiet after a fence.
type waiter struct {
	fence int
	quiet chan struct{}
}

// New is daemons that Run runs.
func New(cfg Config) (*Service, error) {
	db, err := readDatabases(cfg.DatabaseConfig)
	if err != nil {
		return nil, err
	}
	s := &Service{
		db: db, log: cmp.Or(cfg.Log, slog.New(slog.DiscardHandler)), plane: cfg.Plane, anew: cfg.Restarted, start: time.Now(), requests: make(chan request),
		fence: fmt.Sprintf("swss-fence-%x", rand.Uint64()),
		rdb: redis.NewClient(&redis.Options{
			Network: "unix", Addr: db.socket, DB: db.ids[configDB], Protocol: 2, DisableIdentity: true,
			PoolSize: 4, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
			ReadTimeout: ioTimeout, WriteTimeout: ioTimeout,
		}),
	}
	cfg.Daemons.Read, cfg.Daemons.Unplugged = s.read, cfg.Plane != nil
	s.daemons = swss.New(cfg.Daemons)
	return s, nil
}

const (
	// ioTimeout bounds one answer of a Redis that hangs.
	ioTimeout = 30 * time.Second
	minPause  = 10 * time.Millisecond
	maxPause  = time.Second
)

// errLost says that the connection for events ended.
var errLost = errors.New("the connection for keyspace events was lost")

// Run runs the daemons until ctx is done. It connects again after every loss.
func (s *Service) Run(ctx context.Context) error {
	defer s.rdb.Close()
	if s.plane != nil {
		var plane sync.WaitGroup
		defer plane.Wait()
		plane.Go(func() { s.plane.Run(ctx, s) })
	}
	for pause := minPause; ctx.Err() == nil; pause = min(2*pause, maxPause) {
		began := time.Now()
		err := s.runSession(ctx)
		if ctx.Err() != nil {
			break
		}
		s.log.Warn("the daemons lost Redis and start again", "error", err)
		if time.Since(began) > maxPause {
			pause = minPause
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	return nil
}

// runSession is one connection's life.
func (s *Service) runSession(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	session, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer session.close()
	if err := s.attach(ctx, session); err != nil {
		return err
	}
	err = session.run()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session = nil
	s.daemons.Stop()
	s.daemons.Writes() // they are not for the next Redis, which is cleared first
	return err
}

// attach gives the service a new connection. Those who wait for quiet set their
// fences anew: the old ones may have been lost with the connection before, and
// what was written before them may still be on its way on this one, such as
// CONFIG_DB_INITIALIZED, at which the daemons start again.
func (s *Service) attach(ctx context.Context, session *session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fences++
	for i := range s.waiters {
		s.waiters[i].fence = s.fences
	}
	if err := s.rdb.Publish(ctx, s.fence, s.fences).Err(); err != nil {
		return err
	}
	s.session = session
	return nil
}
