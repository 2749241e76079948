package hostconfig

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/attach"
)

// Bounds of the API.
const (
	maxProblems = 64
	maxMessage  = 1024
)

// Reasons of the condition Applied.
const (
	ReasonApplied     = "Applied"
	ReasonApplying    = "Applying"
	ReasonProblems    = "Problems"
	ReasonNICsUnknown = "NICsUnknown"
)

// status of a HostConfig. previous are its conditions as they were, which keep
// their times if they stay the same.
func status(r attach.Report, wanted string, generation int64, previous []metav1.Condition, now time.Time) v1alpha1.HostConfigStatus {
	s := v1alpha1.HostConfigStatus{ObservedGeneration: generation, AppliedRevision: r.Revision, Networks: r.Networks}
	for _, p := range r.Problems[:min(len(r.Problems), maxProblems)] {
		p.Message = p.Message[:min(len(p.Message), maxMessage)]
		s.Problems = append(s.Problems, p)
	}
	applied := condition(r, wanted)
	ready := applied
	ready.Type = v1alpha1.ConditionReady
	for _, c := range []metav1.Condition{applied, ready} {
		c.ObservedGeneration, c.LastTransitionTime = generation, metav1.NewTime(now.Truncate(time.Second))
		if old := meta.FindStatusCondition(previous, c.Type); old != nil {
			s.Conditions = append(s.Conditions, *old)
		}
		meta.SetStatusCondition(&s.Conditions, c)
	}
	return s
}

func condition(r attach.Report, wanted string) metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.HostConfigApplied, Status: metav1.ConditionFalse}
	switch {
	case r.Err != nil:
		c.Reason, c.Message = ReasonNICsUnknown, fmt.Sprintf("No pod can be attached: %v.", r.Err)
	case r.Revision != wanted:
		c.Reason, c.Message = ReasonApplying, fmt.Sprintf("Revision %s is being put into force.", wanted)
	case len(r.Problems) > 0:
		c.Reason, c.Message = ReasonProblems, fmt.Sprintf("%d problems, the first: %s", len(r.Problems), r.Problems[0].Message)
	default:
		c.Status, c.Reason, c.Message = metav1.ConditionTrue, ReasonApplied, "Pods can be attached to all networks."
	}
	c.Message = c.Message[:min(len(c.Message), maxMessage)]
	return c
}
