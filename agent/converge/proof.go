package converge

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// How long a marker may take. On a real switch it takes 0.1 to 0.2 s; when
// thousands of rows are written at once, some come all the time.
const (
	defaultPatience = 10 * time.Second
	// settlePart of the patience is what daemons get to finish something that is
	// to be deleted anyway.
	settlePart = 5
	// recheckPause is how long after a change of a daemon's row that was not
	// waited for everything is looked at again.
	recheckPause = time.Second
)

// proof is what daemons have not shown yet of the rows that were written.
type proof struct {
	// open are the markers that are waited for.
	open []sonic.Marker
	// since is when one of them last came, when rows were last written, or when
	// the connection was made: what an earlier agent wrote is not known.
	since time.Time
	// answered: a marker has come since rows were last written, so there are
	// daemons at work.
	answered bool
	// missed are those of open that did not come in time, by row.
	missed map[sonic.Key]sonic.Marker
	// late are what owners are told of rows in missed that stay.
	late []v1alpha1.Problem
	// recheck is when all rows are to be looked at again; zero if they need not.
	recheck time.Time
}

// wrote adds the markers of rows that were just written.
func (p *proof) wrote(markers []sonic.Marker, now time.Time) {
	if len(markers) == 0 {
		return
	}
	fresh := make(map[sonic.Key]bool, len(markers))
	for _, marker := range markers {
		fresh[marker.Row] = true
		delete(p.missed, marker.Row)
	}
	kept := p.open[:0]
	for _, marker := range p.open {
		if !fresh[marker.Row] {
			kept = append(kept, marker)
		}
	}
	p.open = slices.Concat(kept, markers)
	p.since, p.answered = now, false
}

// forget drops the markers of rows that are not there any more.
func (p *proof) forget(rows sonic.DB) {
	kept := p.open[:0]
	for _, marker := range p.open {
		if _, ok := rows[marker.Row]; ok {
			kept = append(kept, marker)
		}
	}
	p.open = kept
	for key := range p.missed {
		if _, ok := rows[key]; !ok {
			delete(p.missed, key)
		}
	}
}

// saw takes what is still missing.
func (p *proof) saw(missing []sonic.Marker, now time.Time, patience time.Duration) {
	if len(missing) < len(p.open) {
		p.since, p.answered = now, true
	}
	p.open = missing
	there := make(map[sonic.Key]bool, len(missing))
	for _, marker := range missing {
		there[marker.Row] = true
	}
	for key := range p.missed {
		if !there[key] {
			delete(p.missed, key)
		}
	}
	if len(missing) == 0 || now.Sub(p.since) < patience {
		return
	}
	if p.missed == nil {
		p.missed = map[sonic.Key]sonic.Marker{}
	}
	for _, marker := range missing {
		p.missed[marker.Row] = marker
	}
}

// deadline is when markers that do not come are late; zero when none are waited
// for, or when all of them are late already.
func (p *proof) deadline(patience time.Duration) time.Time {
	if p.waiting() == 0 {
		return time.Time{}
	}
	return p.since.Add(patience)
}

// waiting is the number of markers that may still come in time.
func (p *proof) waiting() int {
	n := 0
	for _, marker := range p.open {
		if _, late := p.missed[marker.Row]; !late {
			n++
		}
	}
	return n
}

// prove looks which of the markers of rows written have come.
func (c *Converger) prove(ctx context.Context, now time.Time) error {
	p := &c.proof
	p.forget(c.session.mirror.Rows())
	changed, all := c.session.markers.Changed()
	if all {
		p.recheck = now
	} else if len(changed) > 0 && len(p.open) == 0 && p.recheck.IsZero() {
		p.recheck = now.Add(recheckPause)
	}
	if !p.recheck.IsZero() && !now.Before(p.recheck) {
		p.recheck = time.Time{}
		c.reopen(now)
	}
	if len(p.open) == 0 {
		return nil
	}
	missing, err := c.session.markers.Missing(ctx, p.open)
	if err != nil {
		return err
	}
	open := p.open
	p.saw(missing, now, c.cfg.Patience)
	c.noteTaken(open, missing)
	return nil
}

// noteTaken remembers of rows that daemons have taken that they were in force.
func (c *Converger) noteTaken(open, missing []sonic.Marker) {
	held := make(map[sonic.Key]bool, len(missing))
	for _, marker := range missing {
		held[marker.Row] = true
	}
	for _, marker := range open {
		if !held[marker.Row] {
			delete(c.fresh, marker.Row)
		}
	}
	if len(c.fresh) == 0 {
		c.fresh = map[sonic.Key]bool{} // an emptied one keeps its size
	}
}

// reopen looks for the markers of all rows again: daemons may have been
// restarted.
func (c *Converger) reopen(now time.Time) {
	ledger, rows := c.cfg.Store.Ledger(), c.session.mirror.Rows()
	keys := make([]sonic.Key, 0, len(ledger))
	for key := range ledger {
		keys = append(keys, key)
	}
	p := &c.proof
	p.open = rows.Accepted(keys)
	p.since, p.answered = now, false
}

// taken says whether daemons have taken all that was written.
func (c *Converger) taken() report.State {
	p := &c.proof
	switch {
	case len(p.open) == 0:
		return report.State{OK: true, Reason: "Converged", Message: "The rows of the spec are in CONFIG_DB, and SONiC's daemons have taken them, apart from status.problems."}
	case p.waiting() > 0:
		return report.State{Reason: v1alpha1.ReasonConverging, Message: fmt.Sprintf("The rows are in CONFIG_DB. SONiC's daemons still have to take %d of them.", p.waiting())}
	case !p.answered:
		return report.State{Reason: "DaemonsSilent", Message: fmt.Sprintf("The rows are in CONFIG_DB, and SONiC's daemons have taken none of the last %d for %v: %s did not come. Look at the swss container.", len(p.open), c.cfg.Patience, p.open[0])}
	}
	return report.State{OK: true, Reason: "ConvergedPartly", Message: "The rows of the spec are in CONFIG_DB, and SONiC's daemons have taken them, apart from status.problems."}
}
