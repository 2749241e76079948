package reconcile

import (
	"context"
	"net/netip"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
	"github.com/switchlet/switchlet/controller/plan"
)

// values are those that holders have, by pool.
type values map[v1alpha1.PoolName]map[v1alpha1.Holder]uint32

// identifiers looks up what was allocated to the VPCs and switches of in.
func (r groupReconciler) identifiers(ctx context.Context, in *inputs) (plan.Identifiers, error) {
	all := values{v1alpha1.PoolVNI: {}, v1alpha1.PoolVTEP: {}, v1alpha1.PoolASN: {}}
	read := func(pool v1alpha1.PoolName, holder v1alpha1.Holder, pin string) error {
		siblings, err := r.allocations(ctx, pool, holder)
		if err != nil {
			return err
		}
		if a := alloc.Effective(siblings, in.Pools, pin); a != nil {
			all[pool][holder], err = alloc.Value(pool, a.Spec.Value)
		}
		return err
	}
	for _, sw := range in.Switches {
		for _, pool := range switchPools() {
			pin, _ := pinOf(sw, pool)
			if err := read(pool, switchHolder(sw.Name), pin); err != nil {
				return plan.Identifiers{}, err
			}
		}
	}
	for name := range in.Peers.VPCs { // of a peer the VRF is all that is needed
		if err := read(v1alpha1.PoolVNI, vpcHolder(name, ""), ""); err != nil {
			return plan.Identifiers{}, err
		}
	}
	for name, vpc := range in.VPCs {
		if err := read(v1alpha1.PoolVNI, vpcHolder(name, ""), ""); err != nil {
			return plan.Identifiers{}, err
		}
		for _, s := range vpc.Spec.Subnets {
			if err := read(v1alpha1.PoolVNI, vpcHolder(name, s.Name), ""); err != nil {
				return plan.Identifiers{}, err
			}
		}
	}
	return all.identifiers(), nil
}

// effectiveVNI is the VNI that a holder has; 0 if it has none yet.
func (b base) effectiveVNI(ctx context.Context, holder v1alpha1.Holder, pools *alloc.Pools) (int32, error) {
	siblings, err := b.allocations(ctx, v1alpha1.PoolVNI, holder)
	if err != nil {
		return 0, err
	}
	a := alloc.Effective(siblings, pools, "")
	if a == nil {
		return 0, nil
	}
	v, err := alloc.Value(v1alpha1.PoolVNI, a.Spec.Value)
	return int32(v), err
}

func (v values) identifiers() plan.Identifiers {
	return plan.Identifiers{
		VNI: func(vpc types.NamespacedName, subnet string) int32 {
			return int32(v[v1alpha1.PoolVNI][vpcHolder(vpc, subnet)])
		},
		VTEP: func(name string) netip.Addr {
			value, ok := v[v1alpha1.PoolVTEP][switchHolder(name)]
			if !ok {
				return netip.Addr{}
			}
			return netip.MustParseAddr(alloc.Text(v1alpha1.PoolVTEP, value))
		},
		ASN: func(name string) int64 { return int64(v[v1alpha1.PoolASN][switchHolder(name)]) },
	}
}

func switchHolder(name string) v1alpha1.Holder {
	return v1alpha1.Holder{ObjectReference: v1alpha1.ObjectReference{Kind: v1alpha1.KindSwitch, Name: name}}
}

func vpcHolder(vpc types.NamespacedName, subnet string) v1alpha1.Holder {
	return v1alpha1.Holder{ObjectReference: plan.VPCRef(vpc), Subnet: subnet}
}
