package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
)

// allocationReconciler judges Allocations and lets go of those whose holder is
// gone, once no switch uses the value any more.
type allocationReconciler struct{ base }

func setupAllocation(mgr manager.Manager, b base) error {
	r := allocationReconciler{b}
	generation := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	return builder.ControllerManagedBy(mgr).Named("allocation").
		Watches(&v1alpha1.Allocation{}, names(r.siblings), builder.WithPredicates(addresses(false))).
		Watches(&v1alpha1.VPC{}, names(r.ofVPC), generation).
		Watches(&v1alpha1.Switch{}, names(r.ofSwitch), generation).
		Watches(&v1alpha1.Fabric{}, names(r.all), generation).
		Watches(&v1alpha1.Switch{}, names(r.leaving), builder.WithPredicates(deleted())).
		Watches(&v1alpha1.SwitchConfig{}, names(r.leaving), builder.WithPredicates(letGo())).
		WithOptions(options(statusWorkers)).
		Complete(r)
}

// letGo lets through what can end a quarantine: a new generation, since what
// was not in the cache yet when it was looked for may not use the value.
func letGo() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			was, is := e.ObjectOld.(*v1alpha1.SwitchConfig), e.ObjectNew.(*v1alpha1.SwitchConfig)
			return was.Generation != is.Generation || was.Status.ConfirmedGeneration != is.Status.ConfirmedGeneration ||
				!slices.Equal(was.Status.VNIs, is.Status.VNIs) || !slices.Equal(was.Status.VTEPs, is.Status.VTEPs)
		},
	}
}

// deleted lets through that an object is gone.
func deleted() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(event.UpdateEvent) bool { return false },
	}
}

// siblings are all Allocations for the same holder: one of them going may be
// another one's chance.
func (r allocationReconciler) siblings(ctx context.Context, o client.Object) []types.NamespacedName {
	return append(r.list(ctx, client.MatchingFields{allocationsByHolder: holderKey(&o.(*v1alpha1.Allocation).Spec)}), client.ObjectKeyFromObject(o))
}

func (r allocationReconciler) ofVPC(ctx context.Context, o client.Object) []types.NamespacedName {
	name := client.ObjectKeyFromObject(o)
	out := r.ofHolder(ctx, v1alpha1.PoolVNI, vpcHolder(name, ""))
	vpc := o.(*v1alpha1.VPC)
	for _, s := range vpc.Spec.Subnets {
		out = append(out, r.ofHolder(ctx, v1alpha1.PoolVNI, vpcHolder(name, s.Name))...)
	}
	for _, s := range vpc.Status.Subnets { // those that were taken out of the spec
		out = append(out, r.ofHolder(ctx, v1alpha1.PoolVNI, vpcHolder(name, s.Name))...)
	}
	return out
}

func (r allocationReconciler) ofSwitch(ctx context.Context, o client.Object) []types.NamespacedName {
	return append(r.ofHolder(ctx, v1alpha1.PoolVTEP, switchHolder(o.GetName())), r.ofHolder(ctx, v1alpha1.PoolASN, switchHolder(o.GetName()))...)
}

func (r allocationReconciler) ofHolder(ctx context.Context, pool v1alpha1.PoolName, holder v1alpha1.Holder) []types.NamespacedName {
	return r.list(ctx, client.MatchingFields{allocationsByHolder: holderKey(&v1alpha1.AllocationSpec{Pool: pool, Holder: holder})})
}

func (r allocationReconciler) all(ctx context.Context, _ client.Object) []types.NamespacedName {
	return r.list(ctx)
}

func (r allocationReconciler) leaving(ctx context.Context, _ client.Object) []types.NamespacedName {
	return r.list(ctx, client.MatchingFields{allocationsByPhase: string(v1alpha1.AllocationQuarantined)})
}

