package reconcile

import (
	"context"
	"fmt"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/plan"
)

// cacheLag is how soon to look again when the cache does not show our own last
// write yet.
const cacheLag = 2 * time.Millisecond

// groupReconciler has the switches of a redundancy group compiled and writes
// their SwitchConfigs. A request's name is that of the group (plan.GroupOf).
type groupReconciler struct{ base }

func setupGroup(mgr manager.Manager, b base) error {
	r := groupReconciler{b}
	generation := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	return builder.ControllerManagedBy(mgr).Named("group").
		Watches(&v1alpha1.Switch{}, names(r.ofSwitch), builder.WithPredicates(switchChanged())).
		Watches(&v1alpha1.SwitchConfig{}, names(r.ofConfig), builder.WithPredicates(predicate.GenerationChangedPredicate{}, b.foreignWrite())).
		Watches(&v1alpha1.SwitchConfig{}, r.verdicts()).
		Watches(&v1alpha1.VPCAttachment{}, names(r.ofAttachment), generation).
		Watches(&v1alpha1.VPC{}, names(r.ofVPC), generation).
		Watches(&v1alpha1.VPCPeering{}, names(r.ofPeering), generation).
		Watches(&v1alpha1.Allocation{}, names(r.ofAllocation), builder.WithPredicates(valueChanged())).
		Watches(&v1alpha1.Allocation{}, givenBack(b.progress, v1alpha1.PoolVTEP)).
		Watches(&v1alpha1.Allocation{}, givenBack(b.progress, v1alpha1.PoolASN)).
		Watches(&v1alpha1.Host{}, names(r.ofHostPlaces), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(&v1alpha1.HostConfig{}, names(r.ofHostPlaces), hostLetsGo()).
		WatchesRawSource(fromProgress(b.cabling.groups)).
		Watches(&v1alpha1.VPCClass{}, names(r.all), generation).
		Watches(&v1alpha1.Fabric{}, names(r.all), generation).
		WithOptions(options(workers)).
		Complete(r)
}

// switchChanged lets through what the planner looks at in a Switch.
func switchChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		a, b := e.ObjectOld.(*v1alpha1.Switch), e.ObjectNew.(*v1alpha1.Switch)
		return a.Generation != b.Generation || !samePorts(a, b)
	}}
}

// foreignWrite lets through a SwitchConfig whose spec is not the one that was
// written last, or that is gone.
func (b base) foreignWrite() predicate.Predicate {
	p := predicate.NewPredicateFuncs(func(o client.Object) bool { return !b.progress.wrote(o) })
	p.DeleteFunc = func(event.DeleteEvent) bool { return true }
	return p
}

func (r groupReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	in, wait, err := r.inputs(ctx, req.Name)
	if err != nil || wait || len(in.Switches) == 0 {
		return reconcile.Result{RequeueAfter: lag(wait)}, err
	}
	start := time.Now()
	out := plan.Build(in.Inputs)
	log.FromContext(ctx).V(1).Info("compiled", "switches", len(in.Switches), "attachments", len(in.Attachments), "places", len(in.Placements), "took", time.Since(start))
	for _, sw := range in.Switches {
		stale, err := r.write(ctx, in.Configs[sw.Name], out.Specs[sw.Name], outcomeOn(in, out, sw.Name))
		if err != nil || stale {
			return reconcile.Result{RequeueAfter: lag(stale)}, err
		}
	}
	return reconcile.Result{RequeueAfter: again(out)}, nil
}

func lag(wait bool) time.Duration {
	if wait {
		return cacheLag
	}
	return 0
}

// outcomeOn is what the plan makes of the attachments that have a place on a
// switch, and of the switch.
func outcomeOn(in *inputs, out plan.Result, name string) outcome {
	o := outcome{vpcs: map[v1alpha1.ObjectReference]types.NamespacedName{}, problems: map[v1alpha1.ObjectReference]v1alpha1.Problem{}}
	add := func(p plan.Placement) {
		if p.Port.Switch == name {
			o.vpcs[plan.OwnerOf(p)] = vpcOf(p.VPCAttachment)
		}
	}
	for _, a := range in.Attachments {
		add(plan.Named(a))
	}
	for _, p := range in.Placements {
		add(p)
	}
	o.waiting = maps.Clone(out.Waiting)
	maps.DeleteFunc(o.waiting, func(c plan.Carrier, _ plan.Wait) bool { return c.Switch != name })
	if spec := out.Specs[name]; spec.BGP != nil {
		o.underlay.uplinks = len(spec.BGP.Uplinks)
	}
	for _, p := range in.problems {
		if p.Owner.Name == name {
			o.underlay.problems = append(o.underlay.problems, p)
		}
	}
	for _, p := range out.Problems {
		switch {
		case p.Switch != name:
		case p.Owner.Kind == v1alpha1.KindSwitch:
			o.underlay.problems = append(o.underlay.problems, p.Problem)
		default:
			o.problems[p.Owner] = p.Problem
		}
	}
	return o
}

// write applies a spec unless it is there already. It reports true when the
// SwitchConfig is not the one that the plan was made from: the plan is void
// then, since the VLAN ids that it kept may be others by now.
func (r groupReconciler) write(ctx context.Context, have *v1alpha1.SwitchConfig, spec v1alpha1.SwitchConfigSpec, made outcome) (stale bool, err error) {
	before := have.Spec
	before.Maintenance = nil                       // is not the plan's
	if equality.Semantic.DeepEqual(before, spec) { // the revision alone might hide an edit by hand
		r.tellHosts(ctx, have, have, made)
		return false, nil
	}
	grace, err := topologyReconciler{base: r.base}.grace(ctx)
	if err != nil {
		return false, err
	}
	patch, err := applyPatch("SwitchConfig", manifestMetadata{
		Name: have.Name, ResourceVersion: have.ResourceVersion,
		Annotations: map[string]string{leftAnnotation: leaving(have, &spec), plan.FormerAnnotation: plan.Leaving(have, &spec, time.Now(), grace)},
	}, spec, nil)
	if err != nil {
		return false, err
	}
	now := v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: have.Name}}
	err = r.Patch(ctx, &now, patch, client.FieldOwner(FieldOwner), client.ForceOwnership)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return true, nil
	} else if err != nil {
		return false, fmt.Errorf("write SwitchConfig %s: %w", have.Name, err)
	}
	r.tellHosts(ctx, have, &now, made)
	log.FromContext(ctx).Info("compiled a new revision", "switch", have.Name, "revision", spec.Revision,
		"generation", now.Generation, "vrfs", len(spec.VRFs), "segments", len(spec.Segments))
	return false, nil
}

// tellHosts records what was compiled for a switch and has the hosts looked at that
// it concerns.
func (r groupReconciler) tellHosts(ctx context.Context, before, after *v1alpha1.SwitchConfig, made outcome) {
	ports, all := r.progress.done(ctx, before, after, made)
	send(ctx, r.needs.configs, r.hostsAt(after.Name, ports, all))
}
