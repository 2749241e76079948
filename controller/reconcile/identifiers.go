package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
)

// finalizer keeps an Allocation until every switch has confirmed that it no
// longer uses the value.
const finalizer = v1alpha1.Group + "/in-use"

// errExhausted says that a pool has no free value left.
var errExhausted = errors.New("the pool is used up")

// valueChanged lets through what can change the value that a holder has. That
// an Allocation made a moment ago is found Bound does not.
func valueChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		was, is := e.ObjectOld.(*v1alpha1.Allocation), e.ObjectNew.(*v1alpha1.Allocation)
		bound := was.Status.Phase == "" && is.Status.Phase == v1alpha1.AllocationBound
		return was.Status.Phase != is.Status.Phase && !bound || (was.DeletionTimestamp == nil) != (is.DeletionTimestamp == nil)
	}}
}

// vniExhausted turns errExhausted into a Problem of owner.
func vniExhausted(err error, owner v1alpha1.ObjectReference) (*v1alpha1.Problem, error) {
	if !errors.Is(err, errExhausted) {
		return nil, err
	}
	return &v1alpha1.Problem{Owner: owner, Reason: "VNIExhausted", Message: fmt.Sprintf(
		"Every value of Fabric %s, spec.pools.vni is in use or in quarantine. The network team has to extend the pool; VPCs that are deleted give theirs back.", v1alpha1.FabricName)}, nil
}

// hold sees to it that each holder has a value of the pool and returns the
// values in the order of the holders.
func (b base) hold(ctx context.Context, pool v1alpha1.PoolName, pools *alloc.Pools, holders []v1alpha1.Holder) ([]uint32, error) {
	out := make([]uint32, len(holders))
	g, ctx := errgroup.WithContext(ctx)
	for i, holder := range holders {
		g.Go(func() error {
			siblings, err := b.allocations(ctx, pool, holder)
			if err != nil {
				return err
			}
			if a := alloc.Effective(siblings, pools, ""); a != nil && a.DeletionTimestamp == nil {
				out[i], err = alloc.Value(pool, a.Spec.Value)
				return err
			}
			out[i], err = b.allocate(ctx, pool, pools, holder)
			return err
		})
	}
	return out, g.Wait()
}

// allocate creates an Allocation for a holder that has none. What the cache
// does not show yet the API server knows: it refuses a second Allocation of the
// same value, and the holder's own, made a moment ago, is found under the very
// value that is tried first.
func (b base) allocate(ctx context.Context, pool v1alpha1.PoolName, pools *alloc.Pools, holder v1alpha1.Holder) (uint32, error) {
	var refused []uint32
	taken := func(v uint32) bool {
		name := alloc.Name(pool, alloc.Text(pool, v))
		return slices.Contains(refused, v) || b.Get(ctx, client.ObjectKey{Name: name}, &v1alpha1.Allocation{}, client.UnsafeDisableDeepCopy) == nil
	}
	for {
		value, ok := pools.Of(pool).Pick(holder.String(), taken)
		if !ok {
			return 0, errExhausted
		}
		made, err := b.claim(ctx, pool, value, holder)
		if err != nil || made {
			return value, err
		}
		refused = append(refused, value)
	}
}

// claim creates the Allocation of a value and reports whether the holder has it
// now.
func (b base) claim(ctx context.Context, pool v1alpha1.PoolName, value uint32, holder v1alpha1.Holder) (bool, error) {
	text := alloc.Text(pool, value)
	a := v1alpha1.Allocation{
		ObjectMeta: metav1.ObjectMeta{
			Name:       alloc.Name(pool, text),
			Labels:     map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedByController},
			Finalizers: []string{finalizer},
		},
		Spec: v1alpha1.AllocationSpec{Pool: pool, Value: text, Holder: holder},
	}
	err := b.Create(ctx, &a, client.FieldOwner(FieldOwner))
	if err == nil {
		return true, nil
	} else if !apierrors.IsAlreadyExists(err) {
		return false, fmt.Errorf("allocate %s %s for %s: %w", pool, text, holder, err)
	}
	var have v1alpha1.Allocation
	if err := b.live.Get(ctx, client.ObjectKeyFromObject(&a), &have); apierrors.IsNotFound(err) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("get Allocation %s: %w", a.Name, err)
	}
	return have.Spec.Holder == holder && have.DeletionTimestamp == nil, nil
}
