package reconcile

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/ipam"
)

// lookAgain is how soon it is looked again whether hosts have let go of an address.
const lookAgain = time.Second

// addressReconciler writes the status of Allocations of addresses and gives those
// back that nobody can use any more: the blocks of hosts that are gone, after the
// time of grace, and the addresses of pods and claims that are. What a host that is
// there gives back, hostConfigReconciler gives back.
type addressReconciler struct{ base }

func setupAddress(mgr manager.Manager, b base) (controller.Controller, error) {
	r := addressReconciler{b}
	comesOrGoes := builder.WithPredicates(predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }})
	return builder.ControllerManagedBy(mgr).Named("address").
		For(&v1alpha1.Allocation{}, builder.WithPredicates(addresses(true))).
		Watches(&v1alpha1.Host{}, names(r.ofHost), comesOrGoes).
		Watches(&v1alpha1.HostConfig{}, names(r.ofHost), comesOrGoes).
		WatchesRawSource(fromProgress(b.needs.addresses)).
		WithOptions(options(statusWorkers)).
		Build(r)
}

// ofUser are the addresses that a pod or a claim has.
func (b base) ofUser(ctx context.Context, user v1alpha1.AddressUser) map[types.NamespacedName]bool {
	var list v1alpha1.AllocationList
	if err := b.List(ctx, &list, client.MatchingFields{allocationsByUser: user.String()}, client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}
	return namesOf(pointers(list.Items))
}

// addresses lets through the Allocations of addresses, or the other ones.
func addresses(through bool) predicate.Predicate {
	return predicate.NewPredicateFuncs(func(o client.Object) bool {
		return (o.(*v1alpha1.Allocation).Spec.Pool == v1alpha1.PoolAddresses) == through
	})
}

// ofHost are the blocks of a host that comes or goes.
func (r addressReconciler) ofHost(ctx context.Context, o client.Object) []types.NamespacedName {
	list, err := r.allocations(ctx, v1alpha1.PoolAddresses, hostHolder(o.GetName()))
	if err != nil {
		return nil
	}
	out := make([]types.NamespacedName, len(list))
	for i, a := range list {
		out[i] = client.ObjectKeyFromObject(a)
	}
	return out
}

func (r addressReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var a v1alpha1.Allocation
	if err := r.Get(ctx, req.NamespacedName, &a, client.UnsafeDisableDeepCopy); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	vni, block, err := ipam.ParseValue(a.Spec.Value)
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("value of Allocation %s: %w", a.Name, err)
	}
	switch {
	case a.Spec.User != nil:
		return r.single(ctx, &a, vni, block)
	case a.Spec.Holder.Kind == v1alpha1.KindHost:
		return r.ofGone(ctx, &a, vni, block)
	}
	// A block that the subnet keeps goes when no address in it has a user.
	always := func(context.Context) (bool, error) { return true, nil }
	if back, err := ipam.Return(ctx, book(r), ipam.Block{VNI: vni, Prefix: block}, always); err != nil || back {
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, r.report(ctx, &a, v1alpha1.AllocationBound)
}

// ofGone gives the block of a host back that is gone for longer than the time of
// grace. Machines whose Nodes were deleted may run on: until then their ports lose
// the subnet.
func (r addressReconciler) ofGone(ctx context.Context, a *v1alpha1.Allocation, vni int32, block netip.Prefix) (reconcile.Result, error) {
	gone := func(ctx context.Context) (bool, error) {
		host, err := r.exists(ctx, &v1alpha1.Host{}, a.Spec.Holder.NamespacedName())
		if err != nil || host {
			return false, err
		}
		config, err := r.exists(ctx, &v1alpha1.HostConfig{}, a.Spec.Holder.NamespacedName())
		return !config, err
	}
	if is, err := gone(ctx); err != nil {
		return reconcile.Result{}, err
	} else if !is {
		return reconcile.Result{}, r.report(ctx, a, v1alpha1.AllocationBound)
	}
	grace, err := topologyReconciler{base: r.base}.grace(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	since := meta.FindStatusCondition(a.Status.Conditions, v1alpha1.AllocationAccepted)
	if a.Status.Phase != v1alpha1.AllocationQuarantined || since == nil {
		return reconcile.Result{}, r.report(ctx, a, v1alpha1.AllocationQuarantined) // its own event comes round
	}
	if left := time.Until(since.LastTransitionTime.Add(grace)); grace < 0 || left > 0 {
		return reconcile.Result{RequeueAfter: max(left, 0)}, nil
	}
	back, err := ipam.Return(ctx, book(r), ipam.Block{VNI: vni, Prefix: block}, gone)
	if err != nil || back {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: lookAgain}, nil
}

// exists asks the API server whether there is an object.
func (r addressReconciler) exists(ctx context.Context, o client.Object, name types.NamespacedName) (bool, error) {
	err := r.live.Get(ctx, name, o)
	if apierrors.IsNotFound(err) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("get %T %s: %w", o, name, err)
	}
	return true, nil
}

