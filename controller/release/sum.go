package release

import (
	"fmt"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// sum says of the whole release what its switches say.
func (m *machine) sum() {
	s := m.status
	s.Switches = m.sorted()
	s.Desired, s.Updated, s.Ready = 0, 0, 0
	var atWork []string
	var waiting *v1alpha1.ReleaseSwitchStatus
	for i := range s.Switches {
		r := &s.Switches[i]
		if m.fleet[r.Name].Selected {
			s.Desired++
		}
		switch {
		case r.Phase == v1alpha1.SwitchCurrent:
			s.Updated++
			if r.Reason == "" {
				s.Ready++
			}
		case AtWork(r.Phase):
			atWork = append(atWork, r.Name+" "+strings.ToLower(string(r.Phase)))
		case waiting == nil || waiting.Reason == "GroupBusy":
			waiting = r
		}
	}
	s.Progress = fmt.Sprintf("%d/%d", s.Updated, s.Desired)
	s.Phase, s.Message = m.phase(atWork, waiting)
	if s.Phase == v1alpha1.ReleaseComplete {
		s.RolledOutRevision = s.Revision
	}
}

func (m *machine) phase(atWork []string, waiting *v1alpha1.ReleaseSwitchStatus) (v1alpha1.ReleasePhase, string) {
	s := m.status
	working := strings.Join(atWork, ", ")
	switch {
	case s.Stop != nil:
		return v1alpha1.ReleaseStopped, join(fmt.Sprintf("%s: %s: %s", s.Stop.Switch, s.Stop.Reason, s.Stop.Message), working)
	case len(atWork) == 0 && waiting == nil && s.Desired == 0:
		return v1alpha1.ReleaseWaiting, "No switch is selected."
	case len(atWork) == 0 && waiting == nil:
		return v1alpha1.ReleaseComplete, fmt.Sprintf("%d switches run it, %d of them are well.", s.Updated, s.Ready)
	case m.Release.Spec.Paused:
		return v1alpha1.ReleasePaused, join("spec.paused is true.", working)
	case len(atWork) > 0:
		return v1alpha1.ReleaseProgressing, working + "."
	case s.Approval != "":
		return v1alpha1.ReleaseAwaitingApproval, waiting.Message
	}
	return v1alpha1.ReleaseWaiting, fmt.Sprintf("%s: %s: %s", waiting.Name, waiting.Reason, waiting.Message)
}

func join(text, working string) string {
	if working == "" {
		return text
	}
	return text + " At work: " + working + "."
}
