package neighbors

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/switchlet/switchlet/sonic/redis"
)

// Pauses between attempts to look that fail, with jitter so that a hundred
// switches do not try in step.
const (
	minPause = 500 * time.Millisecond
	maxPause = 30 * time.Second
)

// announcedApart is the time between looks that rows are announced for: lldp_syncd
// writes its rows one after the other, and each field by itself.
const announcedApart = time.Second

func pauseAfter(err error, failures int) time.Duration {
	pause := min(minPause<<min(failures, 10), maxPause)
	if errors.Is(err, redis.ErrNotInitialized) {
		pause = 2 * minPause // it will be, within a minute or two
	}
	return pause/2 + rand.N(pause/2)
}

// due reports whether a time has come; a zero one never does.
func due(now, t time.Time) bool { return !t.IsZero() && !now.Before(t) }

// nextLook is when to look into the databases: after a failure not before its
// pause is over, else also when somebody's time is up.
func (w *Watcher) nextLook() time.Time {
	if w.failures > 0 {
		return w.lookAt
	}
	next := earliest(w.lookAt, w.service.next())
	if !w.service.away {
		next = earliest(next, w.table.next())
	}
	return next
}

// wait returns when there may be something to do.
func (w *Watcher) wait(ctx context.Context) {
	next := earliest(w.nextLook(), w.pace.due, w.record.due)
	if w.service.away {
		next = earliest(next, w.table.next())
	}
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-w.announced():
		w.hurry(time.Now())
	case <-w.own.changed():
	case <-w.own.ended():
		w.complainOwn(w.own.err)
		w.own = nil
	}
}

// announced has a value when neighbours were written.
func (w *Watcher) announced() <-chan struct{} {
	if w.source == nil {
		return nil
	}
	return w.source.announced()
}

// hurry has the next look be soon, unless one has just failed.
func (w *Watcher) hurry(now time.Time) {
	soon := now.Add(w.cfg.Settle)
	if at := w.looked.Add(announcedApart); at.After(soon) {
		soon = at
	}
	if w.failures == 0 && soon.Before(w.lookAt) {
		w.lookAt = soon
	}
}

// complain logs what keeps from looking, once.
func (w *Watcher) complain(err error) {
	switch {
	case !w.said.anew(err):
	case errors.Is(err, redis.ErrNotInitialized):
		w.cfg.Log.Info("LLDP neighbours wait for SONiC", "error", err)
	case err != nil:
		w.cfg.Log.Warn("LLDP neighbours cannot be looked at, trying again", "error", err)
	default:
		w.cfg.Log.Info("LLDP neighbours are looked at again")
	}
}

// askSource connects if need be. A connection that has failed is not used again.
func (w *Watcher) askSource(ctx context.Context, now time.Time) (sight, error) {
	if w.source == nil {
		source, err := w.cfg.open()
		if err != nil {
			return sight{}, err
		}
		w.source = source
	}
	seen, err := w.source.look(ctx, now)
	if err != nil && !errors.Is(err, redis.ErrNotInitialized) {
		w.source.close()
		w.source = nil
	}
	return seen, err
}
