package neighbors

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"
)

// Watcher follows the neighbours of a switch.
type Watcher struct {
	cfg     Config
	changed chan struct{}

	mu   sync.Mutex
	view View

	// What follows is Run's.
	table    *table
	service  absence // of SONiC's lldp service
	pace     pace
	record   record
	source   looker // nil while there is no connection
	seen     sight  // the last time
	system   system // as SONiC's lldp service sent it the last time
	lookAt   time.Time
	looked   time.Time // the last time without failure
	failures int
	said     once
	own      *speaking
	ownSaid  once
}

// New is a watcher that knows what an earlier one knew, all of it stale. damage
// tells, for people, what on the disk was unusable and is set aside. The error is
// one of the disk, such as a missing permission.
func New(cfg Config) (w *Watcher, damage string, err error) {
	cfg = cfg.withDefaults()
	if err := os.MkdirAll(cfg.StateDir, 0o700); err != nil {
		return nil, "", fmt.Errorf("open the record of neighbours: %w", err)
	}
	file := newCacheFile(cfg.StateDir)
	known, damage, err := file.load()
	if err != nil {
		return nil, "", err
	}
	w = &Watcher{
		cfg: cfg, changed: make(chan struct{}, 1), lookAt: time.Now(),
		table: newTable(cfg.Gap, cfg.Forget), service: absence{silence: cfg.Silence},
		pace:   pace{settle: cfg.Settle, apart: cfg.Apart},
		record: record{file: file, every: cfg.Forget / 24, apart: saveApart, log: cfg.Log},
	}
	w.table.load(time.Now(), known)
	w.view = View{SystemName: known.System.Name, ChassisID: known.System.ChassisID, Neighbors: w.table.neighbors()}
	if !w.view.equal(View{}) {
		w.changed <- struct{}{}
	}
	return w, damage, nil
}

// Changed has a value when View is another one than before.
func (w *Watcher) Changed() <-chan struct{} { return w.changed }

// View is what is known now. Any goroutine may call it.
func (w *Watcher) View() View {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.view
}

// Follow hands over the view after every change, until ctx is done. It takes the
// place of Changed.
func (w *Watcher) Follow(ctx context.Context, tell func(View)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.changed:
			tell(w.View())
		}
	}
}

// Run follows the neighbours until ctx is done.
func (w *Watcher) Run(ctx context.Context) {
	for ctx.Err() == nil {
		w.step(ctx)
		w.wait(ctx)
	}
	w.speak(context.Background(), nil)
	if w.source != nil {
		w.source.close()
	}
	if w.service.known { // else nothing is known but what is on the disk
		w.record.save(time.Now(), w.table.cache(w.self()))
	}
}

// step does what there is to do now.
func (w *Watcher) step(ctx context.Context) {
	now := time.Now()
	looked := due(now, w.nextLook()) && w.look(ctx, now)
	switch {
	case w.service.away:
		w.table.observe(now, w.own.heard())
	case looked:
		w.table.observe(now, w.seen.heard)
	}
	if w.service.known {
		w.tell(now)
	}
	if due(now, w.record.due) {
		w.record.save(now, w.table.cache(w.self()))
	}
}

// look looks into the databases, and reports whether that could be done. While
// it cannot, nobody counts as missing.
func (w *Watcher) look(ctx context.Context, now time.Time) bool {
	seen, err := w.askSource(ctx, now)
	if ctx.Err() != nil {
		return false
	}
	w.complain(err)
	if err != nil {
		w.lookAt = now.Add(pauseAfter(err, w.failures))
		w.failures++
		return false
	}
	w.failures, w.looked, w.lookAt, w.seen = 0, now, now.Add(w.cfg.Poll), seen
	if seen.isLocal {
		w.system = seen.local
	}
	was := w.service
	w.service.look(now, seen.service)
	if w.service.away != was.away {
		w.cfg.Log.Info("SONiC's lldp service", "away", w.service.away, "ownFrames", w.speaks(), "feature", seen.service.Feature, "system", seen.service.System)
	}
	w.table.keep(seen.ports)
	w.speak(ctx, w.wanted())
	return true
}

// speaks reports whether the frames on the wire are to be the agent's.
func (w *Watcher) speaks() bool { return w.service.away && w.cfg.OwnFrames }

// self is the switch as others hear it.
func (w *Watcher) self() system {
	if w.service.away || w.system == (system{}) {
		return w.seen.own
	}
	return w.system
}

// tell updates the view if it is time to.
func (w *Watcher) tell(now time.Time) {
	self := w.self()
	view := View{SystemName: self.Name, ChassisID: self.ChassisID, Neighbors: w.table.neighbors(), Own: w.speaks()}
	if view.equal(w.view) { // nobody else writes it
		w.pace.unchanged()
		return
	}
	w.pace.changed(now)
	if !w.pace.take(now) {
		return
	}
	w.mu.Lock()
	w.view = view
	w.mu.Unlock()
	w.record.changed(now)
	select {
	case w.changed <- struct{}{}:
	default:
	}
}
