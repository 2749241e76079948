package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// errNotSeenYet: what was written is not in the cache yet; it is tried again.
var errNotSeenYet = errors.New("not seen yet")

// writeRelease writes what was decided, if it is not there already, and only if the
// release is still the one that it was decided from.
func (r *releaseReconciler) writeRelease(ctx context.Context, rel *v1alpha1.NOSRelease, next v1alpha1.NOSReleaseStatus, wrong error) (bool, error) {
	before := rel.Status
	next.Conditions = releaseConditions(rel, next, wrong)
	if equality.Semantic.DeepEqual(before, next) {
		return false, nil
	}
	now := rel.DeepCopy()
	now.Status = next
	if err := r.Status().Update(ctx, now, client.FieldOwner(FieldOwner)); ignoreRaces(err) != nil {
		return false, fmt.Errorf("write the status of NOSRelease %s: %w", rel.Name, err)
	} else if err != nil {
		return true, nil //nolint:nilerr // somebody else wrote: it is decided anew
	}
	log.FromContext(ctx).Info("release", "name", rel.Name, "phase", next.Phase, "message", next.Message)
	r.announceRelease(rel, &before, &next)
	return true, nil
}

// reject says on a release that it cannot be made, when nothing of it ever was.
func (r *releaseReconciler) reject(ctx context.Context, rel *v1alpha1.NOSRelease, wrong error) (time.Duration, error) {
	next := *rel.Status.DeepCopy()
	next.ObservedGeneration, next.Phase, next.Message = rel.Generation, v1alpha1.ReleaseRejected, wrong.Error()
	wrote, err := r.writeRelease(ctx, rel, next, wrong)
	if wrote {
		return afterWrite, err
	}
	return 0, err
}

func releaseConditions(rel *v1alpha1.NOSRelease, s v1alpha1.NOSReleaseStatus, wrong error) []metav1.Condition {
	accepted := condition(rel, v1alpha1.ReleaseAccepted, true, "Accepted", "The release can be made.")
	if wrong != nil {
		accepted = condition(rel, v1alpha1.ReleaseAccepted, false, "Invalid", wrong.Error()+". Correct it; what was accepted before goes on.")
	}
	out := condition(rel, v1alpha1.ReleaseRolledOut, s.Phase == v1alpha1.ReleaseComplete && s.Ready == s.Desired, string(s.Phase), s.Message)
	if s.Phase == v1alpha1.ReleaseComplete && s.Ready < s.Desired {
		out.Reason = "NotReady"
	}
	return withReady(rel, rel.Status.Conditions, accepted, out)
}

// announceRelease makes events of what people want to hear of.
func (r *releaseReconciler) announceRelease(rel *v1alpha1.NOSRelease, before, now *v1alpha1.NOSReleaseStatus) {
	if stop := now.Stop; stop != nil && (before.Stop == nil || before.Stop.Retry != stop.Retry) {
		r.metrics.countStop(rel.Name, stop.Reason)
		r.events.Eventf(rel, nil, corev1.EventTypeWarning, stop.Reason, "Stop", "%s: %s", stop.Switch, stop.Message)
	} else if now.Phase != before.Phase && now.Phase != v1alpha1.ReleaseWaiting && now.Phase != v1alpha1.ReleaseStopped {
		r.events.Eventf(rel, nil, corev1.EventTypeNormal, string(now.Phase), "Release", "%s: %s", now.Progress, now.Message)
	}
	earlier := map[string]*v1alpha1.ReleaseSwitchStatus{}
	for i := range before.Switches {
		earlier[before.Switches[i].Name] = &before.Switches[i]
	}
	for i := range now.Switches {
		s := &now.Switches[i]
		if was := earlier[s.Name]; was != nil && was.Phase != s.Phase {
			r.metrics.left(rel.Name, was, s)
			r.announceSwitch(rel, *s)
		}
	}
}

func (r *releaseReconciler) announceSwitch(rel *v1alpha1.NOSRelease, s v1alpha1.ReleaseSwitchStatus) {
	sw := &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: s.Name}}
	switch s.Phase {
	case v1alpha1.SwitchDraining, v1alpha1.SwitchReplacing, v1alpha1.SwitchCurrent:
		r.events.Eventf(sw, rel, corev1.EventTypeNormal, string(s.Phase), "Release", "NOSRelease %s: %s", rel.Name, s.Phase)
	case v1alpha1.SwitchRollingBack, v1alpha1.SwitchRolledBack:
		r.events.Eventf(sw, rel, corev1.EventTypeWarning, string(s.Phase), "Release", "NOSRelease %s: %s: %s", rel.Name, s.Reason, s.Message)
	default: // what nobody has to look at the switch for
	}
}