// single gives an address back whose user is gone, once no host has it.
func (r addressReconciler) single(ctx context.Context, a *v1alpha1.Allocation, vni int32, block netip.Prefix) (reconcile.Result, error) {
	entry, err := book(r).Look(ctx, a.Spec.Value)
	if entry == nil || err != nil {
		return reconcile.Result{}, err
	}
	there, err := r.userExists(ctx, *a.Spec.User)
	if err != nil {
		return reconcile.Result{}, err
	}
	if there {
		return reconcile.Result{}, r.report(ctx, a, v1alpha1.AllocationBound)
	}
	used, err := r.anywhere(ctx, vni, block.Addr())
	if err != nil {
		return reconcile.Result{}, err
	}
	if used {
		return reconcile.Result{RequeueAfter: lookAgain}, r.report(ctx, a, v1alpha1.AllocationQuarantined)
	}
	b := book(r)
	if err := b.Drop(ctx, a.Spec.Value, entry.Version); err != nil && !errors.Is(err, ipam.ErrConflict) {
		return reconcile.Result{}, err
	}
	around := map[types.NamespacedName]bool{}
	for _, p := range ipam.Around(block.Addr()) {
		around[named(ipam.Name(ipam.Value(vni, p)))] = true
	}
	send(ctx, r.needs.addresses, around)
	return reconcile.Result{}, nil
}

// userExists asks whether a pod, or a claim, is there.
func (r addressReconciler) userExists(ctx context.Context, user v1alpha1.AddressUser) (bool, error) {
	o, kind := &metav1.PartialObjectMetadata{}, metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
	name := types.NamespacedName{Namespace: user.Namespace, Name: user.Pod}
	if user.Claim != "" {
		kind, name.Name = metav1.TypeMeta{APIVersion: "k8s.cni.cncf.io/v1alpha1", Kind: "IPAMClaim"}, user.Claim
	}
	o.TypeMeta = kind
	there, err := r.exists(ctx, o, name)
	if meta.IsNoMatchError(err) {
		return false, nil
	}
	return there, err
}

// anywhere says whether a host may use an address of a subnet as one that a pod has
// for itself, or has not said yet that it does not.
func (r addressReconciler) anywhere(ctx context.Context, vni int32, ip netip.Addr) (bool, error) {
	var configs v1alpha1.HostConfigList
	if err := r.live.List(ctx, &configs); err != nil {
		return false, fmt.Errorf("list HostConfigs: %w", err)
	}
	return slices.ContainsFunc(configs.Items, func(c v1alpha1.HostConfig) bool {
		o := accounts{base: r.base, config: &c}
		need := o.need(vni, ipam.Subnet{})
		reserved := slices.ContainsFunc(c.Spec.Networks, func(n v1alpha1.HostNetwork) bool {
			return n.VNI == vni && slices.ContainsFunc(n.Reserved, func(a v1alpha1.ReservedAddress) bool { return a.Address == ip.String() })
		})
		return reserved || ipam.Has(need.Uses, ip) || !need.Settled && knows(&c, vni)
	}), nil
}

// knows says whether a host has to do with a subnet.
func knows(c *v1alpha1.HostConfig, vni int32) bool {
	return slices.ContainsFunc(c.Spec.Networks, func(n v1alpha1.HostNetwork) bool { return n.VNI == vni }) ||
		slices.ContainsFunc(c.Status.Networks, func(n v1alpha1.HostNetworkStatus) bool { return n.VNI == vni })
}

// report writes the phase of an Allocation.
func (r addressReconciler) report(ctx context.Context, a *v1alpha1.Allocation, phase v1alpha1.AllocationPhase) error {
	want, whose := v1alpha1.AllocationStatus{Phase: phase}, a.Spec.Holder.String()
	if a.Spec.User != nil {
		whose = a.Spec.User.String()
	}
	accepted := condition(a, v1alpha1.AllocationAccepted, true, "Accepted", fmt.Sprintf("%s belongs to %s.", a.Spec.Value, whose))
	if phase == v1alpha1.AllocationQuarantined {
		accepted = condition(a, v1alpha1.AllocationAccepted, false, "HolderGone", fmt.Sprintf("%s is gone. %s is free when nobody can use it any more.", whose, a.Spec.Value))
	}
	want.Conditions = withReady(a, a.Status.Conditions, accepted)
	return r.applyStatus(ctx, "Allocation", a, a.Status, want)
}
