package probe

import "time"

// Rules say when a change counts as good and when it is taken back. All times
// are from the last write of the change. The zero value has the defaults.
type Rules struct {
	// Window is the shortest time before a change is confirmed. Default 3 s.
	Window time.Duration
	// Steady is how long everything must have worked without a break, at the
	// end. Default 1 s.
	Steady time.Duration
	// Deadline is when a change is taken back if something is still broken.
	// Default 10 s, which leaves 5 s to write the old rows: a change that broke
	// something is undone within 15 s.
	Deadline time.Duration
}

func (r Rules) withDefaults() Rules {
	if r.Window == 0 {
		r.Window = 3 * time.Second
	}
	if r.Steady == 0 {
		r.Steady = time.Second
	}
	if r.Deadline == 0 {
		r.Deadline = 10 * time.Second
	}
	return r
}

// Verdict is what is to become of a change.
type Verdict int

// The verdicts.
const (
	// Undecided: go on observing. The change stands, and can still be taken
	// back.
	Undecided Verdict = iota
	// Confirm: all that worked before works.
	Confirm
	// Revert: something that worked before does not come back.
	Revert
)

// String is the verdict for people.
func (v Verdict) String() string {
	switch v {
	case Confirm:
		return "confirm"
	case Revert:
		return "revert"
	case Undecided:
	}
	return "undecided"
}

// Watch judges one change. It has no clock: it goes by the times that it is
// given, which must not run backwards. One goroutine at a time may use it.
type Watch struct {
	rules   Rules
	written time.Time
	probes  []*history // those that worked before, in rising order of their names
}

// history is what is known of one probe since the change.
type history struct {
	last Result
	seen time.Time // when last was observed
	// works and broken are since when the probe has been so without a break;
	// zero if it is not.
	works, broken time.Time
}

// NewWatch judges a change whose last write was at the given time, by what
// worked before it.
func NewWatch(rules Rules, baseline []string, written time.Time) *Watch {
	w := &Watch{rules: rules.withDefaults(), written: written}
	for _, name := range baseline {
		w.probes = append(w.probes, &history{last: Result{Name: name, Detail: "not asked yet"}})
	}
	return w
}

// Names of the probes to ask.
func (w *Watch) Names() []string {
	names := make([]string, len(w.probes))
	for i, p := range w.probes {
		names[i] = p.last.Name
	}
	return names
}

// Written says that the change was extended by a further write: the times start
// anew. What stays broken for a whole Deadline is lost nevertheless, however
// often somebody writes.
func (w *Watch) Written(at time.Time) { w.written = at }

// Observe takes what was found at a time, and judges. Without results it judges
// by what was found before. For Revert the results are what is lost; for
// Undecided, what is waited for.
func (w *Watch) Observe(now time.Time, results []Result) (Verdict, []Result) {
	found := make(map[string]Result, len(results))
	for _, r := range results {
		found[r.Name] = r
	}
	var lost, pending []Result
	for _, p := range w.probes {
		if r, ok := found[p.last.Name]; ok {
			p.observe(now, r)
		}
		switch {
		case p.lost(now, w.written, w.rules):
			lost = append(lost, p.last)
		case !p.steady(now, w.rules):
			pending = append(pending, p.last)
		}
	}
	switch {
	case len(lost) > 0:
		return Revert, sorted(lost)
	case len(pending) > 0 || now.Before(w.written.Add(w.rules.Window)):
		return Undecided, sorted(pending)
	}
	return Confirm, nil
}

// observe takes a result over.
func (p *history) observe(now time.Time, r Result) {
	p.last, p.seen = r, now
	switch r.State {
	case Works:
		p.broken = time.Time{}
		if p.works.IsZero() {
			p.works = now
		}
	case Broken:
		if p.broken.IsZero() {
			p.broken = now
		}
		if now.Sub(p.broken) >= r.Grace {
			p.works = time.Time{}
		}
	case Unknown:
		p.works = time.Time{} // and if it was broken, it still may be
	}
}

// steady reports whether the probe has worked long enough, and was asked lately.
func (p *history) steady(now time.Time, rules Rules) bool {
	return p.last.State == Works && !p.works.IsZero() && now.Sub(p.works) >= rules.Steady && now.Sub(p.seen) <= rules.Steady
}

// lost reports whether the probe is broken for good: at the deadline it is, for
// longer than its grace, or it has been for as long as a deadline anyway.
func (p *history) lost(now, written time.Time, rules Rules) bool {
	if p.last.State != Broken {
		return false
	}
	broken, late := now.Sub(p.broken), now.Sub(written)-rules.Deadline
	return broken >= rules.Deadline || late >= 0 && broken >= p.last.Grace || late >= rules.Steady
}
