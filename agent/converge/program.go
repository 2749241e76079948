package converge

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/switchlet/switchlet/agent/render"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// diskError is a failure to keep something on the switch's disk.
type diskError struct{ error }

func (e diskError) Unwrap() error { return e.error }

// program makes the rows of CONFIG_DB those of the spec in force.
func (c *Converger) program(ctx context.Context, d desired, times *v1alpha1.ApplyTimes) error {
	now := time.Now()
	c.drift.policy, c.rests = d.drift, false
	if err := c.forgive(d); err != nil {
		return err
	}
	if reason, err := c.mustRevert(ctx, d, now); err != nil {
		return err
	} else if reason != "" {
		return c.revert(ctx, reason)
	}
	if c.orphaned(d) {
		c.rests = true
		c.holdOrphan(d)
		return nil
	}
	spec, wanted, ok := c.choose(d)
	if !ok {
		c.rests = true
		c.facts.Problems = c.rolledBack(d)
		return c.start(nil)
	}
	times.Render = since(now)
	if err := c.start(wanted.Rows); err != nil {
		return err
	}
	if err := c.stuck.release(ctx, c.session.markers, now); err != nil {
		return err
	}
	c.hear(wanted, now)
	begin := time.Now()
	plan, rows, err := c.validated(wanted, d.drift, now)
	if err != nil {
		return err
	}
	times.Diff = since(begin)
	c.noteProblems(d, slices.Concat(wanted.AllProblems(plan.Conflicts, c.box()), c.quarantine.problems(wanted), c.proof.late, c.routing.told(), c.rolledBack(d)))
	if d.paused && len(plan.Stages) > 0 {
		c.rests = true
		c.facts.Programmed = report.State{Reason: "Paused", Message: fmt.Sprintf("spec.paused of Switch %s is true: %d commands wait for it to become false.", c.cfg.Node, plan.Commands())}
		return c.keepPaused(d)
	}
	if err := c.put(ctx, d, spec, plan, times); err != nil {
		return err
	}
	now = time.Now() // a plan can have waited for many seconds
	if err := c.prove(ctx, now); err != nil {
		return err
	}
	c.drift.written(rows)
	c.tellDrift(now)
	c.route(ctx, d, spec, now)
	if c.judge(wanted, now) {
		return errAgain
	}
	return c.keep(d, spec)
}

// plan leaves out the owners that SONiC does not take.
// It gives the rows that are wanted then, too.
func (c *Converger) plan(wanted render.Wanted, now time.Time) (sonic.Plan, sonic.DB) {
	c.quarantine.review(wanted, now)
	rows := wanted.Rows
	if len(c.quarantine.owners) > 0 {
		rows = c.quarantine.leaveOut(wanted)
	}
	s := c.session
	if s.balance == nil {
		s.balance = sonic.NewBalance(s.mirror.Rows(), rows, c.cfg.Store.Ledger())
	}
	s.balance.Want(rows)
	return s.balance.Diff(c.leftAlone()), rows
}

// put writes a plan and puts it on trial. What is confirmed already and only
// written again, such as after a change by hand, is not: there is nothing better
// to go back to.
func (c *Converger) put(ctx context.Context, d desired, spec *v1alpha1.SwitchConfigSpec, plan sonic.Plan, times *v1alpha1.ApplyTimes) error {
	unfinished, begun := c.cfg.Store.Journal() != nil, c.drift.writing
	if plan.Commands() > 0 {
		c.drift.writing = true
	}
	changes := c.rerouted(d, spec) || plan.Commands() > 0
	if changes && (unfinished || !c.isGood(spec.Revision)) || unfinished && !c.trial.open() {
		c.probeFRR()
		change := c.begin(ctx, spec, plan)
		if err := c.journal(change); err != nil {
			return err
		}
		c.onTrial(change, c.lastGood(d, spec), begun, time.Now())
		defer func() { c.trial.written(time.Now()) }()
	}
	c.leave(ctx, plan, spec, c.cfg.Patience)
	if c.trial.lost != "" {
		return errAgain
	}
	return c.write(ctx, plan, times)
}

// choose says which spec is in force: the newest if it can be rendered, else
// the last good one.
func (c *Converger) choose(d desired) (*v1alpha1.SwitchConfigSpec, render.Wanted, bool) {
	c.facts.Generation, c.facts.AppliedGeneration = d.generations(c.inForce)
	if reason, bad := c.bad(d); bad {
		c.facts.BadRevision = d.config.Spec.Revision
		c.facts.Confirmed = takenBack(c.facts.BadRevision, reason)
		c.facts.Rendered = report.State{OK: true, Reason: "Rendered"}
		c.facts.Programmed = report.State{Reason: "RolledBack", Message: fmt.Sprintf("Revision %s was taken back. %s %s", d.config.Spec.Revision, reason, c.staying())}
	} else if d.compiled() {
		c.facts.BadRevision = ""
		wanted, err := c.render(&d.config.Spec)
		if err == nil {
			c.renderedGood = rendered{}
			return &d.config.Spec, wanted, true
		}
		c.facts.Rendered = report.State{Reason: "InvalidSpec", Message: fmt.Sprintf("%v. %s", err, c.staying())}
		c.facts.Programmed = c.facts.Rendered
	} else {
		c.facts.Rendered = report.State{Reason: v1alpha1.ReasonProgressing, Message: waiting(d) + " " + c.staying()}
		c.facts.Programmed = c.facts.Rendered
	}
	if c.good == nil {
		return nil, render.Wanted{}, false
	}
	wanted, err := c.renderGood()
	return &c.good.Spec, wanted, err == nil
}

