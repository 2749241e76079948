package converge

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"runtime/debug"
	"strings"
	"time"

	"github.com/switchlet/switchlet/agent/metrics"
	"github.com/switchlet/switchlet/agent/persist"
	"github.com/switchlet/switchlet/agent/probe"
	"github.com/switchlet/switchlet/agent/render"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang"
)

// Config is what a Converger is made of.
type Config struct {
	// Node is the name of the Switch.
	Node string
	// Files of SONiC.
	Files Files
	// AgentVersion is reported.
	AgentVersion string
	// Store and what it had.
	Store  *state.Store
	Loaded state.Loaded
	// Inbox that the API server's objects come in by.
	Inbox *Inbox
	// APIServer reports whether the API server can be reached by a new
	// connection. Without it, losing the API server takes no change back.
	APIServer func(context.Context) error
	// Persister saves the rows in SONiC's own file; without it they are not saved.
	Persister *persist.Persister
	// FRR of the switch. Without it the agent says nothing to FRR.
	FRR FRR
	// Metrics are kept up to date. Default: metrics that nobody sees.
	Metrics *metrics.Agent
	// Rules of the trial of a change. The zero value has the defaults.
	Rules probe.Rules
	// Patience is how long a marker may take. Default 10 s.
	Patience time.Duration
	// Orphan is how long a change that an earlier agent left unfinished waits
	// for the API server to say what is wanted, before it is taken back.
	// Default 10 s.
	Orphan time.Duration
	// Report takes the facts after every step. It must not wait.
	Report func(report.Facts)
	Log    *slog.Logger
}

// Converger makes the switch what it should be.
type Converger struct {
	cfg     Config
	schema  *yang.Schema // of the switch; nil until it was read
	session *session     // nil while there is no connection
	started time.Time
	good    *state.LastGood // on the disk
	inForce *state.LastGood // what daemons have taken, on the disk or on trial
	facts   report.Facts
	// rendered is what good or config mean on the box, kept until either changes.
	rendered, renderedGood rendered
	failures               int

	proof      proof
	stuck      stuck
	quarantine quarantine
	trial      trial
	persistAt  time.Time // when to persist; zero if there is nothing to
	drift      drift
	told       told
	routing    routing
	woken      chan struct{}
	paused     bool // Switch.spec.paused, as last seen
	changes    int  // of the rows, the record or what is wanted, so far
	looked     int  // changes when the inventory was made
	calm       calm
	rests      bool               // the last round left the rows alone
	untidy     bool               // a large plan was carried out lately
	fresh      map[sonic.Key]bool // rows written and never seen in force
	overlay    Overlay            // what draining puts over the spec, as last read
	unlent     error              // why ports could not be switched
}

// The trial's defaults: long enough for a BGP session with timers of 3 and 9 s
// to show that it is lost, short enough to be back within 15 s.
const (
	trialWindow   = 10 * time.Second
	trialDeadline = 10 * time.Second
)

// New is a Converger that has not done anything yet.
func New(cfg Config) *Converger {
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.NewAgent()
	}
	cfg.Patience, cfg.Orphan = cmp.Or(cfg.Patience, defaultPatience), cmp.Or(cfg.Orphan, defaultOrphan)
	cfg.Rules.Window, cfg.Rules.Deadline = cmp.Or(cfg.Rules.Window, trialWindow), cmp.Or(cfg.Rules.Deadline, trialDeadline)
	c := &Converger{cfg: cfg, started: time.Now(), good: cfg.Loaded.LastGood, inForce: cfg.Loaded.LastGood, fresh: map[sonic.Key]bool{}, woken: make(chan struct{}, 1)}
	c.stuck.retry, c.quarantine.retry = cfg.Patience/retryPart, cfg.Patience/retryPart
	c.routing.init(c)
	c.facts.StateSaved = report.State{OK: true, Reason: "Saved"}
	c.facts.Persisted = report.State{OK: true, Reason: "Persisted"}
	if len(cfg.Loaded.Damage) > 0 {
		c.facts.StateSaved.Reason = "Recovered"
		c.facts.StateSaved.Message = strings.Join(cfg.Loaded.Damage, "; ")
		cfg.Log.Warn("the state on disk was damaged", "damage", c.facts.StateSaved.Message)
	}
	c.facts.Programmed = report.State{Reason: v1alpha1.ReasonProgressing, Message: "The agent has just started."}
	c.facts.Rendered = c.facts.Programmed
	c.facts.Confirmed = report.State{OK: true, Reason: "Confirmed", Message: "Nothing is on trial."}
	if c.good != nil {
		c.facts.AppliedRevision = c.good.Spec.Revision
		cfg.Log.Info("last good configuration found on disk", "revision", c.good.Spec.Revision)
	}
	return c
}

