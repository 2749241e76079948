package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
	"github.com/switchlet/switchlet/controller/nad"
	"github.com/switchlet/switchlet/controller/plan"
)

// mistake is somebody's, to be told by an event.
type mistake struct{ reason, message string }

// meaning is what a NetworkAttachmentDefinition means for the pods of a namespace.
type meaning struct {
	subnet  subnetName
	master  string // the NIC, or bond, that it is to be at; empty: any
	mistake *mistake
}

// meaning is nil for a NetworkAttachmentDefinition that is not ours, or not there:
// whoever else reads it says so.
func (b base) meaning(ctx context.Context, name types.NamespacedName, namespace string) (*meaning, error) {
	if has, err := b.pods.hasNetworks(ctx); err != nil || !has {
		return nil, err
	}
	var definition network
	if err := b.pods.Get(ctx, name, &definition, client.UnsafeDisableDeepCopy); apierrors.IsNotFound(err) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("get NetworkAttachmentDefinition %s: %w", name, err)
	}
	wants, err := nad.ParseConfig(name.Namespace, definition.Spec.Config)
	switch {
	case errors.Is(err, nad.ErrForeign):
		return nil, nil // it is another plugin's
	case err != nil:
		return &meaning{mistake: &mistake{"InvalidConfig", err.Error() + "."}}, nil //nolint:nilerr // it is its author's to mend
	}
	return b.resolve(ctx, wants, name.Namespace, namespace)
}

// resolve finds the subnet of a configuration, and whether pods may be attached.
func (b base) resolve(ctx context.Context, wants nad.Network, of, namespace string) (*meaning, error) {
	wrong := func(reason, format string, args ...any) (*meaning, error) {
		return &meaning{mistake: &mistake{reason, fmt.Sprintf(format, args...)}}, nil
	}
	if wants.VNI != 0 {
		holder, err := b.holderOfVNI(ctx, wants.VNI)
		if err != nil {
			return nil, err
		}
		if holder == nil {
			return wrong("VNINotFound", "No subnet has VNI %d. Take one that kubectl get vpc -o yaml shows in status.subnets, or make an Allocation for it.", wants.VNI)
		}
		wants.VPC, wants.Subnet = holder.NamespacedName(), holder.Subnet
	}
	var vpc v1alpha1.VPC
	err := b.Get(ctx, wants.VPC, &vpc, client.UnsafeDisableDeepCopy)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("get VPC %s: %w", wants.VPC, err)
	}
	for _, n := range []string{of, namespace} {
		if n != wants.VPC.Namespace && (err != nil || !slices.Contains(vpc.Spec.AttachFrom, n)) {
			// Not even whether it exists is told to others.
			return wrong("NotAllowed", "%s is not for namespace %s. Its owner has to add %s to spec.attachFrom of the VPC.", wants, n, n)
		}
	}
	if err != nil {
		return wrong("VPCNotFound", "There is no VPC %q in namespace %s. Create it, or correct the name.", wants.VPC.Name, wants.VPC.Namespace)
	}
	subnet := plan.SubnetOf(&vpc, wants.Subnet)
	switch {
	case subnet == nil && wants.Subnet == "":
		return wrong("SubnetNotFound", `VPC %s has %d subnets. Name one of them as "subnet".`, wants.VPC, len(vpc.Spec.Subnets))
	case subnet == nil:
		return wrong("SubnetNotFound", "VPC %s has no subnet %q. Add it to the VPC, or correct the name.", wants.VPC, wants.Subnet)
	}
	return &meaning{subnet: subnetName{wants.VPC, subnet.Name}, master: wants.Master}, nil
}

// holderOfVNI is the subnet that has a VNI, nil if none has.
func (b base) holderOfVNI(ctx context.Context, vni int32) (*v1alpha1.Holder, error) {
	var a v1alpha1.Allocation
	name := alloc.Name(v1alpha1.PoolVNI, strconv.Itoa(int(vni)))
	if err := b.Get(ctx, client.ObjectKey{Name: name}, &a, client.UnsafeDisableDeepCopy); apierrors.IsNotFound(err) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("get Allocation %s: %w", name, err)
	}
	if a.Spec.Holder.Kind != v1alpha1.KindVPC || a.Spec.Holder.Subnet == "" || a.DeletionTimestamp != nil ||
		a.Status.Phase == v1alpha1.AllocationRejected || a.Status.Phase == v1alpha1.AllocationQuarantined {
		return nil, nil
	}
	return &a.Spec.Holder, nil
}

// networkReconciler says on a NetworkAttachmentDefinition what is wrong with it, and
// has the hosts looked at whose pods name it.
type networkReconciler struct {
	base
	told *toldNetworks
}

// toldNetworks remembers which mistakes were told.
type toldNetworks struct {
	mu   sync.Mutex
	last map[types.NamespacedName]mistake
}

