package reconcile

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
)

// fabricReconciler says on the Fabric whether its pools can be used.
type fabricReconciler struct{ base }

func setupFabric(mgr manager.Manager, b base) error {
	return builder.ControllerManagedBy(mgr).Named("fabric").
		For(&v1alpha1.Fabric{}). // its own status, too: see applyStatus
		Complete(fabricReconciler{b})
}

func (r fabricReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var fabric v1alpha1.Fabric
	if err := r.Get(ctx, req.NamespacedName, &fabric); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	accepted := condition(&fabric, v1alpha1.FabricAccepted, true, "Accepted", "The pools can be used.")
	if _, err := alloc.NewPools(fabric.Spec.Pools); err != nil {
		accepted = condition(&fabric, v1alpha1.FabricAccepted, false, "InvalidPool",
			fmt.Sprintf("%v. Correct it; until then nothing new is given out, and what runs stays.", err))
	}
	want := fabric.Status
	want.Conditions = withReady(&fabric, fabric.Status.Conditions, accepted)
	r.announce(&fabric, fabric.Status.Conditions, want.Conditions, v1alpha1.FabricAccepted)
	return reconcile.Result{}, r.applyStatus(ctx, "Fabric", &fabric, fabric.Status, want)
}

// fabric reads the Fabric. The pools are nil when there is none or when they
// cannot be used: nothing new is given out then.
func (b base) fabric(ctx context.Context) (v1alpha1.FabricSpec, *alloc.Pools, error) {
	var fabric v1alpha1.Fabric
	err := b.Get(ctx, client.ObjectKey{Name: v1alpha1.FabricName}, &fabric)
	if apierrors.IsNotFound(err) {
		return v1alpha1.FabricSpec{}, nil, nil
	} else if err != nil {
		return v1alpha1.FabricSpec{}, nil, fmt.Errorf("get Fabric %s: %w", v1alpha1.FabricName, err)
	}
	pools, err := alloc.NewPools(fabric.Spec.Pools)
	if err != nil {
		return fabric.Spec, nil, nil //nolint:nilerr // the Fabric's own condition says so
	}
	return fabric.Spec, &pools, nil
}
