package release

import (
	"slices"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// What is noted of a check of the user's that had to be made before.
const (
	held   = "held"
	failed = "failed"
)

// verdict is what came of all checks of a step.
type verdict struct {
	results []v1alpha1.SwitchCheckResult
	// missing are those without a result yet; wrong says which do not hold.
	missing, wrong []string
}

func (v verdict) ok() bool { return len(v.missing) == 0 && len(v.wrong) == 0 }

func (v verdict) String() string {
	if len(v.wrong) > 0 {
		return strings.Join(v.wrong, "; ")
	}
	return "Waits for the results of " + strings.Join(v.missing, ", ") + "."
}

func (v *verdict) add(c v1alpha1.SwitchCheckResult) {
	v.results = append(v.results, c)
	if !c.OK {
		v.wrong = append(v.wrong, strings.TrimSuffix(c.Name+": "+c.Message, ": "))
	}
}

// judge looks at the results of all checks, the agent's and the user's.
func judge(in Inputs, s *Switch, r *v1alpha1.ReleaseSwitchStatus) verdict {
	var v verdict
	a := answer(in, s, r)
	for _, check := range in.Release.Spec.Strategy.Checks {
		c, ok := reported(a, string(check))
		if !ok {
			v.missing = append(v.missing, string(check))
			continue
		}
		v.add(c)
	}
	stage := v1alpha1.StageAfter
	if r.Phase == v1alpha1.SwitchPrechecking {
		stage = v1alpha1.StageBefore
	}
	for _, check := range in.Release.Spec.Checks {
		result, ok := s.Results[check.Name]
		if !ok || !result.Done {
			v.missing = append(v.missing, check.Name)
			continue
		}
		v.add(users(check, result, stage, r.Checks))
	}
	return v
}

func reported(a *v1alpha1.MaintenanceStatus, name string) (v1alpha1.SwitchCheckResult, bool) {
	if a == nil {
		return v1alpha1.SwitchCheckResult{}, false
	}
	return find(a.Checks, name)
}

func find(all []v1alpha1.SwitchCheckResult, name string) (v1alpha1.SwitchCheckResult, bool) {
	i := slices.IndexFunc(all, func(c v1alpha1.SwitchCheckResult) bool { return c.Name == name })
	if i < 0 {
		return v1alpha1.SwitchCheckResult{}, false
	}
	return all[i], true
}

// users is the result of one of the user's checks, in the form of the agent's.
func users(check v1alpha1.ReleaseCheck, result Result, stage v1alpha1.CheckStage, before []v1alpha1.SwitchCheckResult) v1alpha1.SwitchCheckResult {
	now := failed
	if result.OK {
		now = held
	}
	out := v1alpha1.SwitchCheckResult{Name: check.Name, OK: result.OK, Message: result.Value}
	asBefore := check.Required == v1alpha1.CheckAsBefore
	if stage == v1alpha1.StageBefore {
		out.Before, out.OK = now, result.OK || asBefore
		return out
	}
	was, _ := find(before, check.Name)
	out.Before, out.After = was.Before, now
	out.OK = result.OK || asBefore && was.Before == failed
	return out
}
