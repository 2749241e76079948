package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
)

// pinOf is the value of a pool that the spec of a Switch says, and the field that
// says it; empty if it leaves the choice to the pool.
func pinOf(sw *v1alpha1.Switch, pool v1alpha1.PoolName) (value, field string) {
	switch {
	case pool == v1alpha1.PoolVTEP && sw.Spec.VTEP != "":
		return sw.Spec.VTEP, "spec.vtep"
	case pool == v1alpha1.PoolASN && sw.Spec.ASN != 0:
		return strconv.FormatInt(sw.Spec.ASN, 10), "spec.asn"
	case pool == v1alpha1.PoolASN && sw.Spec.BGP != nil:
		return strconv.FormatInt(sw.Spec.BGP.ASN, 10), "spec.bgp.asn"
	}
	return "", ""
}

// pinned is the value that a holder's spec says, if it says one.
func (b base) pinned(ctx context.Context, pool v1alpha1.PoolName, holder v1alpha1.Holder) (string, error) {
	if holder.Kind != v1alpha1.KindSwitch {
		return "", nil
	}
	var sw v1alpha1.Switch
	if err := b.Get(ctx, client.ObjectKey{Name: holder.Name}, &sw, client.UnsafeDisableDeepCopy); apierrors.IsNotFound(err) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("get Switch %s: %w", holder.Name, err)
	}
	value, _ := pinOf(&sw, pool)
	return value, nil
}

// automatic says whether the controller makes the underlay of a switch.
func automatic(in *inputs, sw *v1alpha1.Switch) bool {
	return in.Pools != nil && !in.Underlay.Disabled && (in.Pools.ASN.Size() > 0 || sw.Spec.ASN != 0)
}

// identify sees to it that a switch has its VTEP address, which a spine has as
// its router id, and its ASN. What is not to be had is a problem of the Switch.
func (r groupReconciler) identify(ctx context.Context, in *inputs, sw *v1alpha1.Switch) error {
	auto := automatic(in, sw)
	for _, want := range []struct {
		pool v1alpha1.PoolName
		give bool // from the pool
	}{
		{v1alpha1.PoolVTEP, in.Pools != nil && (sw.Spec.Role != v1alpha1.RoleSpine || auto)},
		{v1alpha1.PoolASN, auto},
	} {
		if pin, field := pinOf(sw, want.pool); pin != "" {
			if err := r.claimPin(ctx, in, sw, want.pool, pin, field); err != nil {
				return err
			}
			continue
		}
		if !want.give {
			continue
		}
		_, err := r.hold(ctx, want.pool, in.Pools, []v1alpha1.Holder{switchHolder(sw.Name)})
		if errors.Is(err, errExhausted) {
			in.exhausted(sw, want.pool)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// exhausted notes that a pool has nothing left for a switch.
func (in *inputs) exhausted(sw *v1alpha1.Switch, pool v1alpha1.PoolName) {
	in.lacking[pool] = true
	if pool == v1alpha1.PoolVTEP && sw.Spec.Role != v1alpha1.RoleSpine {
		in.WithoutVTEP[sw.Name] = true // its attachments say so
		return
	}
	in.tell(sw, string(pool)+"Exhausted", fmt.Sprintf(
		"Every value of Fabric %s, spec.pools.%s, is in use, so the switch has none. The network team has to extend the pool.", v1alpha1.FabricName, strings.ToLower(string(pool))))
}

// claimPin gives a switch the value that its spec says, of whatever pool, unless
// another switch has it.
func (r groupReconciler) claimPin(ctx context.Context, in *inputs, sw *v1alpha1.Switch, pool v1alpha1.PoolName, pin, field string) error {
	holder := switchHolder(sw.Name)
	siblings, err := r.allocations(ctx, pool, holder)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(siblings, func(a *v1alpha1.Allocation) bool { return a.Spec.Value == pin && a.DeletionTimestamp == nil }) {
		return nil
	}
	value, err := alloc.Value(pool, pin)
	if err != nil {
		return fmt.Errorf("%s of Switch %s: %w", field, sw.Name, err)
	}
	claimed, err := r.claim(ctx, pool, value, holder)
	if err != nil || claimed {
		return err
	}
	in.lacking[pool] = true
	in.tell(sw, string(pool)+"Conflict", fmt.Sprintf(
		"%s: %s belongs to %s (Allocation %s), and no two switches may have the same. Choose another value, or correct the other switch; its value is free when no switch uses it any more.",
		field, pin, r.holderOf(ctx, pool, pin), alloc.Name(pool, pin)))
	return nil
}

// holderOf is who has a value, as people read it.
func (r groupReconciler) holderOf(ctx context.Context, pool v1alpha1.PoolName, value string) string {
	var a v1alpha1.Allocation
	if err := r.Get(ctx, client.ObjectKey{Name: alloc.Name(pool, value)}, &a, client.UnsafeDisableDeepCopy); err != nil {
		return "another switch"
	}
	return a.Spec.Holder.String()
}

// tell notes a problem of a Switch.
func (in *inputs) tell(sw *v1alpha1.Switch, reason, message string) {
	in.problems = append(in.problems, v1alpha1.Problem{
		Owner:  v1alpha1.ObjectReference{Kind: v1alpha1.KindSwitch, Name: sw.Name},
		Reason: reason, Message: message,
	})
}