// Run goes on until ctx is done. What is in force on the switch then stays.
func (c *Converger) Run(ctx context.Context) {
	defer c.disconnect()
	defer c.routing.end()
	for ctx.Err() == nil {
		d := c.cfg.Inbox.read(c.good)
		before := c.facts
		c.overlay = d.overlay
		err := c.step(ctx, d)
		if ctx.Err() != nil {
			return
		}
		c.note(err)
		c.noteOverlay(d)
		c.logChanges(before)
		c.facts.SwitchGeneration = d.switchGeneration
		_, c.facts.ConfirmedGeneration = d.generations(c.good)
		c.measure(c.facts)
		c.cfg.Report(c.facts)
		c.wait(ctx, err)
	}
}

func (c *Converger) disconnect() {
	if c.session != nil {
		c.session.close()
		c.session = nil
		c.drift.reloaded = true
		c.cfg.Metrics.RedisReconnects.Add(1)
	}
}

// step is one round. An error says that it has to be tried again.
func (c *Converger) step(ctx context.Context, d desired) error {
	if c.session == nil {
		if c.schema == nil {
			schema, err := loadModels(c.cfg.Files)
			if err != nil {
				return err
			}
			c.schema = schema
		}
		s, err := open(ctx, c.cfg, c.schema, c.cfg.Log)
		if err != nil {
			return err
		}
		c.session = s
		c.proof = proof{recheck: time.Now(), since: time.Now()}
		c.unsaved(time.Now())
	}
	begin := time.Now()
	changed, all, err := c.refresh(ctx)
	if err != nil {
		return err
	}
	c.lookForDrift(changed, all)
	times := v1alpha1.ApplyTimes{Read: since(begin)}
	c.facts.Connected = report.State{OK: true, Reason: "Connected"}
	if err := c.switchPorts(ctx, d); err != nil {
		return err
	}
	err = c.program(ctx, d, &times)
	c.look()
	if err == nil {
		c.persist(time.Now())
		c.tidy()
	}
	return err
}

// largePlan is the number of commands from which on a plan leaves so much behind
// that it is worth a tenth of a second of CPU to give it back.
const largePlan = 500

// tidy gives memory back once a large plan is in force: what it leaves behind
// would stay with the agent for minutes.
func (c *Converger) tidy() {
	if c.untidy && len(c.proof.open) == 0 {
		c.untidy = false
		debug.FreeOSMemory()
	}
}

// refresh brings the rows up to date.
func (c *Converger) refresh(ctx context.Context) (changed []sonic.Key, all bool, err error) {
	var before sonic.DB
	if c.drift.writing && c.drift.policy == v1alpha1.DriftReport {
		before = maps.Clone(c.session.mirror.Rows())
	}
	changed, all, err = c.session.mirror.Refresh(ctx)
	if err != nil {
		return changed, all, err
	}
	if before != nil && !all {
		c.drift.disturbed(changed, before, c.session.mirror.Rows(), c.cfg.Store.Ledger(), time.Now())
	}
	c.changed(changed, all)
	return changed, all, nil
}

// changed tells whoever keeps something about the rows which of them are new.
func (c *Converger) changed(changed []sonic.Key, all bool) {
	if all || len(changed) > 0 {
		c.changes++
	}
	if all {
		c.session.balance = nil
	} else if c.session.balance != nil {
		c.session.balance.Touch(changed...)
	}
	switch v := c.session.validator; {
	case v == nil:
		c.session.validator = newValidator(c.schema, c.session.mirror.Rows())
	case all:
		v.touchAll(c.session.mirror.Rows())
	default:
		v.touch(changed)
	}
}

func since(begin time.Time) int64 { return time.Since(begin).Microseconds() }

// look takes stock of the switch for the report.
func (c *Converger) look() {
	if c.facts.Inventory != nil && c.looked == c.changes {
		return
	}
	if c.cfg.Store.Ledger() == nil && render.HasTrace(c.session.mirror.Rows()) {
		return // not known yet which rows are the agent's: they must not look like others'
	}
	inventory := &report.Inventory{
		NOSVersion: c.session.version, AgentVersion: c.cfg.AgentVersion, Gateway: c.session.gateway,
	}
	inventory.Look(c.session.mirror.Rows(), c.cfg.Store.Ledger())
	inventory.Violations = c.session.validator.foreignViolations(c.session.mirror.Rows(), c.cfg.Store.Ledger())
	c.facts.Inventory, c.looked = inventory, c.changes
	c.measureRows()
}
