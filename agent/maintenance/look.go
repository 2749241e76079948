package maintenance

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// look is what is known now.
func (k *Keeper) look(ctx context.Context) Seen {
	k.mu.Lock()
	s := k.seen
	s.Overlay = k.facts.Overlay
	k.mu.Unlock()
	s.Now = time.Now()
	r := k.record
	if asked := r.hears(s); asked.wanted(s.Now) && r.Level == InService || r.Level == Returning {
		s.Ways = k.gauge.ways(ctx)
	}
	if !r.inForce(s) {
		k.since = time.Time{}
	} else if k.since.IsZero() {
		k.since = s.Now
	}
	if !k.since.IsZero() {
		s.InForce = s.Now.Sub(k.since)
	}
	if r.Level == Shut && !r.Drained && r.inForce(s) && s.Overlay.Uncounted == "" {
		k.watch(ctx, &s)
	}
	return s
}

// watch looks whether there is still traffic.
func (k *Keeper) watch(ctx context.Context, s *Seen) {
	counted, err := k.gauge.counted(ctx, s.Overlay.Watched)
	if err != nil {
		s.Overlay.Uncounted, k.traffic = fmt.Sprintf("It cannot be seen whether there is traffic: %v.", err), traffic{}
		return
	}
	poll := s.Overlay.Poll
	k.traffic.see(time.Now(), counted, k.cfg.Limit, poll)
	s.Loud, s.Quiet = k.traffic.loud, k.traffic.silent(time.Now(), max(k.cfg.Window, 2*poll))
}

// results are what came of the checks of a step.
type results map[v1alpha1.SwitchCheck]v1alpha1.SwitchCheckResult

// check makes the checks of the present step, and reports whether values from before
// were kept.
func (k *Keeper) check(ctx context.Context, now time.Time) (kept bool) {
	m := k.record.Request
	switch {
	case m == nil || len(m.Checks) == 0:
		k.measured, k.results = "", nil
		return false
	case k.measured != m.Step:
		k.measured, k.results = m.Step, results{}
	case now.Sub(k.checked) < checkTicks*k.cfg.Tick:
		return false
	}
	next := k.record
	next.Before = maps.Clone(next.Before)
	for _, check := range m.Checks {
		kept = k.checkOne(ctx, check, m.Stage, &next) || kept
	}
	k.checked = time.Now()
	if !kept {
		return false
	}
	if k.unsaved = next.save(k.cfg.File); k.unsaved != nil {
		k.results = results{} // none that is not kept
		return false
	}
	k.record = next
	return true
}

// checkOne makes one check, and reports whether its value is to be kept.
func (k *Keeper) checkOne(ctx context.Context, check v1alpha1.SwitchCheck, stage v1alpha1.CheckStage, into *Record) bool {
	was, known := into.Before[check]
	if stage == v1alpha1.StageBefore && known {
		k.results[check] = before(check, Finding{Values: was})
		return false
	}
	k.mu.Lock()
	facts, heard := k.facts, k.heard
	k.mu.Unlock()
	f := k.gauge.find(ctx, check, facts, heard)
	if stage != v1alpha1.StageBefore {
		k.results[check] = after(check, was, known, f)
		return false
	}
	r := before(check, f)
	if k.results[check] = r; !r.OK {
		return false
	}
	if into.Before == nil {
		into.Before = map[v1alpha1.SwitchCheck][]string{}
	}
	into.Before[check] = append([]string{}, f.Values...)
	return true
}
