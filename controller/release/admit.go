package release

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/switchlet/switchlet/api/natural"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// admit begins on the switches that may be begun on, and says of the others why not.
func (m *machine) admit() {
	m.status.Approval = ""
	for _, s := range m.candidates() {
		r := m.records[s.Name]
		reason, message := m.keepsWaiting(s)
		if reason != "" {
			r.Reason, r.Message = reason, message
			continue
		}
		if !slices.Contains(m.status.Groups, s.Group) {
			m.status.Groups = append(m.status.Groups, s.Group)
		}
		r.Services = onePass(changes(m.Target, s))
		m.pass(r)
	}
}

// pass begins an attempt at a switch. Its name is never used again, so that no
// answer to an earlier one can be taken for one to it.
func (m *machine) pass(r *v1alpha1.ReleaseSwitchStatus) {
	r.Attempt++
	r.Checks, r.Pass = nil, fmt.Sprintf("%s.%d.%d", m.status.Revision, m.Now.Unix(), r.Attempt)
	m.enter(r, v1alpha1.SwitchPulling)
}

// candidates are the switches that wait: first of all the rest of the groups that
// were begun on, before others one that has got its agent; then those that lack a
// service anyway.
func (m *machine) candidates() []*Switch {
	var out []*Switch
	for i := range m.Switches {
		if r := m.records[m.Switches[i].Name]; r != nil && r.Phase == v1alpha1.SwitchWaiting {
			out = append(out, &m.Switches[i])
		}
	}
	rank := func(s *Switch) int {
		switch {
		case slices.Contains(m.status.Groups, s.Group):
			return 0
		case unwell(s, m.Target) != "":
			return 1
		}
		return 2
	}
	left := func(s *Switch) int {
		if rank(s) > 0 {
			return 0
		}
		return len(changes(m.Target, s))
	}
	slices.SortStableFunc(out, func(a, b *Switch) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(left(a), left(b)), natural.Compare(a.Group, b.Group), natural.Compare(a.Name, b.Name))
	})
	return out
}

// keepsWaiting says why a switch cannot be begun on; no reason if it can.
func (m *machine) keepsWaiting(s *Switch) (reason, message string) {
	switch {
	case m.Release.Spec.Paused:
		return "Paused", "spec.paused is true: kubectl switchlet release resume."
	case m.status.Stop != nil:
		return "Stopped", "The release stopped at " + m.status.Stop.Switch + "."
	case s.Conflict != "":
		return "Conflict", fmt.Sprintf("NOSRelease %s, which is older, has one of the services for this switch: take the switch out of one of them.", s.Conflict)
	case s.ByHand:
		return "Drained", fmt.Sprintf("spec.drained of Switch %s is true: kubectl switchlet switch undrain %s.", s.Name, s.Name)
	case s.Maintenance != nil && s.Maintenance.Release == "":
		return "Drained", "It was drained by hand, and its traffic is not back yet."
	case s.HeldBy != "":
		return "HeldByOther", fmt.Sprintf("NOSRelease %s works on it.", s.HeldBy)
	case s.Maintenance != nil && s.Maintenance.Release != m.Release.Name:
		return "HeldByOther", fmt.Sprintf("SwitchConfig %s is still in the maintenance of NOSRelease %s.", s.Name, s.Maintenance.Release)
	case s.Unavailable != "":
		return "Unavailable", s.Unavailable
	}
	if other, why := m.outInGroup(s); other != "" {
		return "GroupBusy", fmt.Sprintf("%s of the same group (%s) is out: %s", other, s.Group, why)
	}
	if text := m.tooFew(s); text != "" {
		return "MinAvailable", text
	}
	if n := len(m.groupsAtWork()); n >= max(1, int(m.Release.Spec.Strategy.Groups)) {
		return "Budget", fmt.Sprintf("%d of strategy.groups %d are being worked on.", n, max(1, m.Release.Spec.Strategy.Groups))
	}
	return m.approval(s)
}

