package converge

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/agent/render"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// reasonRolledBack: the revision broke something and was taken back.
const reasonRolledBack = "RolledBack"

// maxReason bounds what a problem's message quotes, so that its end, what to do,
// fits into the 1,024 bytes that the API takes.
const maxReason = 640

// told are the problems of the owners of a bad revision, and of which, so that
// they are found once.
type told struct {
	bad, good string
	problems  []v1alpha1.Problem
}

// rolledBack tells those whom the newest revision was made for that it was taken
// back: the owners of all rows that differ between it and the last good one.
func (c *Converger) rolledBack(d desired) []v1alpha1.Problem {
	reason, bad := c.bad(d)
	if !bad {
		c.told = told{}
		return nil
	}
	t := told{bad: d.config.Spec.Revision}
	if c.good != nil {
		t.good = c.good.Spec.Revision
	}
	if t.bad != c.told.bad || t.good != c.told.good {
		t.problems = c.explainRollback(&d.config.Spec, reason)
		c.told = t
	}
	return c.told.problems
}

func (c *Converger) explainRollback(spec *v1alpha1.SwitchConfigSpec, reason string) []v1alpha1.Problem {
	tried, err := render.Render(spec, c.box())
	if err != nil {
		return nil // then it was never written
	}
	var kept render.Wanted
	if c.good != nil {
		if kept, err = render.Render(&c.good.Spec, c.box()); err != nil {
			return nil
		}
	}
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "") + " …"
	}
	var problems []v1alpha1.Problem
	for owner, rows := range changed(kept, tried) {
		problems = append(problems, v1alpha1.Problem{Owner: owner, Reason: reasonRolledBack, Message: fmt.Sprintf(
			"Revision %s changes %s, and was taken back by the switch. %s What was in force before stays. It is not tried again before its owner wants something else, or spec.paused of the Switch was true and is false again.", spec.Revision, count(rows), reason)})
	}
	slices.SortFunc(problems, func(a, b v1alpha1.Problem) int { return strings.Compare(a.Owner.String(), b.Owner.String()) })
	return problems
}

// changed are the rows that differ, in rising order, by whom they are for, before
// or after.
func changed(before, after render.Wanted) map[v1alpha1.ObjectReference][]sonic.Key {
	rows := map[sonic.Key]bool{}
	for key, fields := range after.Rows {
		if was, there := before.Rows[key]; !there || !slices.Equal(was, fields) || before.Owners[key] != after.Owners[key] {
			rows[key] = true
		}
	}
	for key := range before.Rows {
		if _, stays := after.Rows[key]; !stays {
			rows[key] = true
		}
	}
	owners := map[v1alpha1.ObjectReference][]sonic.Key{}
	for _, key := range slices.SortedFunc(maps.Keys(rows), sonic.Key.Compare) {
		was, is := before.Owners[key], after.Owners[key]
		if was.Kind != "" {
			owners[was] = append(owners[was], key)
		}
		if is.Kind != "" && is != was {
			owners[is] = append(owners[is], key)
		}
	}
	return owners
}

// count is rows for people.
func count(rows []sonic.Key) string {
	if len(rows) == 1 {
		return rows[0].String()
	}
	return fmt.Sprintf("%s and %d more rows", rows[0], len(rows)-1)
}
