package converge

import (
	"maps"
	"slices"
	"time"

	"github.com/switchlet/switchlet/agent/render"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// quarantine keeps the rows of owners out that SONiC does not take, so that the
// others' go on. An owner comes back when its rows change, and is tried again
// after pauses that grow.
type quarantine struct {
	owners   map[v1alpha1.ObjectReference]*sentence
	failures map[v1alpha1.ObjectReference]int
}

// sentence is why an owner is left out, and until when.
type sentence struct {
	reason, message string
	until           time.Time
	rows            sonic.DB // of the owner, when it was judged
}

// add leaves an owner out.
func (q *quarantine) add(owner v1alpha1.ObjectReference, reason, message string, wanted render.Wanted, now time.Time) {
	if q.owners == nil {
		q.owners, q.failures = map[v1alpha1.ObjectReference]*sentence{}, map[v1alpha1.ObjectReference]int{}
	}
	q.owners[owner] = &sentence{
		reason: reason, message: message, rows: wanted.RowsOf(owner),
		until: now.Add(jitter(min(minRetry<<min(q.failures[owner], 16), maxRetry))),
	}
	q.failures[owner]++
}

// review releases owners whose rows are others now, and those that it is time to
// try again. Failures are forgotten only with a change.
func (q *quarantine) review(wanted render.Wanted, now time.Time) {
	for owner, s := range q.owners {
		changed := !s.rows.Equal(wanted.RowsOf(owner))
		if changed {
			delete(q.failures, owner)
		}
		if changed || !now.Before(s.until) {
			delete(q.owners, owner)
		}
	}
}

// problems are what the owners are told.
func (q *quarantine) problems() []v1alpha1.Problem {
	var problems []v1alpha1.Problem
	for owner, s := range q.owners {
		problems = append(problems, v1alpha1.Problem{Owner: owner, Reason: s.reason, Message: s.message})
	}
	return problems
}

// left reports whether an owner is left out.
func (q *quarantine) left(owner v1alpha1.ObjectReference) bool {
	_, ok := q.owners[owner]
	return ok
}

// next is when an owner is to be tried again; zero if none is left out.
func (q *quarantine) next() time.Time {
	times := make(map[v1alpha1.ObjectReference]time.Time, len(q.owners))
	for owner, s := range q.owners {
		times[owner] = s.until
	}
	return earliest(times)
}

// judge leaves out the owners of rows that daemons did not take. Rows that were
// taken before stay, and so does everything while the daemons take nothing at
// all: that is not the owners' fault.
// It reports whether it left out any.
func (c *Converger) judge(wanted render.Wanted, now time.Time) bool {
	p := &c.proof
	if !p.answered {
		return false
	}
	byOwner := map[v1alpha1.ObjectReference][]sonic.Marker{}
	for _, key := range slices.SortedFunc(maps.Keys(p.missed), sonic.Key.Compare) {
		owner, ok := wanted.Owners[key]
		if ok && owner.Kind != v1alpha1.KindSwitch && c.fresh[key] {
			byOwner[owner] = append(byOwner[owner], p.missed[key])
		}
	}
	for owner, markers := range byOwner {
		c.quarantine.add(owner, render.ReasonNotTaken, render.NotTaken(markers[0]), wanted, now)
	}
	return len(byOwner) > 0
}