// bad reports whether the newest spec was tried and broke something.
func (c *Converger) bad(d desired) (reason string, bad bool) {
	if !d.compiled() {
		return "", false
	}
	return c.cfg.Store.Bad(d.config.Spec.Revision)
}

func waiting(d desired) string {
	switch {
	case d.configGone:
		return "The SwitchConfig was deleted."
	case d.config != nil:
		return "The controller has not compiled this SwitchConfig yet."
	}
	return "The SwitchConfig and the Switch have not both been read from the API server yet."
}

// staying says what is in force meanwhile.
func (c *Converger) staying() string {
	if c.good == nil {
		return "Nothing was written to CONFIG_DB yet."
	}
	return fmt.Sprintf("The last good revision %s stays in force.", c.good.Spec.Revision)
}

// start makes sure that there is a ledger. If it was lost, the agent's rows are
// those that are exactly as they are, or were last, wanted.
func (c *Converger) start(want sonic.DB) error {
	if c.cfg.Store.Ledger() != nil {
		return nil
	}
	rows := c.session.mirror.Rows()
	ledger := sonic.Adopt(rows, want)
	if c.good != nil {
		if last, err := c.renderGood(); err == nil {
			for key, names := range sonic.Adopt(rows, last.Rows) {
				ledger[key] = names
			}
		}
	}
	if want == nil && c.good == nil {
		return nil // nothing is written before there is a spec: that may name rows too
	}
	c.session.balance = nil
	if err := c.cfg.Store.SetLedger(ledger); err != nil {
		return diskError{err}
	}
	if len(ledger) > 0 {
		c.recovered(fmt.Sprintf("The record of the agent's rows was missing. %d rows of CONFIG_DB that are exactly as wanted were taken as the agent's.", len(ledger)))
	}
	return nil
}

func (c *Converger) recovered(message string) {
	if c.facts.StateSaved.Message != "" {
		message = c.facts.StateSaved.Message + "; " + message
	}
	c.facts.StateSaved = report.State{OK: true, Reason: "Recovered", Message: message}
}

// noteProblems reports on the spec of the API; problems of the last good one
// are no news.
func (c *Converger) noteProblems(d desired, problems []v1alpha1.Problem) {
	c.facts.Problems = problems
	if _, bad := c.bad(d); bad || !d.compiled() || c.rendered.err != nil {
		return
	}
	c.facts.Rendered = report.State{OK: true, Reason: "Rendered"}
	if len(problems) > 0 {
		c.facts.Rendered = report.State{Reason: "Problems", Message: fmt.Sprintf("%d parts of the spec are not in force, see status.problems. The first: %s: %s", len(problems), problems[0].Owner, problems[0].Message)}
	}
}

// keep reports on the spec in force. If nothing of it is on trial, it is the
// last good one.
func (c *Converger) keep(d desired, spec *v1alpha1.SwitchConfigSpec) error {
	good := c.lastGood(d, spec)
	if !c.trial.open() {
		if err := c.save(good); err != nil {
			return err
		}
		if err := c.cfg.Store.CloseJournal(); err != nil { // of a change that ended as it began
			return diskError{err}
		}
	}
	if d.config == nil || spec != &d.config.Spec {
		return nil
	}
	if !c.trial.open() && !c.facts.Confirmed.OK { // of a revision before
		c.facts.Confirmed = report.State{OK: true, Reason: "Confirmed", Message: "Nothing is on trial."}
	}
	if c.facts.Programmed = c.taken(); c.facts.Programmed.OK {
		c.inForce = &good
		c.facts.AppliedGeneration, c.facts.AppliedRevision = good.Generation, spec.Revision
	}
	return nil
}

// lastGood is what to keep of a spec on the disk.
func (c *Converger) lastGood(d desired, spec *v1alpha1.SwitchConfigSpec) state.LastGood {
	good := state.LastGood{Paused: d.paused, Drift: d.drift, Spec: *spec}
	switch {
	case d.config != nil && spec == &d.config.Spec:
		good.UID, good.Generation = d.config.UID, d.config.Generation
	case c.good != nil:
		good.UID, good.Generation = c.good.UID, c.good.Generation
	}
	return good
}

// keepPaused remembers that nothing is to be changed, also after a restart
// without the API server.
func (c *Converger) keepPaused(d desired) error {
	if c.good == nil {
		return nil
	}
	good := *c.good
	good.Paused, good.Drift = d.paused, d.drift
	return c.save(good)
}

func (c *Converger) save(good state.LastGood) error {
	if c.good != nil && same(*c.good, good) {
		return c.savedAgain(nil)
	}
	if err := c.cfg.Store.SaveLastGood(good); err != nil {
		return c.savedAgain(diskError{err})
	}
	c.good = &good
	return c.savedAgain(nil)
}

// savedAgain takes back an earlier failure to write.
func (c *Converger) savedAgain(err error) error {
	if err == nil && !c.facts.StateSaved.OK {
		c.facts.StateSaved = report.State{OK: true, Reason: "Saved"}
	}
	return err
}

// same compares all but the specs, which are equal if their revisions are.
func same(a, b state.LastGood) bool {
	return a.UID == b.UID && a.Generation == b.Generation && a.Paused == b.Paused && a.Drift == b.Drift && a.Spec.Revision == b.Spec.Revision
}
