package release

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/natural"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// machine is one decision on its way.
type machine struct {
	Inputs
	status  *v1alpha1.NOSReleaseStatus
	records map[string]*v1alpha1.ReleaseSwitchStatus
	fleet   map[string]*Switch
}

// Next is the status that the release has to have now. Conditions are left as they are.
func Next(in Inputs) v1alpha1.NOSReleaseStatus {
	m := &machine{
		Inputs: in, status: in.Release.Status.DeepCopy(),
		records: map[string]*v1alpha1.ReleaseSwitchStatus{}, fleet: map[string]*Switch{},
	}
	for i := range in.Switches {
		m.fleet[in.Switches[i].Name] = &in.Switches[i]
	}
	m.status.ObservedGeneration = in.Release.Generation
	m.begin()
	for i := range in.Switches {
		m.step(&in.Switches[i])
	}
	m.admit()
	m.sum()
	return *m.status
}

// begin takes over what was decided last, and what people have said since.
func (m *machine) begin() {
	s := m.status
	if s.Revision != m.Target.Revision {
		s.Revision, s.Groups = m.Target.Revision, nil
	}
	if s.Stop != nil && (s.Stop.Revision != s.Revision || m.Release.Annotations[v1alpha1.AnnotationRetry] == s.Stop.Retry) {
		s.Stop = nil
	}
	for i := range s.Switches {
		if _, ok := m.fleet[s.Switches[i].Name]; ok { // one that was deleted is nobody's
			m.records[s.Switches[i].Name] = &s.Switches[i]
		}
	}
}

// step brings one switch as far as it can go without anything new being begun.
func (m *machine) step(s *Switch) {
	r := m.record(s)
	switch {
	case r == nil:
	case !AtWork(r.Phase):
		m.rest(s, r)
	case untouched(r.Phase) && m.mayNot(s, r) != "":
		m.withdraw(r, m.mayNot(s, r))
	default:
		m.work(s, r)
	}
}

// record is the one of a switch, if it has anything to do with the release.
func (m *machine) record(s *Switch) *v1alpha1.ReleaseSwitchStatus {
	r := m.records[s.Name]
	switch {
	case r != nil && (s.Selected || AtWork(r.Phase)):
		r.Group = s.Group
	case r != nil:
		delete(m.records, s.Name)
		return nil
	case s.Maintenance != nil && s.Maintenance.Release == m.Release.Name && s.Maintenance.Drain:
		r = m.add(s) // the status was lost, and the switch is drained
		r.Pass, r.Drain = s.Maintenance.Pass, true
		m.enter(r, v1alpha1.SwitchReleasing)
	case s.Selected:
		m.enter(m.add(s), v1alpha1.SwitchWaiting)
	}
	return m.records[s.Name]
}

func (m *machine) add(s *Switch) *v1alpha1.ReleaseSwitchStatus {
	r := &v1alpha1.ReleaseSwitchStatus{Name: s.Name, Group: s.Group}
	m.records[s.Name] = r
	return r
}

// rest looks at a switch that nothing is done with: it has what it should, or waits.
func (m *machine) rest(s *Switch, r *v1alpha1.ReleaseSwitchStatus) {
	if r.Phase == v1alpha1.SwitchRolledBack && m.status.Stop != nil {
		return
	}
	if len(changes(m.Target, s)) > 0 {
		if r.Phase != v1alpha1.SwitchWaiting {
			m.clean(r)
			m.enter(r, v1alpha1.SwitchWaiting)
		}
		return
	}
	if r.Phase != v1alpha1.SwitchCurrent {
		m.clean(r)
		m.enter(r, v1alpha1.SwitchCurrent)
	}
	r.Reason, r.Message = "", ""
	if why := unwell(s, m.Target); why != "" {
		r.Reason, r.Message = "NotReady", why
	} else if s.Unavailable != "" {
		r.Reason, r.Message = "Unavailable", s.Unavailable
	}
}

// clean forgets what a switch was being changed to.
func (m *machine) clean(r *v1alpha1.ReleaseSwitchStatus) {
	r.Services, r.Checks, r.Pass = nil, nil, ""
}

