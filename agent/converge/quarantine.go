package converge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	retry    time.Duration // the first pause
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
		until: now.Add(retryPause(q.retry, q.failures[owner])),
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

// leaveOut gives the rows that are wanted without those of the owners, and
// without ports in VLANs that are left out.
func (q *quarantine) leaveOut(wanted render.Wanted) sonic.DB {
	rows := wanted.Without(q.left)
	for key := range rows {
		if vlan, ok := vlanOf(key); ok && q.left(wanted.Owners[vlan]) {
			delete(rows, key)
		}
	}
	return rows
}

// vlanOf is the VLAN that a port is in.
func vlanOf(member sonic.Key) (sonic.Key, bool) {
	name, _, _ := strings.Cut(member.Name, sonic.Separator)
	return sonic.Key{Table: sonic.TableVLAN, Name: name}, member.Table == sonic.TableVLANMember
}

// problems are what the owners are told, and those whose rows wait for theirs.
func (q *quarantine) problems(wanted render.Wanted) []v1alpha1.Problem {
	if len(q.owners) == 0 {
		return nil
	}
	var problems []v1alpha1.Problem
	for owner, s := range q.owners {
		problems = append(problems, v1alpha1.Problem{Owner: owner, Reason: s.reason, Message: s.message})
	}
	for key, owner := range wanted.Owners {
		if vlan, ok := vlanOf(key); ok && !q.left(owner) && q.left(wanted.Owners[vlan]) {
			problems = append(problems, v1alpha1.Problem{Owner: owner, Reason: render.ReasonBlocked,
				Message: fmt.Sprintf("%s waits for %s, which is left out. See the problem of %s.", key, vlan, wanted.Owners[vlan])})
		}
	}
	slices.SortFunc(problems, func(a, b v1alpha1.Problem) int {
		return cmp.Or(strings.Compare(a.Owner.String(), b.Owner.String()), strings.Compare(a.Message, b.Message))
	})
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
// all, or not what all owners stand on: that is not the owners' fault.
// It reports whether anything has changed.
func (c *Converger) judge(wanted render.Wanted, now time.Time) bool {
	p := &c.proof
	late := p.late
	p.late = nil
	if !p.answered && len(p.missed) > 0 {
		return len(late) > 0
	}
	keys := slices.SortedFunc(maps.Keys(p.missed), sonic.Key.Compare)
	base := slices.ContainsFunc(keys, func(key sonic.Key) bool { return wanted.Owners[key].Kind == v1alpha1.KindSwitch })
	byOwner := map[v1alpha1.ObjectReference]sonic.Marker{}
	for _, key := range keys {
		owner, ok := wanted.Owners[key]
		_, known := byOwner[owner]
		switch {
		case !ok || known:
		case base || !c.fresh[key]:
			p.late = append(p.late, v1alpha1.Problem{Owner: owner, Reason: render.ReasonNotTaken, Message: notShown(p.missed[key])})
		default:
			byOwner[owner] = p.missed[key]
		}
	}
	for owner, marker := range roots(byOwner) {
		c.quarantine.add(owner, render.ReasonNotTaken, render.NotTaken(marker), wanted, now)
	}
	return len(byOwner) > 0 || !slices.Equal(late, p.late)
}

// roots are the owners that the others' rows may wait for: a port is in a VLAN
// only when the VPC's VLAN is there, and is judged when that is.
func roots(late map[v1alpha1.ObjectReference]sonic.Marker) map[v1alpha1.ObjectReference]sonic.Marker {
	first := maps.Clone(late)
	maps.DeleteFunc(first, func(owner v1alpha1.ObjectReference, _ sonic.Marker) bool {
		return owner.Kind == v1alpha1.KindVPCAttachment
	})
	if len(first) > 0 {
		return first
	}
	return late
}

// notShown is what the owner of a row is told that stays although its marker is
// missing.
func notShown(marker sonic.Marker) string {
	return fmt.Sprintf("SONiC's daemons do not show that they have taken %s: %s is missing. The row stays. Look for it in the log of the swss container.", marker.Row, marker)
}
