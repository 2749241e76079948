package converge

import (
	"context"
	"fmt"
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
	begin := time.Now()
	spec, wanted, ok := c.choose(d)
	if !ok {
		return c.start(nil)
	}
	times.Render = since(begin)
	if err := c.start(wanted.Rows); err != nil {
		return err
	}
	begin = time.Now()
	plan := sonic.Diff(c.session.mirror.Rows(), wanted.Rows, c.cfg.Store.Ledger())
	times.Diff = since(begin)
	c.noteProblems(d, wanted.AllProblems(plan.Conflicts, c.box()))
	if d.paused && len(plan.Stages) > 0 {
		c.facts.Programmed = report.State{Reason: "Paused", Message: fmt.Sprintf("spec.paused of Switch %s is true: %d commands wait for it to become false.", c.cfg.Node, plan.Commands())}
		return c.keepPaused(d)
	}
	if err := c.write(ctx, plan, times); err != nil {
		return err
	}
	return c.keep(d, spec)
}

// choose says which spec is in force: the newest if it can be rendered, else
// the last good one.
func (c *Converger) choose(d desired) (*v1alpha1.SwitchConfigSpec, render.Wanted, bool) {
	c.facts.Generation, c.facts.AppliedGeneration = d.generations(c.good)
	if d.compiled() {
		wanted, err := c.render(&d.config.Spec)
		if err == nil {
			return &d.config.Spec, wanted, true
		}
		c.facts.Rendered = report.State{Reason: "InvalidSpec", Message: fmt.Sprintf("%v. %s", err, c.staying())}
		c.facts.Programmed = c.facts.Rendered
	} else {
		c.facts.Rendered = report.State{Reason: "Progressing", Message: waiting(d) + " " + c.staying()}
		c.facts.Programmed = c.facts.Rendered
	}
	if c.good == nil {
		return nil, render.Wanted{}, false
	}
	wanted, err := render.Render(&c.good.Spec, c.box())
	return &c.good.Spec, wanted, err == nil
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
		if last, err := render.Render(&c.good.Spec, c.box()); err == nil {
			for key, names := range sonic.Adopt(rows, last.Rows) {
				ledger[key] = names
			}
		}
	}
	if want == nil && c.good == nil {
		return nil // nothing is written before there is a spec: that may name rows too
	}
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
	if !d.compiled() || c.rendered.err != nil {
		return
	}
	c.facts.Rendered = report.State{OK: true, Reason: "Rendered"}
	if len(problems) > 0 {
		c.facts.Rendered = report.State{Reason: "Problems", Message: fmt.Sprintf("%d parts of the spec are not in force, see status.problems. The first: %s: %s", len(problems), problems[0].Owner, problems[0].Message)}
	}
}

// write carries out a plan. What is written is recorded first, and what was
// deleted is struck out last, so that at no moment a row of the agent's is
// without a record.
func (c *Converger) write(ctx context.Context, plan sonic.Plan, times *v1alpha1.ApplyTimes) error {
	if err := c.cfg.Store.Own(plan.Own); err != nil {
		return diskError{err}
	}
	begin := time.Now()
	for _, stage := range plan.Stages {
		if err := c.session.mirror.Apply(ctx, stage); err != nil {
			return err
		}
	}
	if len(plan.Stages) > 0 {
		times.Write, times.Commands = since(begin), int32(plan.Commands())
		c.facts.LastChange = times
		c.cfg.Log.Info("CONFIG_DB changed", "commands", times.Commands, "stages", len(plan.Stages), "microseconds", times.Write)
	}
	if err := c.cfg.Store.Disown(plan.Disown); err != nil {
		return diskError{err}
	}
	return nil
}

// keep makes the spec in force the last good one.
func (c *Converger) keep(d desired, spec *v1alpha1.SwitchConfigSpec) error {
	good := state.LastGood{Paused: d.paused, Spec: *spec}
	switch {
	case d.config != nil && spec == &d.config.Spec:
		good.UID, good.Generation = d.config.UID, d.config.Generation
	case c.good != nil:
		good.UID, good.Generation = c.good.UID, c.good.Generation
	}
	if err := c.save(good); err != nil {
		return err
	}
	if d.config == nil || spec != &d.config.Spec {
		return nil
	}
	c.facts.AppliedGeneration, c.facts.AppliedRevision = good.Generation, spec.Revision
	c.facts.Programmed = report.State{OK: true, Reason: "RowsInConfigDB", Message: "The rows of the spec are in CONFIG_DB, apart from status.problems. Whether SONiC's daemons took them is not looked at."}
	return nil
}

// keepPaused remembers that nothing is to be changed, also after a restart
// without the API server.
func (c *Converger) keepPaused(d desired) error {
	if c.good == nil {
		return nil
	}
	good := *c.good
	good.Paused = d.paused
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
	return a.UID == b.UID && a.Generation == b.Generation && a.Paused == b.Paused && a.Spec.Revision == b.Spec.Revision
}
