package converge

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/switchlet/switchlet/agent/probe"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// trial is what was written and is not confirmed yet: it stands as long as what
// worked before works.
type trial struct {
	writes  []written
	watch   *probe.Watch
	results chan []probe.Result // of the round under way, nil if there is none
	old     bool                // that round was begun before the last write came to its end
	// repeated: the last write was one more for a revision that was written before,
	// which does not put its confirmation off.
	repeated bool
	asked    time.Time     // when the last round was begun
	pause    time.Duration // between rounds
	lost     string        // what does not work any more, once that is certain
}

// written is one change of the switch.
type written struct {
	at   time.Time      // when it was all written
	good state.LastGood // the configuration that it puts into force
	rows map[sonic.Key]state.Before
}

const (
	// askPause is how often the probes are asked while a change is on trial.
	askPause = 500 * time.Millisecond
	// rounds of probes that fit into a short trial, at least.
	rounds = 4
)

// open reports whether something is on trial.
func (t *trial) open() bool { return len(t.writes) > 0 }

// next is when the probes are to be asked; zero if they need not, or are being
// asked.
func (t *trial) next() time.Time {
	if !t.open() || t.results != nil {
		return time.Time{}
	}
	return t.asked.Add(t.pause)
}

// begin is the journal of a change about to be made, with what works before the
// first change on trial.
func (c *Converger) begin(ctx context.Context, spec *v1alpha1.SwitchConfigSpec, plan sonic.Plan) state.Journal {
	j := state.Journal{Revision: spec.Revision, Begun: time.Now(), Rows: touched(plan, c.session.mirror.Rows())}
	if c.good != nil {
		j.Base = c.good.Spec.Revision
	}
	if open := c.cfg.Store.Journal(); open != nil {
		j.Baseline = open.Baseline
	} else if c.session.prober != nil {
		j.Baseline = probe.Working(c.session.prober.Baseline(ctx, c.session.mirror.Rows()))
	}
	return j
}

// onTrial puts what is about to be written on trial. A further write for the
// same revision belongs to the one before; begun says that that did not come to
// its end.
func (c *Converger) onTrial(j state.Journal, good state.LastGood, begun bool, now time.Time) {
	t := &c.trial
	t.pause = min(askPause, c.cfg.Rules.Window/rounds)
	if last := len(t.writes) - 1; last >= 0 && t.writes[last].good.Spec.Revision == good.Spec.Revision {
		t.writes[last].extend(good, j.Rows)
		t.repeated = !begun
	} else {
		t.writes = append(t.writes, written{now, good, j.Rows})
		t.repeated = false
	}
	c.facts.Confirmed = onTrial(good.Spec.Revision)
	if t.watch == nil {
		t.watch = probe.NewWatch(c.cfg.Rules, j.Baseline, now)
	}
	t.watch.Written(now)
}

// written says that a write came to its end, or was broken off: its trial begins
// now, and that something worked while it was under way says nothing about it.
func (t *trial) written(now time.Time) {
	t.watch.Written(now)
	if !t.repeated {
		t.writes[len(t.writes)-1].at = now
	}
	t.old = t.results != nil
	t.asked = time.Time{}
}

// extend adds a further write of the same revision.
func (w *written) extend(good state.LastGood, rows map[sonic.Key]state.Before) {
	w.good = good
	for key, before := range rows {
		if _, known := w.rows[key]; !known {
			w.rows[key] = before
		}
	}
}

func onTrial(revision string) report.State {
	return report.State{OK: true, Open: true, Reason: "OnTrial", Message: fmt.Sprintf("Revision %s is taken back if what worked before it does not work with it.", revision)}
}

