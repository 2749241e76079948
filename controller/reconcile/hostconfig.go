package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// otherHost is how often it is looked whether another host has left an address out
// that a pod asks for.
const otherHost = 100 * time.Millisecond

// errNotYet says that a switch has not been compiled since the controller started.
var errNotYet = errors.New("not compiled yet")

// hostConfigReconciler writes what a host has to know to attach pods. A request's
// name is that of the host. All that is decided about the host's addresses is decided
// by writing its HostConfig, always as a change of the version that was looked at:
// of two controllers, one finds that it was too late.
type hostConfigReconciler struct {
	base
	settling *settling
}

func setupHostConfig(mgr manager.Manager, b base) error {
	r := hostConfigReconciler{b, newSettling()}
	generation := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	comesOrGoes := builder.WithPredicates(predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }})
	return builder.ControllerManagedBy(mgr).Named("hostconfig").
		Watches(&v1alpha1.HostConfig{}, sameName(), builder.WithPredicates(hostReports())).
		Watches(&v1alpha1.Host{}, sameName(), comesOrGoes).
		Watches(&v1alpha1.VPC{}, names(func(ctx context.Context, o client.Object) []types.NamespacedName {
			return r.needing(r.around(ctx, peerDepth, client.ObjectKeyFromObject(o))...)
		}), generation).
		Watches(&v1alpha1.VPCPeering{}, names(func(ctx context.Context, o client.Object) []types.NamespacedName {
			return r.needing(r.concerned(ctx, o.(*v1alpha1.VPCPeering))...)
		}), generation).
		Watches(&v1alpha1.Allocation{}, names(r.ofAllocation), builder.WithPredicates(predicate.Or(valueChanged(), deleted()))).
		Watches(&v1alpha1.SwitchConfig{}, r.switchReports()).
		WatchesRawSource(fromProgress(b.needs.configs)).
		WithOptions(options(workers)).
		Complete(r)
}

// hostReports lets through what the controller looks at in a HostConfig.
func hostReports() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		was, is := e.ObjectOld.(*v1alpha1.HostConfig), e.ObjectNew.(*v1alpha1.HostConfig)
		return was.Generation != is.Generation || was.Annotations[withheldAnnotation] != is.Annotations[withheldAnnotation] ||
			was.Status.ObservedGeneration != is.Status.ObservedGeneration || !equality.Semantic.DeepEqual(was.Status.Networks, is.Status.Networks)
	}}
}

// needing are the hosts that need one of some VPCs.
func (r hostConfigReconciler) needing(vpcs ...types.NamespacedName) []types.NamespacedName {
	var out []types.NamespacedName
	for _, vpc := range vpcs {
		for _, host := range r.needs.hostsOf(vpc) {
			out = append(out, types.NamespacedName{Name: host})
		}
	}
	return out
}

// ofAllocation are the hosts that an Allocation concerns: the one that holds it, or
// those that need the VPC.
func (r hostConfigReconciler) ofAllocation(_ context.Context, o client.Object) []types.NamespacedName {
	s := o.(*v1alpha1.Allocation).Spec
	switch s.Holder.Kind {
	case v1alpha1.KindHost:
		return []types.NamespacedName{{Name: s.Holder.Name}}
	case v1alpha1.KindVPC:
		return r.needing(s.Holder.NamespacedName())
	case v1alpha1.KindVPCAttachment, v1alpha1.KindVPCPeering, v1alpha1.KindSwitch, v1alpha1.KindLink:
	}
	return nil
}