// out says why a switch is not in service, or will soon not be; empty if it is.
func (m *machine) out(s *Switch) string {
	r := m.records[s.Name]
	switch {
	case r != nil && AtWork(r.Phase):
		return string(r.Phase)
	case s.ByHand || s.Maintenance != nil && s.Maintenance.Release == "":
		return "drained by hand"
	case s.HeldBy != "":
		return "NOSRelease " + s.HeldBy + " works on it"
	case s.Maintenance != nil && (s.Maintenance.Drain || s.Maintenance.Release != m.Release.Name):
		return "in maintenance"
	case s.Answer != nil && s.Answer.Drained:
		return "drained"
	case s.Unavailable != "":
		return s.Unavailable
	}
	return unwell(s, m.Target)
}

func (m *machine) outInGroup(s *Switch) (name, why string) {
	for i := range m.Switches {
		other := &m.Switches[i]
		if other.Name != s.Name && other.Group == s.Group {
			if why := m.out(other); why != "" {
				return other.Name, why
			}
		}
	}
	return "", ""
}

// tooFew says that too few switches of the same role would be left.
func (m *machine) tooFew(s *Switch) string {
	least := m.least(s.Role)
	left := 0
	for i := range m.Switches {
		if other := &m.Switches[i]; other.Name != s.Name && other.Role == s.Role && m.out(other) == "" {
			left++
		}
	}
	if left >= least {
		return ""
	}
	return fmt.Sprintf("%d other switches with role %s are in service, and strategy.minAvailable keeps %d: wait for them, or lower it.", left, s.Role, least)
}

func (m *machine) least(role v1alpha1.SwitchRole) int {
	for _, minimum := range m.Release.Spec.Strategy.MinAvailable {
		if minimum.Role == role {
			return int(minimum.Switches)
		}
	}
	if role == v1alpha1.RoleSpine {
		return 1
	}
	return 0
}

// groupsAtWork are the groups of which a switch is being worked on.
func (m *machine) groupsAtWork() map[string]bool {
	out := map[string]bool{}
	for _, r := range m.records {
		if AtWork(r.Phase) {
			out[r.Group] = true
		}
	}
	return out
}

// approval says whether somebody has to approve that a switch's group is begun on.
func (m *machine) approval(s *Switch) (reason, message string) {
	begun := len(m.status.Groups)
	mode := m.Release.Spec.Strategy.Approval
	if slices.Contains(m.status.Groups, s.Group) || begun == 0 || mode == v1alpha1.ApprovalNone || mode == "" {
		return "", ""
	}
	n, all := approved(m.Release.Annotations[v1alpha1.AnnotationApproved], m.status.Revision)
	if all || begun <= n || mode == v1alpha1.ApprovalFirst && n >= 1 {
		return "", ""
	}
	m.status.Approval = fmt.Sprintf("%s=%d", m.status.Revision, begun)
	return "Approval", fmt.Sprintf("%d groups are begun on: kubectl switchlet release approve %s.", begun, m.Release.Name)
}

// approved reads how many groups after the first are approved.
func approved(annotation, revision string) (n int, all bool) {
	of, number, ok := strings.Cut(annotation, "=")
	if !ok || of != revision {
		return 0, false
	}
	if number == "all" {
		return 0, true
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return 0, false
	}
	return n, false
}

// GroupOf is the group of switches of which one at a time is worked on: its
// redundancy group; for spines and borders without one, all of the role.
func GroupOf(sw *v1alpha1.Switch) string {
	switch {
	case sw.Spec.RedundancyGroup != "":
		return "group/" + sw.Spec.RedundancyGroup
	case sw.Spec.Role == v1alpha1.RoleLeaf:
		return "switch/" + sw.Name
	}
	return "role/" + strings.ToLower(string(sw.Spec.Role))
}
