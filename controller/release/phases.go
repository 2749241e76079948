package release

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// work brings a switch that is being worked on to its next phase, if it is ready
// for it.
func (m *machine) work(s *Switch, r *v1alpha1.ReleaseSwitchStatus) {
	switch r.Phase {
	case v1alpha1.SwitchPulling:
		m.pull(s, r)
	case v1alpha1.SwitchPrechecking:
		m.precheck(s, r)
	case v1alpha1.SwitchDraining:
		m.drain(s, r)
	case v1alpha1.SwitchReplacing:
		m.replace(s, r)
	case v1alpha1.SwitchVerifying:
		m.verify(s, r)
	case v1alpha1.SwitchUndraining:
		m.undrain(s, r)
	case v1alpha1.SwitchSoaking:
		m.soak(s, r)
	case v1alpha1.SwitchRollingBack:
		m.rollBack(s, r)
	case v1alpha1.SwitchReleasing, v1alpha1.SwitchRestoring:
		m.letBack(s, r)
	default:
		m.enter(r, v1alpha1.SwitchWaiting) // of a phase that this version does not know
	}
}

const silent = "The agent does not answer. Look whether its pod runs on the switch."

func (m *machine) pull(s *Switch, r *v1alpha1.ReleaseSwitchStatus) {
	a := answer(m.Inputs, s, r)
	lack := lacking(m.Inputs, r, a)
	switch {
	case a != nil && len(lack) == 0:
		m.enter(r, v1alpha1.SwitchPrechecking)
	case !m.overdue(r):
		r.Reason, r.Message = "", "Fetches "+strings.Join(lack, ", ")+"."
		if a != nil && a.PullError != "" {
			r.Reason, r.Message = "PullFailed", a.PullError
		}
	case a == nil:
		m.giveUp(r, "AgentSilent", silent)
	default:
		m.giveUp(r, "PullFailed", fmt.Sprintf("It could not fetch %s: %s", strings.Join(lack, ", "), a.PullError))
	}
}

func (m *machine) precheck(s *Switch, r *v1alpha1.ReleaseSwitchStatus) {
	v := judge(m.Inputs, s, r)
	a := answer(m.Inputs, s, r)
	r.Checks = v.results
	switch {
	case v.ok() && a != nil && len(lacking(m.Inputs, r, a)) == 0:
		if r.Drain = r.Drain || drains(m.Inputs, r.Services); r.Drain {
			m.enter(r, v1alpha1.SwitchDraining)
		} else {
			m.enter(r, v1alpha1.SwitchReplacing)
		}
	case !m.overdue(r):
		r.Reason, r.Message = "", v.String()
		if len(v.wrong) > 0 {
			r.Reason = "PrecheckFailed"
		}
	case a == nil:
		m.giveUp(r, "AgentSilent", silent)
	default:
		m.giveUp(r, "PrecheckFailed", v.String())
	}
}

func (m *machine) drain(s *Switch, r *v1alpha1.ReleaseSwitchStatus) {
	a := answer(m.Inputs, s, r)
	reason := "Waits for the traffic to go."
	if a != nil && a.DrainReason != "" {
		reason = a.DrainReason
	}
	switch {
	case a != nil && a.Drained && len(lacking(m.Inputs, r, a)) == 0:
		m.enter(r, v1alpha1.SwitchReplacing)
	case since(m.Now, r.Since) < m.drainTimeout():
		r.Message = reason
	case a == nil:
		m.giveUp(r, "AgentSilent", silent)
	default:
		m.giveUp(r, "DrainFailed", reason+" Let the hosts have another switch, or set strategy.drain.force to cut them off.")
	}
}

func (m *machine) drainTimeout() time.Duration {
	return seconds(m.Release.Spec.Strategy.Drain.TimeoutSeconds)
}

func (m *machine) replace(s *Switch, r *v1alpha1.ReleaseSwitchStatus) {
	waits, trouble := look(s, r.Services, to)
	switch {
	case trouble != "":
		m.fail(r, "CrashLoop", trouble)
	case waits == "":
		m.enter(r, v1alpha1.SwitchVerifying)
	case m.overdue(r):
		m.fail(r, "NotStarted", m.late(s, waits))
	default:
		r.Message = waits
	}
}

// late says what did not come about in time.
func (m *machine) late(s *Switch, what string) string {
	text := fmt.Sprintf("After %s: %s.", m.deadline(), strings.TrimSuffix(what, "."))
	if s.Unavailable != "" {
		text += " " + s.Unavailable
	}
	return text
}

// check looks at pods and checks of a switch that was changed. It reports false as
// long as not all is well, and gives up when that lasts.
func (m *machine) check(s *Switch, r *v1alpha1.ReleaseSwitchStatus) bool {
	waits, trouble := look(s, r.Services, to)
	if trouble != "" {
		m.fail(r, "CrashLoop", trouble)
		return false
	}
	v, reason := judge(m.Inputs, s, r), "PostcheckFailed"
	r.Checks = merged(r.Checks, v.results)
	switch {
	case waits != "":
	case answer(m.Inputs, s, r) == nil: // also where nothing is checked: it may be the agent that was changed
		waits, reason = "Waits for an answer of the agent.", "AgentSilent"
	case v.ok():
		r.UnwellSince, r.Reason, r.Message = nil, "", ""
		return true
	default:
		waits = v.String()
	}
	if r.UnwellSince == nil {
		now := metav1.NewTime(m.Now.Truncate(time.Second))
		r.UnwellSince = &now
	}
	r.Message = waits
	if since(m.Now, r.UnwellSince) >= m.deadline() {
		if reason == "AgentSilent" {
			waits = silent
		}
		m.fail(r, reason, m.late(s, waits))
	}
	return false
}

