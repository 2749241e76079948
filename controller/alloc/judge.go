package alloc

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Verdict is what an Allocation's status has to say.
type Verdict struct {
	Accepted bool
	Reason   string
	Message  string
}

// Judge says whether an Allocation's value is its holder's. siblings are all
// Allocations of the same pool for the same holder, in any order, itself
// included. The one with the pinned value wins, of whatever pool, if a value is
// pinned; else the older one, or one that somebody had asked for when the controller
// chose another. A value that was bound stays so when its pool shrinks.
func Judge(a *v1alpha1.Allocation, siblings []*v1alpha1.Allocation, pools *Pools, pinned string) Verdict {
	if winner := Effective(siblings, pools, pinned); winner == a {
		return Verdict{Accepted: true, Reason: "Accepted",
			Message: fmt.Sprintf("%s %s belongs to %s.", a.Spec.Pool, a.Spec.Value, a.Spec.Holder)}
	} else if winner != nil && winner.Spec.Value == pinned {
		return Verdict{Reason: "HolderHasAnother", Message: fmt.Sprintf(
			"%s has %s %s, which its spec says (Allocation %s), and it can hold only one. To move it to %s, which interrupts its traffic, say so there; to leave it, delete this one.",
			a.Spec.Holder, winner.Spec.Pool, winner.Spec.Value, winner.Name, a.Spec.Value)}
	} else if usable(a, pools) {
		return Verdict{Reason: "HolderHasAnother", Message: fmt.Sprintf(
			"%s already holds %s %s (Allocation %s), and it can hold only one. To move it to %s, which interrupts its traffic, delete Allocation %s; to leave it, delete this one.",
			a.Spec.Holder, winner.Spec.Pool, winner.Spec.Value, winner.Name, a.Spec.Value, winner.Name)}
	}
	if pools == nil {
		return Verdict{Reason: "PoolUnknown", Message: fmt.Sprintf(
			"There is no usable Fabric %q, so no pool that %s could be from. Create it, or mend its spec.pools.", v1alpha1.FabricName, a.Spec.Value)}
	}
	return Verdict{Reason: "OutsidePool", Message: fmt.Sprintf(
		"spec.value: %s is outside the pool: Fabric %s, spec.pools.%s, does not contain it or reserves it. Choose a value of the pool, or extend the pool.",
		a.Spec.Value, v1alpha1.FabricName, strings.ToLower(string(a.Spec.Pool)))}
}

// Effective is the Allocation among siblings whose value the holder has, or nil.
// That is the pinned value as soon as the holder has it.
func Effective(siblings []*v1alpha1.Allocation, pools *Pools, pinned string) *v1alpha1.Allocation {
	var best *v1alpha1.Allocation
	for _, a := range siblings {
		if a.Spec.Value == pinned && a.DeletionTimestamp == nil {
			return a
		}
		if usable(a, pools) && (best == nil || older(a, best) < 0) {
			best = a
		}
	}
	if earlier := askedBefore(best, siblings, pools); earlier != nil {
		return earlier
	}
	return best
}

// askedBefore is what somebody had asked for when the controller chose another value for the
// holder, because its cache did not show that yet; nil if there is none. What was rejected
// once stays so: the holder may have used the other value for long.
func askedBefore(chosen *v1alpha1.Allocation, siblings []*v1alpha1.Allocation, pools *Pools) *v1alpha1.Allocation {
	if chosen == nil || !own(chosen) {
		return nil
	}
	var first *v1alpha1.Allocation
	for _, a := range siblings {
		late := a.CreationTimestamp.After(chosen.CreationTimestamp.Time)
		if own(a) || late || a.DeletionTimestamp != nil || a.Status.Phase == v1alpha1.AllocationRejected || !usable(a, pools) {
			continue
		}
		if first == nil || older(a, first) < 0 {
			first = a
		}
	}
	return first
}

// own says whether the controller chose the value.
func own(a *v1alpha1.Allocation) bool {
	return a.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedByController
}

// usable says whether a's value may be used: it is in the pool, or was bound
// when it still was.
func usable(a *v1alpha1.Allocation, pools *Pools) bool {
	if bound := a.Status.Phase; bound == v1alpha1.AllocationBound || bound == v1alpha1.AllocationQuarantined {
		return true
	}
	if pools == nil {
		return false
	}
	v, err := Value(a.Spec.Pool, a.Spec.Value)
	return err == nil && pools.Of(a.Spec.Pool).Contains(v)
}

// older orders by age, those already bound first and those that are being
// deleted last: these only serve until the holder has another value.
func older(a, b *v1alpha1.Allocation) int {
	return cmp.Or(cmp.Compare(rank(a), rank(b)),
		a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		cmp.Compare(a.Name, b.Name))
}

func rank(a *v1alpha1.Allocation) int {
	switch {
	case a.DeletionTimestamp != nil:
		return 2
	case a.Status.Phase != v1alpha1.AllocationBound:
		return 1
	}
	return 0
}
