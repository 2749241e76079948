package reconcile

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/release/service"
)

// daemonSets makes the DaemonSet of each version in use, and deletes those that no
// switch needs any more. They have no owner: a NOSRelease that is deleted takes
// no service away.
func (r *releaseReconciler) daemonSets(ctx context.Context, rel *v1alpha1.NOSRelease, h history, inUse map[string]bool) error {
	var list appsv1.DaemonSetList
	if err := r.workloads.List(ctx, &list, client.InNamespace(r.namespace), client.MatchingLabels{v1alpha1.LabelRelease: rel.Name}); err != nil {
		return fmt.Errorf("list the DaemonSets of NOSRelease %s: %w", rel.Name, err)
	}
	have := map[string]*appsv1.DaemonSet{}
	for i := range list.Items {
		have[list.Items[i].Labels[v1alpha1.LabelServiceHash]] = &list.Items[i]
	}
	for _, s := range h.services() {
		if !inUse[s.Hash] {
			continue
		}
		if err := r.daemonSet(ctx, have[s.Hash], r.wanted(rel, s)); err != nil {
			return err
		}
		have[s.Hash] = nil // it is done; the same version may be in many revisions
		inUse[s.Hash] = false
	}
	return r.collect(ctx, have, inUse)
}

// wanted is the DaemonSet of a version. Its pods are replaced by nobody but who
// changes the labels of Nodes.
func (r *releaseReconciler) wanted(rel *v1alpha1.NOSRelease, s service.Service) *appsv1.DaemonSet {
	labels := map[string]string{v1alpha1.LabelRelease: rel.Name, v1alpha1.LabelService: s.Name, v1alpha1.LabelServiceHash: s.Hash}
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: fmt.Sprintf("%s-%s-%s", rel.Name, s.Name, s.Hash), Labels: labels},
		Spec: appsv1.DaemonSetSpec{
			Selector:       &metav1.LabelSelector{MatchLabels: labels},
			Template:       s.Template,
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: appsv1.OnDeleteDaemonSetStrategyType},
		},
	}
}

// daemonSet makes a DaemonSet, or puts back what somebody changed of it: with
// OnDelete no pod is touched by that.
func (r *releaseReconciler) daemonSet(ctx context.Context, have, want *appsv1.DaemonSet) error {
	if have == nil {
		if err := r.Create(ctx, want, client.FieldOwner(FieldOwner)); ignoreRaces(err) != nil {
			return fmt.Errorf("create DaemonSet %s: %w", want.Name, err)
		}
		return nil
	}
	if equality.Semantic.DeepDerivative(want.Spec.Template, have.Spec.Template) && have.Spec.UpdateStrategy.Type == want.Spec.UpdateStrategy.Type {
		return nil
	}
	now := have.DeepCopy()
	now.Spec.Template, now.Spec.UpdateStrategy = want.Spec.Template, want.Spec.UpdateStrategy
	if err := r.Update(ctx, now, client.FieldOwner(FieldOwner)); ignoreRaces(err) != nil {
		return fmt.Errorf("update DaemonSet %s: %w", want.Name, err)
	}
	return nil
}

// collect deletes the DaemonSets that nobody needs and that have no pod.
func (r *releaseReconciler) collect(ctx context.Context, have map[string]*appsv1.DaemonSet, inUse map[string]bool) error {
	for hash, d := range have {
		if d == nil || inUse[hash] || d.Status.ObservedGeneration < d.Generation || d.Status.DesiredNumberScheduled+d.Status.CurrentNumberScheduled+d.Status.NumberMisscheduled > 0 {
			continue
		}
		same := client.Preconditions{UID: &d.UID, ResourceVersion: &d.ResourceVersion}
		if err := r.Delete(ctx, d, same, client.PropagationPolicy(metav1.DeletePropagationBackground)); ignoreRaces(err) != nil {
			return fmt.Errorf("delete DaemonSet %s: %w", d.Name, err)
		}
	}
	return nil
}