func (r allocationReconciler) list(ctx context.Context, opts ...client.ListOption) []types.NamespacedName {
	var list v1alpha1.AllocationList
	if err := r.List(ctx, &list, append(opts, client.UnsafeDisableDeepCopy)...); err != nil {
		return nil
	}
	out := make([]types.NamespacedName, len(list.Items))
	for i := range list.Items {
		out[i] = types.NamespacedName{Name: list.Items[i].Name}
	}
	return out
}

func (r allocationReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var a v1alpha1.Allocation
	if err := r.Get(ctx, req.NamespacedName, &a); err != nil || a.Spec.Pool == v1alpha1.PoolAddresses {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	_, pools, err := r.fabric(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	siblings, err := r.allocations(ctx, a.Spec.Pool, a.Spec.Holder)
	if err != nil {
		return reconcile.Result{}, err
	}
	pinned, err := r.pinned(ctx, a.Spec.Pool, a.Spec.Holder)
	if err != nil {
		return reconcile.Result{}, err
	}
	verdict := judge(&a, siblings, pools, pinned)
	held, err := held(ctx, r, a.Spec.Holder)
	if err != nil {
		return reconcile.Result{}, err
	}
	if !held || !verdict.Accepted || a.DeletionTimestamp != nil {
		used, err := r.used(ctx, &a)
		if err != nil {
			return reconcile.Result{}, err
		}
		if done, err := r.release(ctx, &a, used, held, verdict.Accepted); done || err != nil {
			return reconcile.Result{}, err
		}
		return reconcile.Result{}, r.report(ctx, &a, verdict, leavingPhase(&a, verdict, used))
	}
	if controllerutil.AddFinalizer(&a, finalizer) {
		if err := r.Update(ctx, &a, client.FieldOwner(FieldOwner)); err != nil {
			return reconcile.Result{}, client.IgnoreNotFound(ignoreConflict(err))
		}
	}
	return reconcile.Result{}, r.report(ctx, &a, verdict, v1alpha1.AllocationBound)
}

// judge has an Allocation judged as the one among its siblings that has its
// name: that is another copy of it.
func judge(a *v1alpha1.Allocation, siblings []*v1alpha1.Allocation, pools *alloc.Pools, pinned string) alloc.Verdict {
	for _, s := range siblings {
		if s.Name == a.Name {
			return alloc.Judge(s, siblings, pools, pinned)
		}
	}
	return alloc.Judge(a, append(siblings, a), pools, pinned)
}

// leavingPhase is the phase of an Allocation that is not in force.
func leavingPhase(a *v1alpha1.Allocation, verdict alloc.Verdict, used bool) v1alpha1.AllocationPhase {
	switch {
	case used || a.DeletionTimestamp != nil:
		return v1alpha1.AllocationQuarantined
	case !verdict.Accepted:
		return v1alpha1.AllocationRejected
	}
	return v1alpha1.AllocationReserved
}

// held says whether the holder exists, as far as a reader knows.
func held(ctx context.Context, reader client.Reader, holder v1alpha1.Holder) (bool, error) {
	var err error
	found := true
	if holder.Kind == v1alpha1.KindSwitch {
		err = reader.Get(ctx, client.ObjectKey{Name: holder.Name}, &v1alpha1.Switch{})
	} else {
		var vpc v1alpha1.VPC
		err = reader.Get(ctx, holder.NamespacedName(), &vpc)
		found = holder.Subnet == "" || slices.ContainsFunc(vpc.Spec.Subnets, func(s v1alpha1.Subnet) bool { return s.Name == holder.Subnet })
	}
	if apierrors.IsNotFound(err) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("get %s: %w", holder, err)
	}
	return found, nil
}

// used says whether a switch uses the value, may use it, or has not said yet
// that it no longer does.
func (r allocationReconciler) used(ctx context.Context, a *v1alpha1.Allocation) (bool, error) {
	var configs v1alpha1.SwitchConfigList
	if err := r.List(ctx, &configs, client.UnsafeDisableDeepCopy); err != nil {
		return false, fmt.Errorf("list SwitchConfigs: %w", err)
	}
	vni, _ := strconv.ParseInt(a.Spec.Value, 10, 32)
	has := make(map[string]bool, len(configs.Items))
	for i := range configs.Items {
		c := &configs.Items[i]
		if has[c.Name] = true; r.progress.behind(c) || uses(c, a.Spec, int32(vni)) || mayUse(c, leftID(a.Spec.Pool, a.Spec.Value)) {
			return true, nil
		}
	}
	return r.anyWithout(ctx, has)
}

// anyWithout says whether a switch that has an agent is without SwitchConfig,
// because somebody deleted it: what it uses is not known until it has another.
func (r allocationReconciler) anyWithout(ctx context.Context, has map[string]bool) (bool, error) {
	var switches v1alpha1.SwitchList
	if err := r.List(ctx, &switches, client.UnsafeDisableDeepCopy); err != nil {
		return false, fmt.Errorf("list Switches: %w", err)
	}
	return slices.ContainsFunc(switches.Items, func(sw v1alpha1.Switch) bool { return !has[sw.Name] && reported(&sw) }), nil
}

func uses(c *v1alpha1.SwitchConfig, s v1alpha1.AllocationSpec, vni int32) bool {
	switch s.Pool {
	case v1alpha1.PoolASN:
		return c.Spec.BGP != nil && strconv.FormatInt(c.Spec.BGP.ASN, 10) == s.Value
	case v1alpha1.PoolVTEP:
		return c.Spec.VTEP == s.Value || c.Spec.BGP != nil && c.Spec.BGP.RouterID == s.Value || slices.Contains(c.Status.VTEPs, s.Value)
	default:
	}
	return slices.ContainsFunc(c.Spec.VRFs, func(v v1alpha1.VRFConfig) bool { return v.VNI == vni }) ||
		slices.ContainsFunc(c.Spec.Segments, func(g v1alpha1.SegmentConfig) bool { return g.VNI == vni }) ||
		slices.Contains(c.Status.VNIs, vni)
}

// release lets an unused Allocation go, if it was the controller's own or is
// being deleted, and reports whether it has.
func (r allocationReconciler) release(ctx context.Context, a *v1alpha1.Allocation, used, exists, accepted bool) (bool, error) {
	own := a.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedByController
	switch {
	case used:
		return false, nil
	case a.DeletionTimestamp != nil:
		if controllerutil.RemoveFinalizer(a, finalizer) {
			err := r.Update(ctx, a, client.FieldOwner(FieldOwner))
			return true, client.IgnoreNotFound(ignoreConflict(err))
		}
		return true, nil
	case exists && accepted || !own:
		return false, nil
	}
	// The cache may not show a holder yet that was just made.
	if exists, err := held(ctx, r.live, a.Spec.Holder); err != nil || exists && accepted {
		return true, err
	}
	err := r.Delete(ctx, a, client.Preconditions{UID: &a.UID, ResourceVersion: &a.ResourceVersion})
	return true, client.IgnoreNotFound(ignoreConflict(err)) // its finalizer goes when the deletion is seen
}

// ignoreConflict drops the error of a write that was made from an old version:
// the event of the new one is on its way.
func ignoreConflict(err error) error {
	if apierrors.IsConflict(err) {
		return nil
	}
	return err
}

func (r allocationReconciler) report(ctx context.Context, a *v1alpha1.Allocation, v alloc.Verdict, phase v1alpha1.AllocationPhase) error {
	want := v1alpha1.AllocationStatus{Phase: phase}
	want.Conditions = withReady(a, a.Status.Conditions, condition(a, v1alpha1.AllocationAccepted, v.Accepted, v.Reason, v.Message))
	if !v.Accepted {
		r.announce(a, a.Status.Conditions, want.Conditions, v1alpha1.AllocationAccepted)
	}
	return r.applyStatus(ctx, "Allocation", a, a.Status, want)
}
