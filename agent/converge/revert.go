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

// orphanPause is how long an agent that finds a change unfinished waits for the
// API server to say what is wanted, before it takes the change back.
const orphanPause = 10 * time.Second

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
	if lost != "" {
		reason := "What worked before it did not work with it: " + lost
		if err := c.cfg.Store.MarkBad(open.Revision, reason, now); err != nil {
			return "", diskError{err}
		}
		c.cfg.Metrics.Rollbacks.Add(1)
		return reason, nil
	}
	if !c.trial.open() && !d.compiled() && now.Sub(c.started) >= orphanPause {
		return "The agent was stopped in the middle of it, and the API server could not be asked.", nil
	}
	return "", nil
}

// revert brings back the rows as they were before the change in the journal.
func (c *Converger) revert(ctx context.Context, reason string) error {
	open := c.cfg.Store.Journal()
	revision := open.Revision
	rows, ledger := c.session.mirror.Rows(), c.cfg.Store.Ledger()
	plan := sonic.DiffAround(c.stuck.rows, rows, past(*open, rows, ledger), ledger)
	c.drift.writing = true
	if err := c.write(ctx, plan, &v1alpha1.ApplyTimes{}); err != nil {
		return err
	}
	if err := c.cfg.Store.CloseJournal(); err != nil {
		return diskError{err}
	}
	c.trial = trial{}
	c.cfg.Log.Warn("revision taken back", "revision", revision, "base", open.Base, "reason", reason, "commands", plan.Commands())
	c.facts.Confirmed = report.State{Reason: "RolledBack", Message: fmt.Sprintf("Revision %s was taken back. %s", revision, reason)}
	return errAgain
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
	if c.cfg.Store.Journal() == nil || c.trial.open() || time.Since(c.started) >= orphanPause {
		return time.Time{}
	}
	return c.started.Add(orphanPause)
}
