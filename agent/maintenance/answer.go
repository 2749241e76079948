package maintenance

import (
	"reflect"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// returningStep is the step of an answer to nobody: traffic still comes back.
const returningStep = "returning"

// answer reports how it is, if that is news.
func (k *Keeper) answer(s Seen) {
	state, why := k.record.drainState(s)
	if k.unsaved != nil {
		why = k.unsaved.Error() + ". Nothing is done before that. Make room or repair the disk."
		state = report.State{OK: k.record.Drained, Reason: state.Reason, Message: why}
	}
	m := k.status(why)
	if k.state != (report.State{}) && state == k.state && reflect.DeepEqual(m, k.answered) {
		return
	}
	k.answered, k.state = m, state
	k.cfg.Answer(m, state)
}

// status is the answer; nil when nothing is asked and nothing is left of a drain.
func (k *Keeper) status(why string) *v1alpha1.MaintenanceStatus {
	r := k.record
	if r.Request == nil && r.Level == InService && !r.Drained {
		return nil
	}
	m := &v1alpha1.MaintenanceStatus{ObservedStep: returningStep, Drained: r.Drained, DrainReason: cut(why, maxMessage)}
	if r.Request == nil {
		return m
	}
	m.ObservedStep = r.Request.Step
	m.PulledImages, m.PullError = k.puller.state()
	for _, check := range r.Request.Checks {
		if result, ok := k.results[check]; ok && k.measured == r.Request.Step {
			m.Checks = append(m.Checks, result)
		}
	}
	return m
}