func (r hostConfigReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var host v1alpha1.Host
	if err := r.Get(ctx, req.NamespacedName, &host, client.UnsafeDisableDeepCopy); apierrors.IsNotFound(err) {
		r.settling.forget(req.NamespacedName)
		return reconcile.Result{}, r.hostGone(ctx, req.Name)
	} else if err != nil {
		return reconcile.Result{}, fmt.Errorf("get Host %s: %w", req.Name, err)
	}
	ports := r.cabling.now.Load()
	if ports == nil {
		return reconcile.Result{}, nil // the first port map asks for all hosts
	}
	have, err := r.have(ctx, &host)
	if err != nil || have == nil {
		return reconcile.Result{RequeueAfter: cacheLag}, err
	}
	needs, err := r.hostNeeds(ctx, req.Name)
	if err != nil {
		return reconcile.Result{}, err
	}
	in, wait, err := r.inputs(ctx, &host, have, ports, needs)
	if errors.Is(err, errNotYet) {
		return reconcile.Result{}, nil
	}
	if err != nil || wait {
		return reconcile.Result{RequeueAfter: lag(wait)}, err
	}
	addresses, waits, err := r.addresses(ctx, have, in.Networks, needs)
	if err != nil {
		return reconcile.Result{}, err
	}
	spec := plan.BuildHost(in)
	if wait := r.settling.wait(req.NamespacedName, onlyUnready(have.Spec, spec)); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil // most switches take less
	}
	stale, err := r.write(ctx, have, spec, encodeWithheld(addresses))
	switch {
	case err != nil:
		return reconcile.Result{}, err
	case !stale && waits:
		return reconcile.Result{RequeueAfter: otherHost}, nil
	}
	return reconcile.Result{RequeueAfter: lag(stale)}, nil
}

// onlyUnready reports whether all that is new in a spec are networks to which pods cannot
// be attached yet.
func onlyUnready(before, after v1alpha1.HostConfigSpec) bool {
	kept := slices.DeleteFunc(slices.Clone(after.Networks), func(n v1alpha1.HostNetwork) bool {
		return !n.Ready && !slices.ContainsFunc(before.Networks, func(was v1alpha1.HostNetwork) bool { return was.VNI == n.VNI })
	})
	return len(kept) < len(after.Networks) && equality.Semantic.DeepEqual(before.Networks, kept)
}

// have is the HostConfig of a host, which is made if there is none; nil if the cache
// does not show it yet, or shows an older one than was written last.
func (r hostConfigReconciler) have(ctx context.Context, host *v1alpha1.Host) (*v1alpha1.HostConfig, error) {
	var config v1alpha1.HostConfig
	err := r.Get(ctx, client.ObjectKeyFromObject(host), &config, client.UnsafeDisableDeepCopy)
	if err == nil {
		return &config, nil
	}
	if !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("get HostConfig %s: %w", host.Name, err)
	}
	made := v1alpha1.HostConfig{ObjectMeta: metav1.ObjectMeta{
		Name:            host.Name,
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(host, v1alpha1.GroupVersion().WithKind("Host"))},
	}}
	if err := r.Create(ctx, &made, client.FieldOwner(FieldOwner)); client.IgnoreAlreadyExists(err) != nil {
		return nil, fmt.Errorf("create HostConfig %s: %w", host.Name, err)
	}
	return nil, nil
}

// hostGone deletes the HostConfig of a host that is gone, which a garbage collector
// would do as well, later.
func (r hostConfigReconciler) hostGone(ctx context.Context, name string) error {
	var config v1alpha1.HostConfig
	if err := r.Get(ctx, client.ObjectKey{Name: name}, &config); err != nil {
		return client.IgnoreNotFound(err)
	}
	err := r.live.Get(ctx, client.ObjectKey{Name: name}, &v1alpha1.Host{})
	if !apierrors.IsNotFound(err) {
		return err // it has come back
	}
	if err := r.Delete(ctx, &config, client.Preconditions{UID: &config.UID}); client.IgnoreNotFound(ignoreConflict(err)) != nil {
		return fmt.Errorf("delete HostConfig %s: %w", name, err)
	}
	return nil
}