// judgeTrial asks the probes when it is time to, and confirms what has stood the
// trial. It says why what is on trial has to be taken back, if it has.
func (c *Converger) judgeTrial(ctx context.Context, now time.Time) (lost string, err error) {
	t := &c.trial
	if !t.open() || t.lost != "" {
		return t.lost, nil
	}
	if len(t.watch.Names()) == 0 && !c.drift.writing {
		return "", c.confirm(len(t.writes)) // nothing worked before that could be lost
	}
	verdict, what := c.observe(ctx, now)
	switch {
	case verdict == probe.Revert:
		return t.lost, nil
	case c.drift.writing || c.routing.untold(): // not all of it is written yet
		return "", nil
	case verdict == probe.Confirm:
		return "", c.confirm(len(t.writes))
	case len(what) == 0:
		return "", c.confirm(t.stood(now, c.cfg.Rules.Window))
	}
	return "", nil
}

// observe takes what the probes have found, asks them again when it is time to,
// and judges. That something is lost is kept.
func (c *Converger) observe(ctx context.Context, now time.Time) (probe.Verdict, []probe.Result) {
	t := &c.trial
	var results []probe.Result
	select {
	case results = <-t.results:
		if t.old {
			results = slices.DeleteFunc(results, func(r probe.Result) bool { return r.State != probe.Broken })
		}
		t.results, t.old = nil, false
	default:
	}
	if t.results == nil && !now.Before(t.asked.Add(t.pause)) {
		t.ask(ctx, c.session.prober, c.signal, now)
	}
	verdict, what := t.watch.Observe(now, results)
	if verdict == probe.Revert {
		t.lost = probe.Explain(what)
	}
	return verdict, what
}

// judged reports whether something is on trial that can still be lost.
func (c *Converger) judged() bool {
	t := &c.trial
	return t.open() && t.lost == "" && len(t.watch.Names()) > 0
}

// lost observes what is on trial while something else is waited for, and reports
// whether it is lost. It confirms nothing: more may still be written.
func (c *Converger) lost(ctx context.Context, now time.Time) bool {
	if c.judged() {
		c.observe(ctx, now)
	}
	return c.trial.lost != ""
}

// ask begins a round of probes, and wakes the Converger when it is over.
func (t *trial) ask(ctx context.Context, prober *probe.Prober, wake func(), now time.Time) {
	t.asked = now
	results, names := make(chan []probe.Result, 1), t.watch.Names()
	t.results = results
	go func() {
		results <- prober.Check(ctx, names)
		wake()
	}()
}

// stood is how many of the writes are old enough to be confirmed although newer
// ones are not.
func (t *trial) stood(now time.Time, window time.Duration) int {
	n := 0
	for n < len(t.writes) && now.Sub(t.writes[n].at) >= window {
		n++
	}
	return n
}

// confirm makes the first n writes on trial the last good configuration. The
// journal then begins with the next. It is closed only when there is another
// way to the same rows on the disk.
func (c *Converger) confirm(n int) error {
	t := &c.trial
	if n == 0 {
		return nil
	}
	if err := c.save(t.writes[n-1].good); err != nil {
		return err
	}
	open := c.cfg.Store.Journal()
	if err := c.cfg.Store.CloseJournal(); err != nil {
		return diskError{err}
	}
	t.writes = t.writes[n:]
	c.facts.Confirmed = report.State{OK: true, Reason: "Confirmed", Message: fmt.Sprintf("What worked before revision %s works with it.", c.good.Spec.Revision)}
	if len(t.writes) == 0 {
		*t = trial{}
		return nil
	}
	if open == nil {
		return nil
	}
	newest := t.writes[len(t.writes)-1].good.Spec.Revision
	c.facts.Confirmed = onTrial(newest)
	rest := state.Journal{Revision: newest, Base: c.good.Spec.Revision, Begun: t.writes[0].at, Baseline: open.Baseline}
	c.cfg.Store.BeginJournal(rest)
	if err := c.cfg.Store.Remember(t.before()); err != nil {
		return diskError{err}
	}
	return nil
}

// before are the rows as they were before the first write that touched them.
func (t *trial) before() map[sonic.Key]state.Before {
	rows := map[sonic.Key]state.Before{}
	for i := len(t.writes) - 1; i >= 0; i-- {
		maps.Copy(rows, t.writes[i].rows)
	}
	return rows
}