// mayNot says why a switch that still has what it had must not go on.
func (m *machine) mayNot(s *Switch, r *v1alpha1.ReleaseSwitchStatus) string {
	switch {
	case m.Release.Spec.Paused:
		return "The release was paused."
	case m.status.Stop != nil:
		return "The release stopped."
	case s.ByHand:
		return "spec.drained of the Switch is true."
	case !s.Selected:
		return "The release is for it no longer."
	case s.Conflict != "":
		return fmt.Sprintf("NOSRelease %s has the service there.", s.Conflict)
	case s.Unavailable != "" && r.Phase != v1alpha1.SwitchDraining:
		return s.Unavailable
	case !sameTarget(m.Target, r.Services):
		return "The release was changed."
	}
	return ""
}

// withdraw leaves a switch alone that still has what it had.
func (m *machine) withdraw(r *v1alpha1.ReleaseSwitchStatus, why string) {
	if r.Drain {
		m.enter(r, v1alpha1.SwitchReleasing)
	} else {
		m.clean(r)
		m.enter(r, v1alpha1.SwitchWaiting)
	}
	r.Message = why
}

// enter begins a phase.
func (m *machine) enter(r *v1alpha1.ReleaseSwitchStatus, p v1alpha1.SwitchPhase) {
	now := metav1.NewTime(m.Now.Truncate(time.Second)) // as the API server keeps it
	r.Phase, r.Since, r.UnwellSince, r.Reason, r.Message = p, &now, nil, "", ""
}

// overdue says whether a phase takes longer than it may.
func (m *machine) overdue(r *v1alpha1.ReleaseSwitchStatus) bool {
	return since(m.Now, r.Since) >= m.deadline()
}

func (m *machine) deadline() time.Duration {
	return seconds(m.Release.Spec.Strategy.ProgressDeadlineSeconds)
}

// defaultSoak is what the API server puts in place of nothing.
const defaultSoak = 60

func soakSeconds(s v1alpha1.ReleaseStrategy) int32 {
	if s.SoakSeconds == nil {
		return defaultSoak
	}
	return *s.SoakSeconds
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }

func since(now time.Time, t *metav1.Time) time.Duration {
	if t == nil {
		return 0
	}
	return now.Sub(t.Time)
}

// stop ends the release at a switch.
func (m *machine) stop(r *v1alpha1.ReleaseSwitchStatus, reason, message string) {
	if m.status.Stop != nil {
		return
	}
	m.status.Stops++
	m.status.Stop = &v1alpha1.ReleaseStop{
		Revision: m.status.Revision, Switch: r.Name, Reason: reason, Message: message,
		At: metav1.NewTime(m.Now.Truncate(time.Second)), Retry: fmt.Sprintf("%s.%d", m.status.Revision, m.status.Stops),
	}
}

// giveUp stops the release at a switch that still has what it had.
func (m *machine) giveUp(r *v1alpha1.ReleaseSwitchStatus, reason, message string) {
	m.stop(r, reason, sentence(message)+" The switch has what it had.")
	m.withdraw(r, message)
	r.Reason = reason
}

// fail stops the release at a switch and has it get back what it had.
func (m *machine) fail(r *v1alpha1.ReleaseSwitchStatus, reason, message string) {
	m.stop(r, reason, sentence(message)+" The switch gets back what it had.")
	r.Drain = r.Drain || drains(m.Inputs, r.Services)
	m.enter(r, v1alpha1.SwitchRollingBack)
	r.Reason, r.Message = reason, message
}

// sorted are the records in order of their names.
func (m *machine) sorted() []v1alpha1.ReleaseSwitchStatus {
	var out []v1alpha1.ReleaseSwitchStatus
	for _, r := range m.records {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b v1alpha1.ReleaseSwitchStatus) int { return natural.Compare(a.Name, b.Name) })
	return out
}

// sentence ends a text that somebody else wrote.
func sentence(text string) string {
	if strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}
