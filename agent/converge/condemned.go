package converge

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/agent/render"
	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// A revision that was taken back is not the last to come: the next one, made for
// somebody else, still has in it what broke something. So those whose rows the
// bad revision changed keep, in later revisions too, what they had before it, for
// as long as they want the same.

// condemn records what the change on trial brought.
func (c *Converger) condemn(reason string) error {
	bad := c.trial.writes[len(c.trial.writes)-1].good.Spec
	tried, err := render.Render(&bad, c.box())
	if err != nil {
		return fmt.Errorf("the revision on trial: %w", err)
	}
	kept := render.Wanted{}
	if c.good != nil {
		if kept, err = c.renderGood(); err != nil {
			return fmt.Errorf("the last good revision: %w", err)
		}
	}
	all := map[v1alpha1.ObjectReference]state.Condemned{}
	for _, earlier := range c.cfg.Store.Condemned() {
		all[earlier.Owner] = earlier
	}
	for owner := range changed(kept, tried) {
		all[owner] = state.Condemned{Owner: owner, Reason: reason, Wanted: tried.RowsOf(owner), Kept: kept.RowsOf(owner)}
	}
	return c.keepCondemned(all)
}

func (c *Converger) keepCondemned(all map[v1alpha1.ObjectReference]state.Condemned) error {
	list := slices.SortedFunc(maps.Values(all), func(a, b state.Condemned) int { return strings.Compare(a.Owner.String(), b.Owner.String()) })
	if err := c.cfg.Store.Condemn(list); err != nil {
		return diskError{err}
	}
	c.rendered, c.renderedGood = rendered{}, rendered{}
	return nil
}

// spare gives the condemned what they had, as long as they want what broke
// something.
func (c *Converger) spare(wanted render.Wanted) render.Wanted {
	condemned := c.cfg.Store.Condemned()
	if len(condemned) == 0 {
		return wanted
	}
	spared := render.Wanted{Rows: maps.Clone(wanted.Rows), Owners: maps.Clone(wanted.Owners), Problems: slices.Clone(wanted.Problems)}
	for _, who := range condemned {
		if !wanted.RowsOf(who.Owner).Equal(who.Wanted) {
			continue
		}
		for key := range who.Wanted {
			delete(spared.Rows, key)
			delete(spared.Owners, key)
		}
		for key, fields := range who.Kept {
			if _, taken := spared.Rows[key]; !taken {
				spared.Rows[key], spared.Owners[key] = fields, who.Owner
			}
		}
		spared.Problems = append(spared.Problems, v1alpha1.Problem{Owner: who.Owner, Reason: reasonRolledBack, Message: spareMessage(who)})
	}
	return spared
}

func spareMessage(who state.Condemned) string {
	reason := who.Reason
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "") + " …"
	}
	return fmt.Sprintf("What it wants was tried on the switch and taken back. %s What was in force before stays until it wants something else, or until spec.paused of the Switch was true and is false again.", reason)
}

// forgive tries again what was taken back, once somebody has paused the Switch
// and has let it go on: that is how people say that they have looked into it.
func (c *Converger) forgive(d desired) error {
	paused := c.paused
	c.paused = d.paused
	if !paused || d.paused || len(c.cfg.Store.Condemned()) == 0 {
		return nil
	}
	c.rendered, c.renderedGood = rendered{}, rendered{}
	if err := c.cfg.Store.Forgive(); err != nil {
		return diskError{err}
	}
	return nil
}