// merged are results with those put in place of the ones of the same name; what a
// check was before is not lost when its result is not there for a moment.
func merged(have, set []v1alpha1.SwitchCheckResult) []v1alpha1.SwitchCheckResult {
	out := append([]v1alpha1.SwitchCheckResult(nil), set...)
	for _, c := range have {
		if _, ok := find(set, c.Name); !ok {
			out = append(out, c)
		}
	}
	return out
}

func (m *machine) verify(s *Switch, r *v1alpha1.ReleaseSwitchStatus) {
	if !m.check(s, r) {
		return
	}
	if r.Drain {
		m.enter(r, v1alpha1.SwitchUndraining)
	} else {
		m.enter(r, v1alpha1.SwitchSoaking)
	}
}

// undrained says whether the agent has said that traffic is back.
func (m *machine) undrained(s *Switch, r *v1alpha1.ReleaseSwitchStatus) (bool, string) {
	switch a := answer(m.Inputs, s, r); {
	case a == nil:
		return false, silent
	case a.Drained && s.ByHand:
		return true, "" // somebody keeps it away
	case a.Drained:
		return false, strings.TrimSpace("The traffic is not back yet. " + a.DrainReason)
	}
	return true, ""
}

func (m *machine) undrain(s *Switch, r *v1alpha1.ReleaseSwitchStatus) {
	back, why := m.undrained(s, r)
	switch {
	case back:
		r.Drain = false
		m.enter(r, v1alpha1.SwitchSoaking)
	case m.overdue(r):
		m.fail(r, "UndrainFailed", why)
	default:
		r.Message = why
	}
}

func (m *machine) soak(s *Switch, r *v1alpha1.ReleaseSwitchStatus) {
	if !sameTarget(m.Target, r.Services) { // what it has is no longer wanted
		m.clean(r)
		m.enter(r, v1alpha1.SwitchWaiting)
		return
	}
	if m.check(s, r) && since(m.Now, r.Since) >= seconds(soakSeconds(m.Release.Spec.Strategy)) {
		m.clean(r)
		next := v1alpha1.SwitchCurrent
		if len(changes(m.Target, s)) > 0 { // it was the agent, and the rest comes now
			next = v1alpha1.SwitchWaiting
		}
		m.enter(r, next)
	}
}

func (m *machine) rollBack(s *Switch, r *v1alpha1.ReleaseSwitchStatus) {
	waits, _ := look(s, r.Services, from)
	switch {
	case waits == "":
		next := v1alpha1.SwitchRolledBack
		if r.Drain {
			next = v1alpha1.SwitchRestoring
		}
		reason, message := r.Reason, r.Message
		m.enter(r, next)
		r.Reason, r.Message = reason, message
	case m.overdue(r) && m.status.Stop == nil && !m.Release.Spec.Paused && s.Unavailable == "":
		m.tryAnother(s, r) // what it had does not run either
	}
}

// tryAnother begins anew on a switch that cannot go back to what it had.
func (m *machine) tryAnother(s *Switch, r *v1alpha1.ReleaseSwitchStatus) {
	if i := slices.IndexFunc(r.Services, ofAgent); i >= 0 {
		m.anotherAgent(r, &r.Services[i])
		return
	}
	had := map[string]string{}
	for _, c := range r.Services {
		had[c.Name] = c.From
	}
	r.Services = slices.DeleteFunc(changes(m.Target, s), ofAgent)
	for i := range r.Services {
		if hash, ok := had[r.Services[i].Name]; ok {
			r.Services[i].From = hash
		}
	}
	m.pass(r)
}

// anotherAgent has a switch that has no agent get the one that is wanted now in place of
// the one that it had. Nobody is there to do more than that: the kubelet fetches the image.
func (m *machine) anotherAgent(r *v1alpha1.ReleaseSwitchStatus, c *v1alpha1.ReleaseServiceChange) {
	for _, wanted := range m.Target.Services {
		if wanted.Name == c.Name && wanted.Hash != c.From {
			c.From = wanted.Hash
			m.enter(r, v1alpha1.SwitchRollingBack)
		}
	}
}

// letBack waits until the traffic is back on a switch that has what it had.
func (m *machine) letBack(s *Switch, r *v1alpha1.ReleaseSwitchStatus) {
	if back, _ := m.undrained(s, r); !back {
		return
	}
	r.Drain = false
	next, reason, message := v1alpha1.SwitchRolledBack, r.Reason, r.Message
	if r.Phase == v1alpha1.SwitchReleasing {
		m.clean(r)
		next = v1alpha1.SwitchWaiting
	}
	m.enter(r, next)
	r.Reason, r.Message = reason, message
}
