package converge

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/switchlet/switchlet/agent/persist"
	"github.com/switchlet/switchlet/agent/report"
)

// Pauses of persisting: before it, so that a burst of changes is saved once, and
// after an attempt that failed.
const (
	persistPause = time.Second
	persistRetry = 10 * time.Second
)

// unsaved notes that rows were changed, or may have been before the agent came.
func (c *Converger) unsaved(now time.Time) {
	if c.cfg.Persister != nil {
		c.persistAt = now.Add(persistPause)
	}
}

// persist puts the agent's rows into SONiC's own file, once for each revision
// that is confirmed, so that they are there at the next boot before the agent is.
func (c *Converger) persist(now time.Time) {
	if c.persistAt.IsZero() || now.Before(c.persistAt) || c.trial.open() || c.cfg.Store.Ledger() == nil {
		return
	}
	if len(c.cfg.Store.Ledger()) > largePlan {
		debug.FreeOSMemory() // the whole file will be in memory: not beside what the change has left behind
	}
	outcome, err := c.cfg.Persister.Save(persist.Owned(c.session.mirror.Rows(), c.cfg.Store.Ledger()))
	c.persistAt = time.Time{}
	if err != nil {
		c.persistAt = now.Add(persistRetry)
		c.facts.Persisted = report.State{Reason: "WriteFailed", Message: fmt.Sprintf("%v. The agent tries again. Until then a reboot of the switch begins without the agent's last changes, and they come with the agent.", err)}
		if errors.Is(err, persist.ErrBusy) {
			c.facts.Persisted.Reason = "Busy"
		}
		c.cfg.Metrics.Saves.Add(1, "failed")
		return
	}
	c.cfg.Metrics.Saves.Add(1, "saved")
	c.facts.Persisted = report.State{OK: true, Reason: "Persisted", Message: outcome.Damage}
	if outcome.Changed {
		c.untidy = true // the whole file was in memory
		c.cfg.Log.Info("the agent's rows were saved in config_db.json")
	}
}

// persistTime is when to persist; zero if there is nothing to.
func (c *Converger) persistTime() time.Time {
	if c.trial.open() || c.cfg.Store.Ledger() == nil {
		return time.Time{}
	}
	return c.persistAt
}
