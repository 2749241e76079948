package converge

import (
	"context"
	"fmt"
	"time"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

const defaultOrphan = 10 * time.Second

// mustRevert says why the change in the journal has to be taken back, if it has:
// it broke something, or the agent was stopped in the middle of it and nobody
// says how it goes on.
func (c *Converger) mustRevert(ctx context.Context, d desired, now time.Time) (string, error) {
	open := c.cfg.Store.Journal()
	if open == nil {
		return "", nil
	}
	if reason, bad := c.cfg.Store.Bad(open.Revision); bad {
		return reason, nil // begun and not finished
	}
	lost, err := c.judgeTrial(ctx, now)
	if err != nil {
		return "", err
	}
	if lost != "" && c.isGood(open.Revision) {
		return "", c.confirm(len(c.trial.writes)) // the way back was gone already
	}
	if lost != "" {
		reason := "What worked before it did not work with it: " + lost + "."
		if err := c.cfg.Store.MarkBad(open.Revision, reason, now); err != nil {
			return "", diskError{err}
		}
		if err := c.condemn(reason); err != nil {
			return "", err
		}
		c.cfg.Metrics.Rollbacks.Add(1)
		return reason, nil
	}
	if c.orphaned(d) && !d.paused && now.Sub(c.started) >= c.cfg.Orphan {
		return "The agent was stopped in the middle of it, and the API server could not be asked.", nil
	}
	return "", nil
}

// orphaned reports whether a change was begun by an agent that was stopped in
// the middle of it, and nobody says what is wanted.
func (c *Converger) orphaned(d desired) bool {
	return c.cfg.Store.Journal() != nil && !c.trial.open() && !d.compiled()
}

// holdOrphan leaves such a change as it is for now: the API server will say
// whether to go on with it.
func (c *Converger) holdOrphan(d desired) {
	c.facts.Generation, c.facts.AppliedGeneration = d.generations(c.inForce)
	c.facts.Rendered = report.State{Reason: v1alpha1.ReasonProgressing, Message: waiting(d)}
	c.facts.Programmed = report.State{Reason: v1alpha1.ReasonProgressing, Message: fmt.Sprintf("An earlier agent was stopped in the middle of revision %s. If the API server cannot be asked soon, it is taken back.", c.cfg.Store.Journal().Revision)}
}

// isGood reports whether a revision is the last good one.
func (c *Converger) isGood(revision string) bool {
	return c.good != nil && c.good.Spec.Revision == revision
}

// revert brings back the rows as they were before the change in the journal.
func (c *Converger) revert(ctx context.Context, reason string) error {
	open := c.cfg.Store.Journal()
	revision := open.Revision
	rows, ledger := c.session.mirror.Rows(), c.cfg.Store.Ledger()
	plan := sonic.DiffAround(c.leftAlone(), rows, past(*open, rows, ledger), ledger)
	c.session.balance = nil
	c.drift.writing = true
	var before *v1alpha1.SwitchConfigSpec
	if c.good != nil {
		before = &c.good.Spec
	}
	c.leave(ctx, plan, before, c.cfg.Patience/settlePart)
	if err := c.write(ctx, plan, &v1alpha1.ApplyTimes{}); err != nil {
		return err
	}
	if err := c.cfg.Store.CloseJournal(); err != nil {
		return diskError{err}
	}
	c.trial = trial{}
	c.returned()
	if c.inForce, c.facts.AppliedRevision = c.good, ""; c.good != nil {
		c.facts.AppliedRevision = c.good.Spec.Revision
	}
	c.cfg.Log.Warn("revision taken back", "revision", revision, "base", open.Base, "reason", reason, "commands", plan.Commands())
	c.facts.Confirmed = takenBack(revision, reason)
	return errAgain
}

func takenBack(revision, reason string) report.State {
	return report.State{Reason: "RolledBack", Message: fmt.Sprintf("Revision %s was taken back. %s", revision, reason)}
}

// past is the agent's rows as they were before a change.
func past(j state.Journal, rows sonic.DB, ledger sonic.Ledger) sonic.DB {
	want := sonic.DB{}
	for key, names := range ledger {
		fields, there := rows[key]
		if before, ok := j.Rows[key]; ok {
			fields, there = before.Fields, before.There
		}
		if there {
			want[key] = fields.Only(names)
		}
	}
	return want
}

// orphanTime is when a change that an earlier agent left unfinished is taken
// back; zero if there is none.
func (c *Converger) orphanTime() time.Time {
	if c.cfg.Store.Journal() == nil || c.trial.open() || time.Since(c.started) >= c.cfg.Orphan {
		return time.Time{}
	}
	return c.started.Add(c.cfg.Orphan)
}
