package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// switchReconciler says on a Switch how it is cabled and what follows from that.
type switchReconciler struct{ base }

func setupSwitch(mgr manager.Manager, b base) error {
	return builder.ControllerManagedBy(mgr).Named("switch").
		For(&v1alpha1.Switch{}, builder.WithPredicates(conditionsChanged())).
		WatchesRawSource(fromProgress(b.cabling.switches)).
		WatchesRawSource(fromProgress(b.progress.changed)).
		WithOptions(options(statusWorkers)).
		Complete(switchReconciler{b})
}

// conditionsChanged lets through what can make a condition of ours another one
// than was written.
func conditionsChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() ||
			!equality.Semantic.DeepEqual(ownConditions(e.ObjectOld), ownConditions(e.ObjectNew))
	}}
}

// ownConditions are those of a Switch or Host that the controller writes.
func ownConditions(o client.Object) []metav1.Condition {
	var all []metav1.Condition
	switch o := o.(type) {
	case *v1alpha1.Switch:
		all = o.Status.Conditions
	case *v1alpha1.Host:
		all = o.Status.Conditions
	}
	return slices.DeleteFunc(slices.Clone(all), func(c metav1.Condition) bool {
		return c.Type != v1alpha1.SwitchCabled && c.Type != v1alpha1.SwitchUnderlay
	})
}

func (r switchReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	ports := r.cabling.now.Load()
	under, known := r.progress.underlay(req.Name)
	if ports == nil || !known {
		return reconcile.Result{}, nil
	}
	var sw v1alpha1.Switch
	if err := r.Get(ctx, req.NamespacedName, &sw, client.UnsafeDisableDeepCopy); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	ref := v1alpha1.ObjectReference{Kind: v1alpha1.KindSwitch, Name: sw.Name}
	cabled := told(&sw, v1alpha1.SwitchCabled, ports.ProblemsOf(ref), v1alpha1.SwitchCabled, "Nothing that is heard at its ports, or hears them, contradicts anything else.")
	set := []metav1.Condition{noted(cabled, ports.NotesOf(ref))}
	if len(under.problems) > 0 || under.uplinks > 0 {
		set = append(set, told(&sw, v1alpha1.SwitchUnderlay, under.problems, v1alpha1.SwitchUnderlay, fmt.Sprintf("BGP runs over %d of its ports.", under.uplinks)))
	}
	return reconcile.Result{}, r.applyConditions(ctx, "Switch", &sw, sw.Status.Conditions, set...)
}

// told is a condition that is True unless there are problems.
func told(o client.Object, kind string, problems []v1alpha1.Problem, reason, message string) metav1.Condition {
	if len(problems) == 0 {
		return condition(o, kind, true, reason, message)
	}
	const most = 8
	var messages []string
	for _, p := range problems[:min(len(problems), most)] {
		messages = append(messages, p.Message)
	}
	if rest := len(problems) - most; rest > 0 {
		messages = append(messages, fmt.Sprintf("And %d more.", rest))
	}
	return condition(o, kind, false, problems[0].Reason, strings.Join(messages, " "))
}

// applyConditions writes the controller's conditions into a status that is
// somebody else's. Those that it no longer sets go.
func (r base) applyConditions(ctx context.Context, kind string, o client.Object, have []metav1.Condition, set ...metav1.Condition) error {
	was := ownConditions(o)
	byType := func(a, b metav1.Condition) int { return strings.Compare(a.Type, b.Type) }
	slices.SortFunc(was, byType)
	var want []metav1.Condition
	for _, c := range set {
		if before := meta.FindStatusCondition(was, c.Type); before != nil {
			want = append(want, *before)
		}
		c.LastTransitionTime = now()
		meta.SetStatusCondition(&want, c)
		r.announce(o, have, want, c.Type)
	}
	slices.SortFunc(want, byType)
	type status struct {
		Conditions []metav1.Condition `json:"conditions"`
	}
	return r.applyStatus(ctx, kind, o, status{was}, status{want})
}