// inputs gathers what a HostConfig is compiled from. It reports true when something
// has to be seen in the cache first.
func (r hostConfigReconciler) inputs(ctx context.Context, host *v1alpha1.Host, have *v1alpha1.HostConfig, ports *portMap, needs *hostNeeds) (plan.HostInputs, bool, error) {
	in := plan.HostInputs{Host: host, Places: ports.places[have.Name], Configs: map[string]*v1alpha1.SwitchConfig{}}
	for _, p := range in.Places {
		if in.Configs[p.Switch] != nil || len(needs.all()) == 0 {
			continue
		}
		var config v1alpha1.SwitchConfig
		if err := r.Get(ctx, client.ObjectKey{Name: p.Switch}, &config, client.UnsafeDisableDeepCopy); apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			return in, false, fmt.Errorf("get SwitchConfig %s: %w", p.Switch, err)
		}
		if r.progress.behind(&config) {
			return in, true, nil
		}
		if !r.progress.compiledFor(&config) { // it asks for its hosts when it is
			return in, false, errNotYet
		}
		in.Configs[p.Switch] = &config
	}
	in.Standing = func(c plan.Carrier) plan.Standing { return r.progress.standing(in.Configs[c.Switch], c) }
	_, pools, err := r.fabric(ctx)
	if err != nil {
		return in, false, err
	}
	peers, err := r.peers(ctx, pools, map[string]*v1alpha1.VPCClass{}, needs.vpcs()...)
	if err != nil {
		return in, false, err
	}
	for _, s := range needs.all() {
		n, err := r.network(ctx, have, s)
		if err != nil {
			return in, false, err
		}
		if n != nil {
			n.Peered, n.Master = peers.Reached(s.vpc, s.subnet), needs.masters[s]
			in.Networks = append(in.Networks, *n)
		}
	}
	slices.SortFunc(in.Networks, func(a, b plan.HostNetwork) int { return int(a.VNI - b.VNI) })
	return in, false, nil
}

// network is a subnet that a host needs; nil if it has no VNI yet.
func (r hostConfigReconciler) network(ctx context.Context, have *v1alpha1.HostConfig, s subnetName) (*plan.HostNetwork, error) {
	out := plan.HostNetwork{Name: s.vpc, Subnet: s.subnet}
	i := slices.IndexFunc(have.Spec.Networks, func(n v1alpha1.HostNetwork) bool {
		return n.Owner == plan.VPCRef(s.vpc) && n.Subnet == s.subnet
	})
	if i >= 0 {
		out.Before, out.VNI = &have.Spec.Networks[i], have.Spec.Networks[i].VNI
	}
	var vpc v1alpha1.VPC
	err := r.Get(ctx, s.vpc, &vpc, client.UnsafeDisableDeepCopy)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("get VPC %s: %w", s.vpc, err)
	}
	if err == nil && plan.SubnetOf(&vpc, s.subnet) != nil {
		out.VPC = &vpc
		vni, err := r.vniOf(ctx, s)
		if err != nil {
			return nil, err
		}
		if vni != 0 {
			out.VNI = vni
		}
	}
	if out.VNI == 0 || out.VPC == nil && out.Before == nil {
		return nil, nil
	}
	return &out, nil
}

// vniOf is the VNI that a subnet has; 0 if it has none yet.
func (b base) vniOf(ctx context.Context, s subnetName) (int32, error) {
	_, pools, err := b.fabric(ctx)
	if err != nil {
		return 0, err
	}
	return b.effectiveVNI(ctx, vpcHolder(s.vpc, s.subnet), pools)
}

// write applies a spec unless it is there already. It reports true when the
// HostConfig is not the one that was looked at.
func (r hostConfigReconciler) write(ctx context.Context, have *v1alpha1.HostConfig, spec v1alpha1.HostConfigSpec, withheld string) (stale bool, err error) {
	if equality.Semantic.DeepEqual(have.Spec, spec) && have.Annotations[withheldAnnotation] == withheld {
		return false, nil
	}
	patch, err := applyPatch("HostConfig", manifestMetadata{
		Name: have.Name, ResourceVersion: have.ResourceVersion,
		Annotations: map[string]string{withheldAnnotation: withheld, plan.SentAnnotation: plan.Sent(have, &spec)},
	}, spec, nil)
	if err != nil {
		return false, err
	}
	now := v1alpha1.HostConfig{ObjectMeta: metav1.ObjectMeta{Name: have.Name}}
	err = r.Patch(ctx, &now, patch, client.FieldOwner(FieldOwner), client.ForceOwnership)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return true, nil
	} else if err != nil {
		return false, fmt.Errorf("write HostConfig %s: %w", have.Name, err)
	}
	log.FromContext(ctx).V(1).Info("compiled a new revision", "host", have.Name, "revision", spec.Revision, "generation", now.Generation, "networks", len(spec.Networks))
	return false, nil
}