func setupNetwork(mgr manager.Manager, b base) (controller.Controller, error) {
	r := networkReconciler{b, &toldNetworks{last: map[types.NamespacedName]mistake{}}}
	return builder.ControllerManagedBy(mgr).Named("network").
		Watches(&v1alpha1.VPC{}, names(func(ctx context.Context, o client.Object) []types.NamespacedName {
			return b.pods.like(ctx, networksByVPC, client.ObjectKeyFromObject(o).String())
		}), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Allocation{}, names(func(ctx context.Context, o client.Object) []types.NamespacedName {
			if s := o.(*v1alpha1.Allocation).Spec; s.Pool == v1alpha1.PoolVNI {
				return b.pods.like(ctx, networksByVNI, s.Value)
			}
			return nil
		}), builder.WithPredicates(valueChanged())).
		WithOptions(options(statusWorkers)).
		Build(r)
}

func (r networkReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	m, err := r.meaning(ctx, req.NamespacedName, req.Namespace)
	if err != nil {
		return reconcile.Result{}, err
	}
	switch {
	case m == nil || m.mistake == nil:
		r.told.changed(req.NamespacedName, mistake{})
	case r.told.changed(req.NamespacedName, *m.mistake):
		r.tellNetwork(ctx, req.NamespacedName, *m.mistake)
	}
	send(ctx, r.needs.pods, r.pods.nodes(ctx, podsByNetwork, req.NamespacedName))
	return reconcile.Result{}, nil
}

// tellNetwork tells a NetworkAttachmentDefinition of a mistake, if it is still there.
func (b base) tellNetwork(ctx context.Context, name types.NamespacedName, m mistake) {
	var n network
	if b.pods.Get(ctx, name, &n, client.UnsafeDisableDeepCopy) != nil {
		return
	}
	o := &corev1.ObjectReference{APIVersion: "k8s.cni.cncf.io/v1", Kind: "NetworkAttachmentDefinition", Namespace: n.Namespace, Name: n.Name, UID: n.UID}
	b.events.Eventf(o, nil, corev1.EventTypeWarning, m.reason, "Attach", "%s", m.message)
}

// changed says whether a mistake is another one than before.
func (t *toldNetworks) changed(name types.NamespacedName, m mistake) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last[name] == m {
		return false
	}
	if t.last[name] = m; m == (mistake{}) {
		delete(t.last, name)
	}
	return true
}

// definitionReconciler notices that the cluster has come to know the kinds that
// pods are attached by. A kind that goes takes its objects along, which is all there
// is to notice of that.
type definitionReconciler struct {
	base
	watchers
	watched *sync.Map
}

// watchers are those that watch objects of the kinds.
type watchers struct{ pod, network, address controller.Controller }

func setupDefinition(mgr manager.Manager, b base, w watchers) error {
	r := definitionReconciler{b, w, &sync.Map{}}
	ours := predicate.NewTypedPredicateFuncs(func(d *definition) bool {
		return (d.Name == networkResource || d.Name == claimResource) && d.established()
	})
	return builder.ControllerManagedBy(mgr).Named("definition").
		WatchesRawSource(source.Kind(b.pods.Cache, &definition{}, &handler.TypedEnqueueRequestForObject[*definition]{}, ours)).
		Complete(r)
}

func (r definitionReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	if _, done := r.watched.Load(req.Name); done {
		return reconcile.Result{}, nil
	}
	r.pods.appeared()
	has, err := r.pods.hasNetworks(ctx)
	if req.Name == claimResource {
		has, err = r.pods.hasClaims(ctx)
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	if !has {
		return reconcile.Result{}, fmt.Errorf("the API server does not serve %s yet", req.Name)
	}
	r.watched.Store(req.Name, true)
	if req.Name == claimResource {
		return reconcile.Result{}, errors.Join(r.pod.Watch(source.Kind(r.pods.Cache, &claim{}, r.ofClaim())),
			r.address.Watch(source.Kind(r.pods.Cache, &claim{}, r.addressesOf())))
	}
	return reconcile.Result{}, r.network.Watch(source.Kind(r.pods.Cache, &network{}, &handler.TypedEnqueueRequestForObject[*network]{}))
}

// ofClaim asks for the hosts of the pods that name a claim.
func (r definitionReconciler) ofClaim() handler.TypedEventHandler[*claim, reconcile.Request] {
	return handler.TypedEnqueueRequestsFromMapFunc(func(ctx context.Context, c *claim) []reconcile.Request {
		return requests(slices.Collect(maps.Keys(r.pods.nodes(ctx, podsByClaim, client.ObjectKeyFromObject(c)))))
	})
}

// addressesOf asks for the addresses of a claim.
func (r definitionReconciler) addressesOf() handler.TypedEventHandler[*claim, reconcile.Request] {
	return handler.TypedEnqueueRequestsFromMapFunc(func(ctx context.Context, c *claim) []reconcile.Request {
		return requests(slices.Collect(maps.Keys(r.ofUser(ctx, v1alpha1.AddressUser{Namespace: c.Namespace, Claim: c.Name}))))
	})
}

func objectNamed(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }
