// Package watch sends packets all the time, from every endpoint to every other one and
// to all of its broadcast domain, while something changes. It measures how long those
// who may reach each other did not, and catches every frame that comes to a NIC where
// it must not.
package watch

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/plug"
)

// Config is how a watch goes on.
type Config struct {
	// Rate in packets a second, of each flow to someone who may be reached, and of the
	// broadcasts of an endpoint.
	Rate float64
	// ForbiddenRate is that of what is sent to someone who must not be reached; it is
	// brought to a whole fraction of Rate.
	ForbiddenRate float64
	// Run is a number that no other probe or watch of the same time has.
	Run uint32
	// Keep keeps frames without a VLAN tag for the final report, instead of judging
	// them by who was attached where: whose they are only the switches know.
	Keep bool
}

// Watch is going on until it is stopped.
type Watch struct {
	cfg Config
	// setting is held while endpoints are set.
	setting  sync.Mutex
	posts    map[matrix.ID]*post
	sniffers map[string]*sniffer

	mu      sync.Mutex
	judge   *judge
	expect  matrix.Expectation
	flows   map[flowKey]*flow
	leaks   map[leakKey]*Leak
	frames  []Frame
	since   time.Time
	epochs  []Epoch
	sent    uint64
	unsent  uint64
	refusal string
	heard   uint64
	dropped uint64
}

type flowKey struct {
	matrix.Pair
	v6 bool
}

// flow is what one endpoint sends to another that it may reach.
type flow struct {
	key      flowKey
	from, to matrix.Endpoint
	ended    bool
	begin    time.Time // of sending
	seq      uint64    // of the newest packet
	last     int64     // when that was sent
	tally    tally
}

// MaxRate is more than a lab takes.
const MaxRate = 1000

// New begins a watch of nothing yet.
func New(cfg Config) (*Watch, error) {
	if cfg.ForbiddenRate == 0 {
		cfg.ForbiddenRate = cfg.Rate
	}
	if cfg.Rate <= 0 || cfg.Rate > MaxRate || cfg.ForbiddenRate < 0 || cfg.ForbiddenRate > cfg.Rate {
		return nil, fmt.Errorf("rate %v, forbidden rate %v: the rate has to be up to %d packets a second, the other not above it", cfg.Rate, cfg.ForbiddenRate, MaxRate)
	}
	return &Watch{
		cfg: cfg, since: time.Now(), judge: newJudge(),
		posts: map[matrix.ID]*post{}, sniffers: map[string]*sniffer{}, flows: map[flowKey]*flow{}, leaks: map[leakKey]*Leak{},
	}, nil
}

// Set begins an epoch: from now on these endpoints are there, and this is who may reach
// whom. Endpoints that were there before go on sending meanwhile.
func (w *Watch) Set(name string, rooms []*plug.Room, expect matrix.Expectation) error {
	w.setting.Lock()
	defer w.setting.Unlock()
	failed := []error{w.listen(rooms)} // before anything is sent
	old := w.posts
	w.posts = map[matrix.ID]*post{}
	var began []*post
	for _, r := range rooms {
		id := r.Endpoint.ID()
		if p := old[id]; p != nil && p.room == r {
			w.posts[id] = p
			delete(old, id)
			continue
		}
		p, err := openPost(r)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		w.posts[id] = p
		began = append(began, p)
	}
	failed = append(failed, stop(old), w.plan(name, rooms, expect))
	for _, p := range began {
		go p.run(w)
	}
	return errors.Join(failed...)
}

// stop ends posts.
func stop(posts map[matrix.ID]*post) error {
	var failed []error
	for _, p := range posts {
		close(p.stop)
	}
	for _, p := range posts {
		<-p.done
		failed = append(failed, p.close())
	}
	return errors.Join(failed...)
}

// listen makes the sniffers those of the rooms' NICs.
func (w *Watch) listen(rooms []*plug.Room) error {
	var failed []error
	wanted := map[string]bool{}
	for _, r := range rooms {
		for _, wire := range r.Endpoint.Wires() {
			wanted[key(r, wire.NIC)] = true
			failed = append(failed, w.listenTo(r, wire.NIC))
		}
	}
	for k, s := range w.sniffers {
		if !wanted[k] && s.ended() { // a NIC without endpoints is still listened to
			failed = append(failed, s.close())
			delete(w.sniffers, k)
		}
	}
	return errors.Join(failed...)
}

// listenTo has a sniffer at a NIC of a room's host.
func (w *Watch) listenTo(r *plug.Room, name string) (err error) {
	k := key(r, name)
	if s := w.sniffers[k]; s != nil && s.ended() {
		err = s.close()
		delete(w.sniffers, k)
	}
	if w.sniffers[k] != nil {
		return err
	}
	s, failed := openSniffer(r, name, w.hear)
	if failed == nil {
		w.sniffers[k] = s
	}
	return errors.Join(err, failed)
}

// settle is how long a packet may be under way.
const settle = 250 * time.Millisecond

// Report says what was seen so far.
func (w *Watch) Report() Report {
	return w.report(func(f *flow) bool { return time.Now().UnixNano()-f.last > int64(settle) })
}

// patience is how long the last packets are waited for.
const patience = time.Second

// Stop ends the watch.
func (w *Watch) Stop() (Report, error) {
	w.setting.Lock()
	defer w.setting.Unlock()
	failed := []error{stop(w.posts)}
	w.posts = map[matrix.ID]*post{}
	for begin := time.Now(); time.Since(begin) < patience && !w.arrived(); {
		time.Sleep(10 * time.Millisecond) // no one tells of what does not come
	}
	report := w.report(func(*flow) bool { return true })
	report.Frames, report.Endpoints = w.kept()
	for _, s := range w.sniffers {
		failed = append(failed, s.close())
	}
	w.sniffers = map[string]*sniffer{}
	return report, errors.Join(failed...)
}

// arrived says whether the newest packet of every flow has come.
func (w *Watch) arrived() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.flows {
		if !f.ended && f.tally.started && f.tally.seq < f.seq {
			return false
		}
	}
	return true
}

func (w *Watch) report(due func(*flow) bool) Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sniffers {
		w.dropped += s.drops()
	}
	r := Report{
		Since: w.since, Seconds: time.Since(w.since).Seconds(), Epochs: slices.Clone(w.epochs),
		Sent: w.sent, Unsent: w.unsent, Refusal: w.refusal, Heard: w.heard, Dropped: w.dropped, Flows: []Flow{}, Leaks: []Leak{},
	}
	for _, f := range w.sorted() {
		r.Flows = append(r.Flows, f.report(!f.ended && due(f)))
	}
	for _, l := range w.leaks {
		r.Leaks = append(r.Leaks, *l)
	}
	slices.SortFunc(r.Leaks, Leak.compare)
	return r
}
