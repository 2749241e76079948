package maintenance

import (
	"cmp"
	"context"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/switchlet/switchlet/agent/metrics"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic/frr"
)

// Config is what a Keeper is made of.
type Config struct {
	// File of the record, on the switch's disk.
	File string
	// DatabaseConfig is SONiC's database_config.json.
	DatabaseConfig string
	// Shell is a way to FRR, as it is at the moment; nil if there is none.
	Shell func() (frr.Shell, string)
	// Images has images fetched by way of Socket.
	Images Images
	Socket string
	// Overlay has routes and ports put over the spec. It must not wait.
	Overlay func(routes, ports bool, spare []string)
	// Answer takes what is to be reported. It must not wait.
	Answer func(*v1alpha1.MaintenanceStatus, report.State)
	// Limit is how many bits a second a port may carry that counts as free of
	// traffic. Default 1 Mbit/s: BGP, LLDP and the switch's own management go on.
	Limit uint64
	// Window is for how long it has to be so. Default 10 s.
	Window time.Duration
	// Tick is how often the switch is looked at while there is something to do.
	// Default 1 s.
	Tick time.Duration
	// Metrics are kept up to date. Default: metrics that nobody sees.
	Metrics *metrics.Agent
	Log     *slog.Logger
}

const (
	defaultLimit  = 1_000_000
	defaultWindow = 10 * time.Second
	defaultTick   = time.Second
	// checkTicks is how many ticks lie between two rounds of checks.
	checkTicks = 5
)

// Keeper answers spec.maintenance.
type Keeper struct {
	cfg    Config
	record Record
	gauge  gauge
	puller *puller
	wake   chan struct{}

	traffic  traffic
	since    time.Time // since when the overlay is in force as asked for
	checked  time.Time
	measured string // the step that results are of
	results  results
	unsaved  error
	answered *v1alpha1.MaintenanceStatus
	state    report.State

	mu    sync.Mutex
	seen  Seen
	facts report.Facts
	heard []v1alpha1.LLDPNeighbor
}

// New reads the record, puts in force what it says, and answers by it. damage tells,
// for people, what was unusable.
func New(cfg Config) (k *Keeper, damage string, err error) {
	cfg.Limit, cfg.Window, cfg.Tick = cmp.Or(cfg.Limit, defaultLimit), cmp.Or(cfg.Window, defaultWindow), cmp.Or(cfg.Tick, defaultTick)
	k = &Keeper{cfg: cfg, wake: make(chan struct{}, 1)}
	if k.record, damage, err = load(cfg.File); err != nil {
		return nil, "", err
	}
	k.gauge = gauge{databases: cfg.DatabaseConfig, shell: cfg.Shell, log: cfg.Log}
	k.puller = &puller{images: cfg.Images, socket: cfg.Socket, again: pullAgain, changed: k.signal, log: cfg.Log, news: make(chan struct{}, 1), have: map[string]bool{}}
	if k.cfg.Metrics == nil {
		k.cfg.Metrics = metrics.NewAgent()
	}
	k.overlay()
	s := Seen{Now: time.Now()}
	k.answer(s)
	k.measure(s)
	return k, damage, nil
}

// SetConfig takes the SwitchConfig. That it was deleted changes nothing.
func (k *Keeper) SetConfig(c *v1alpha1.SwitchConfig) {
	if c == nil {
		return
	}
	k.mu.Lock()
	k.seen.Config, k.seen.Request = true, c.Spec.Maintenance
	k.mu.Unlock()
	k.signal()
}

// SetSwitch takes the Switch. That it was deleted changes nothing.
func (k *Keeper) SetSwitch(s *v1alpha1.Switch) {
	if s == nil {
		return
	}
	k.mu.Lock()
	k.seen.Switch, k.seen.ByHand = true, s.Spec.Drained
	k.mu.Unlock()
	k.signal()
}

// Saw takes what was found out about the switch.
func (k *Keeper) Saw(f report.Facts) {
	k.mu.Lock()
	known := reflect.DeepEqual(k.facts.Overlay, f.Overlay)
	k.facts = f
	k.mu.Unlock()
	if !known {
		k.signal()
	}
}

// Heard takes who is heard by LLDP.
func (k *Keeper) Heard(neighbors []v1alpha1.LLDPNeighbor) {
	k.mu.Lock()
	k.heard = append([]v1alpha1.LLDPNeighbor{}, neighbors...) // nil if it was not called
	k.mu.Unlock()
}

func (k *Keeper) signal() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Run goes on until ctx is done. What is in force then stays.
func (k *Keeper) Run(ctx context.Context) {
	var pulls sync.WaitGroup
	pulls.Go(func() { k.puller.run(ctx) })
	defer pulls.Wait()
	defer k.gauge.close()
	for ctx.Err() == nil {
		again := k.turn(ctx)
		var timer <-chan time.Time
		if again {
			timer = time.After(0)
		} else if k.record.busy() || k.unsaved != nil {
			timer = time.After(k.cfg.Tick)
		}
		select {
		case <-ctx.Done():
		case <-k.wake:
		case <-timer:
		}
	}
}

// turn looks, decides and does once. It reports true if something has changed.
func (k *Keeper) turn(ctx context.Context) bool {
	s := k.look(ctx)
	next := k.record.next(s)
	changed := !reflect.DeepEqual(next, k.record)
	if changed {
		if k.unsaved = next.save(k.cfg.File); k.unsaved != nil {
			k.answer(s) // nothing is done that is not on the disk
			return false
		}
		k.tell(next)
	}
	was := k.record
	if next.Drained && !was.Drained {
		k.cfg.Metrics.LastDrain.Set(s.Now.Sub(next.Begun).Seconds())
	}
	k.record = next
	if next.Level != was.Level {
		k.since, k.traffic = time.Time{}, traffic{}
	}
	k.overlay()
	var images []string
	if next.Request != nil {
		images = next.Request.Images
	} else if was.Request != nil {
		k.puller.collect(ctx, next.Images)
	}
	k.puller.ask(images)
	kept := k.check(ctx, s.Now)
	k.answer(s)
	k.measure(s)
	return changed || kept
}

// tell logs what changes.
func (k *Keeper) tell(next Record) {
	if step(next) != step(k.record) {
		k.cfg.Log.Info("maintenance", "step", step(next))
	}
	if next.Level != k.record.Level || next.Drained != k.record.Drained {
		k.cfg.Log.Info("drain", "level", cmp.Or(next.Level, "InService"), "drained", next.Drained)
	}
	if next.Returned != k.record.Returned && next.Returned != "" {
		k.cfg.Log.Warn("nobody went on in time: the traffic is let back", "step", next.Returned)
	}
}

func step(r Record) string {
	if r.Request == nil {
		return ""
	}
	return r.Request.Step
}

func (k *Keeper) overlay() {
	routes, ports := k.record.asks()
	k.cfg.Overlay(routes, ports, k.record.Spare)
}
