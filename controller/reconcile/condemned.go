package reconcile

import (
	"context"
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/plan"
)

// A switch that took a change back keeps its SwitchConfig as it is: it refuses
// that revision itself. What the other switches have not been given yet of the
// VPCs in it, they are not given, as long as the switch says so.

// condemned are the VPCs that switches, anywhere, say they have taken back.
func (r groupReconciler) condemned(ctx context.Context) (map[types.NamespacedName][]plan.Condemned, error) {
	var configs v1alpha1.SwitchConfigList
	if err := r.List(ctx, &configs, client.MatchingFields{configsTakenBack: "true"}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the SwitchConfigs that were taken back: %w", err)
	}
	out := map[types.NamespacedName][]plan.Condemned{}
	for i := range configs.Items {
		for vpc, c := range plan.CondemnedOn(&configs.Items[i]) {
			if !r.progress.outdated(&configs.Items[i], vpc) {
				out[vpc] = append(out[vpc], c)
			}
		}
	}
	return out, nil
}

// outdated says whether a switch has been given another form of a VPC since it
// reported.
func (p *progress) outdated(config *v1alpha1.SwitchConfig, vpc types.NamespacedName) bool {
	since, ok := p.since(config, vpc)
	return ok && config.Status.ObservedGeneration < since
}

// verdicts asks for the groups of a VPC when what switches say of it changes, or
// what it is about: those that were not given it may get it then.
func (r groupReconciler) verdicts() handler.EventHandler {
	ask := func(ctx context.Context, vpcs map[types.NamespacedName]plan.Condemned, q queue) {
		for vpc := range vpcs {
			for _, group := range r.ofVPCs(ctx, r.around(ctx, 1, vpc)) {
				q.Add(request(group))
			}
		}
	}
	return handler.Funcs{
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			was, is := e.ObjectOld.(*v1alpha1.SwitchConfig), e.ObjectNew.(*v1alpha1.SwitchConfig)
			before, now := plan.CondemnedOn(was), plan.CondemnedOn(is)
			same := func(a, b plan.Condemned) bool { return a.Message == b.Message }
			if was.Generation != is.Generation || !maps.EqualFunc(before, now, same) {
				ask(ctx, before, q)
				ask(ctx, now, q)
			}
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) {
			ask(ctx, plan.CondemnedOn(e.Object.(*v1alpha1.SwitchConfig)), q)
		},
	}
}
