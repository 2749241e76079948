package release

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Work is what has to be done now: what the status that is written asks for and
// is not so yet. It may be done again and again.
func Work(in Inputs) Do {
	records := map[string]*v1alpha1.ReleaseSwitchStatus{}
	for i := range in.Release.Status.Switches {
		r := &in.Release.Status.Switches[i]
		records[r.Name] = r
	}
	var out Do
	for i := range in.Switches {
		s := &in.Switches[i]
		r := records[s.Name]
		if request, ok := requestFor(in, s, r); ok {
			out.Requests = append(out.Requests, request)
		}
		if r != nil {
			out.Labels = append(out.Labels, labels(in, s, r)...)
		}
	}
	return out
}

// requestFor is what a switch's agent has to be asked for, if it is not already.
func requestFor(in Inputs, s *Switch, r *v1alpha1.ReleaseSwitchStatus) (Request, bool) {
	if s.Maintenance != nil && s.Maintenance.Release != in.Release.Name {
		return Request{}, false
	}
	var wanted *v1alpha1.SwitchMaintenance
	if r != nil {
		wanted = Requested(in, s, r)
	}
	if equality.Semantic.DeepEqual(wanted, s.Maintenance) {
		return Request{}, false
	}
	return Request{Switch: s.Name, Maintenance: wanted}, true
}

// labels are those that a Node has to get now.
func labels(in Inputs, s *Switch, r *v1alpha1.ReleaseSwitchStatus) []Label {
	side := to
	switch r.Phase {
	case v1alpha1.SwitchReplacing, v1alpha1.SwitchVerifying, v1alpha1.SwitchUndraining, v1alpha1.SwitchSoaking:
	case v1alpha1.SwitchRollingBack:
		if !mayGoBack(in, s, r) {
			return nil
		}
		side = from
	case v1alpha1.SwitchRestoring:
		side = from
	default:
		return nil
	}
	var out []Label
	for _, c := range r.Services {
		if hash := label(s, c.Name, side(c)); hash != s.Labels[c.Name] {
			out = append(out, Label{Switch: s.Name, Service: c.Name, Hash: hash})
		}
	}
	return out
}

// mayGoBack says whether the switch is free of traffic, or has had the time for it. Who
// would drain it is not waited for where that is what goes back.
func mayGoBack(in Inputs, s *Switch, r *v1alpha1.ReleaseSwitchStatus) bool {
	a := answer(in, s, r)
	return !r.Drain || slices.ContainsFunc(r.Services, ofAgent) || a != nil && a.Drained || since(in.Now, r.Since) >= seconds(in.Release.Spec.Strategy.Drain.TimeoutSeconds)
}

// InUse are the hashes that must keep their DaemonSets: what switches have or are
// on their way from or to, and what is wanted.
func InUse(in Inputs) map[string]bool {
	out := map[string]bool{}
	for _, s := range in.Target.Services {
		out[s.Hash] = true
	}
	for i := range in.Switches {
		for _, hash := range in.Switches[i].Labels {
			out[hash] = true
		}
	}
	for _, r := range in.Release.Status.Switches {
		for _, c := range r.Services {
			out[c.From], out[c.To] = true, true
		}
	}
	delete(out, "")
	return out
}

// Wake is how long nothing can change by time alone; 0 if nothing waits for time.
func Wake(in Inputs) time.Duration {
	strategy := in.Release.Spec.Strategy
	var next time.Duration
	consider := func(left time.Duration) {
		if left > 0 && (next == 0 || left < next) {
			next = left
		}
	}
	for i := range in.Release.Status.Switches {
		r := &in.Release.Status.Switches[i]
		if !AtWork(r.Phase) {
			continue
		}
		for _, limit := range []int32{strategy.ProgressDeadlineSeconds, strategy.Drain.TimeoutSeconds, soakSeconds(strategy)} {
			consider(seconds(limit) - since(in.Now, r.Since))
		}
		if r.UnwellSince != nil {
			consider(seconds(strategy.ProgressDeadlineSeconds) - since(in.Now, r.UnwellSince))
		}
	}
	return next
}
