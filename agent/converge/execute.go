package converge

import (
	"context"
	"errors"
	"time"

	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// errAgain says that the switch has to be looked at again at once: something
// was learnt that changes the plan.
var errAgain = errors.New("the plan has to be made again")

// journal records what rows are before they are touched, and on the disk: from
// then on there is a way back.
func (c *Converger) journal(change state.Journal) error {
	c.cfg.Store.BeginJournal(change)
	if err := c.cfg.Store.Remember(change.Rows); err != nil {
		return diskError{err}
	}
	return nil
}

// write carries out a plan. What is written is recorded first, and what was
// deleted is struck out last, so that at no moment a row of the agent's is
// without a record.
func (c *Converger) write(ctx context.Context, plan sonic.Plan, times *v1alpha1.ApplyTimes) error {
	if len(plan.Stages)+len(plan.Own)+len(plan.Keep)+len(plan.Disown) > 0 {
		c.changes++
	}
	if err := c.cfg.Store.Own(plan.Own); err != nil {
		return diskError{err}
	}
	if err := c.carryOut(ctx, plan, times); err != nil {
		return err
	}
	if err := errors.Join(c.cfg.Store.Own(plan.Keep), c.cfg.Store.Disown(plan.Disown)); err != nil {
		return diskError{err}
	}
	return nil
}

// carryOut sends the commands, and waits after each stage for what it has to
// wait for.
func (c *Converger) carryOut(ctx context.Context, plan sonic.Plan, times *v1alpha1.ApplyTimes) error {
	if len(plan.Stages) == 0 {
		return nil
	}
	before := sonic.DB{}
	for key, row := range touched(plan, c.session.mirror.Rows()) {
		before[key] = row.Fields
	}
	begin, waited := time.Now(), time.Duration(0)
	whole := false
	defer func() {
		if !whole {
			// Some of it may have been written, and is not waited for.
			c.proof.recheck, c.proof.since = time.Now(), time.Now()
		}
	}()
	for _, stage := range plan.Stages {
		if err := c.tooSoon(ctx, stage); err != nil {
			return err
		}
		if err := c.session.mirror.Apply(ctx, stage.Commands); err != nil {
			return err
		}
		c.noteFresh(stage.Commands)
		wait := time.Now()
		missing, err := c.await(ctx, stage)
		waited += time.Since(wait)
		if err != nil {
			return err
		}
		if len(missing) > 0 {
			c.stuck.add(missing, before, time.Now())
			c.cfg.Log.Warn("SONiC's daemons do not let go", "waiting for", missing[0].String(), "rows", len(missing))
			return errAgain
		}
		if err := c.undisturbed(ctx, stage); err != nil {
			return err
		}
	}
	whole = true
	if n := plan.Commands(); n > 0 {
		times.Write, times.Wait, times.Commands = (time.Since(begin) - waited).Microseconds(), waited.Microseconds(), int32(n)
		c.facts.LastChange = times
		c.unsaved(time.Now())
		c.untidy = c.untidy || n > largePlan
		c.cfg.Metrics.Commands.Add(float64(n))
		c.cfg.Metrics.MarkerWait.Add(waited.Seconds())
		c.cfg.Log.Info("CONFIG_DB changed", "commands", n, "stages", len(plan.Stages), "microseconds", times.Write, "waited", times.Wait)
	}
	c.proof.wrote(plan.Accepted(), time.Now())
	return nil
}

// undisturbed looks, after a wait, whether somebody else changed CONFIG_DB in the
// meantime: the rest of the plan may be wrong then.
func (c *Converger) undisturbed(ctx context.Context, stage sonic.Stage) error {
	if len(stage.Await) == 0 {
		return nil
	}
	changed, all, err := c.refresh(ctx)
	if err != nil {
		return err
	}
	if all || len(changed) > 0 {
		return errAgain
	}
	return nil
}

// noteFresh remembers rows that have never been in force, and forgets those
// that are gone.
func (c *Converger) noteFresh(commands []sonic.Command) {
	for _, command := range commands {
		switch command.Op {
		case sonic.Create, sonic.Extend:
			c.fresh[command.Key] = true
		case sonic.Delete:
			delete(c.fresh, command.Key)
		case sonic.Set, sonic.Unset: // it is as fresh as it was
		}
	}
}

// touched are the rows that a plan changes, as they are before it.
func touched(plan sonic.Plan, rows sonic.DB) map[sonic.Key]state.Before {
	before := make(map[sonic.Key]state.Before, plan.Commands())
	for _, stage := range plan.Stages {
		for _, command := range stage.Commands {
			fields, there := rows[command.Key]
			before[command.Key] = state.Before{There: there, Fields: fields}
		}
	}
	return before
}
