package reconcile

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/ipam"
	"github.com/switchlet/switchlet/controller/plan"
)

// withheldAnnotation of a HostConfig says which of the host's blocks it hands out of
// no more, and which addresses it leaves out, such as "10101/10.1.0.16/28
// 10101/10.1.0.33/32". Written together with the spec, and never against a newer
// version of it, it is true whichever controller reads it.
const withheldAnnotation = v1alpha1.Group + "/withheld"

// withheld are blocks and addresses, by VNI.
type withheld map[int32][]netip.Prefix

func decodeWithheld(config *v1alpha1.HostConfig) withheld {
	out := withheld{}
	for _, value := range strings.Fields(config.Annotations[withheldAnnotation]) {
		if vni, p, err := ipam.ParseValue(value); err == nil {
			out[vni] = append(out[vni], p)
		}
	}
	return out
}

func encodeWithheld(w withheld) string {
	var out []string
	for vni, prefixes := range w {
		for _, p := range prefixes {
			out = append(out, ipam.Value(vni, p))
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ")
}

// accounts are what a host has of addresses, and what it says of them.
type accounts struct {
	base
	config   *v1alpha1.HostConfig
	withheld withheld
	// blocks that the host has, by VNI; leaving are those that somebody has deleted.
	blocks, leaving map[int32][]netip.Prefix
	// waits says that something has to be confirmed by another host.
	waits bool
}

// addresses decides what the host hands out in each network, which it writes into
// networks, and returns what is withheld.
func (r hostConfigReconciler) addresses(ctx context.Context, have *v1alpha1.HostConfig, networks []plan.HostNetwork, needs *hostNeeds) (out withheld, waits bool, err error) {
	a := accounts{base: r.base, config: have, withheld: decodeWithheld(have), blocks: map[int32][]netip.Prefix{}, leaving: map[int32][]netip.Prefix{}}
	if err := a.read(ctx); err != nil {
		return nil, false, err
	}
	out = withheld{}
	for i := range networks {
		n := &networks[i]
		if n.VPC == nil { // what runs goes on
			n.Slices, n.Reserved, out[n.VNI] = n.Before.Slices, n.Before.Reserved, a.withheld[n.VNI]
			continue
		}
		if err := a.network(ctx, n, needs.subnets[subnetName{n.Name, n.Subnet}], out); err != nil {
			return nil, false, err
		}
	}
	for vni := range a.all() {
		if _, needed := out[vni]; needed {
			continue
		}
		answer, err := ipam.Release(ctx, book{r.base}, a.need(vni, ipam.Subnet{}))
		if err != nil {
			return nil, false, err
		}
		out[vni] = answer.Withheld
	}
	return out, a.waits, nil
}

// read looks up the host's blocks.
func (a *accounts) read(ctx context.Context) error {
	list, err := a.allocations(ctx, v1alpha1.PoolAddresses, hostHolder(a.config.Name))
	if err != nil {
		return err
	}
	for _, o := range list {
		vni, block, err := ipam.ParseValue(o.Spec.Value)
		if err != nil {
			return fmt.Errorf("value of Allocation %s: %w", o.Name, err)
		}
		if a.blocks[vni] = append(a.blocks[vni], block); o.DeletionTimestamp != nil {
			a.leaving[vni] = append(a.leaving[vni], block)
		}
	}
	return nil
}

// all are the VNIs that the host has anything of.
func (a *accounts) all() map[int32]bool {
	out := map[int32]bool{}
	for vni := range a.blocks {
		out[vni] = true
	}
	for vni := range a.withheld {
		out[vni] = true
	}
	return out
}

// need is what is known of one network of a subnet; of both where it is not said
// which.
func (a *accounts) need(vni int32, s ipam.Subnet) ipam.Need {
	n := ipam.Need{
		Subnet: s, VNI: vni, Host: hostHolder(a.config.Name),
		Settled: a.config.Status.ObservedGeneration >= a.config.Generation,
		Current: a.current,
	}
	family := func(p netip.Prefix) bool { return !s.Network.IsValid() || p.Addr().Is4() == s.Network.Addr().Is4() }
	for _, b := range a.blocks[vni] {
		if family(b) {
			n.Have = append(n.Have, b)
		}
	}
	for _, p := range slices.Concat(a.withheld[vni], a.leaving[vni]) {
		if family(p) && !slices.Contains(n.Withheld, p) {
			n.Withheld = append(n.Withheld, p)
		}
	}
	for _, o := range a.config.Spec.Networks {
		if o.VNI == vni {
			n.Spec = ipam.ParseRanges(o.Slices)
		}
	}
	for _, o := range a.config.Status.Networks {
		if o.VNI == vni {
			n.Uses = ipam.ParseRanges(o.Slices)
		}
	}
	return n
}

// current asks the API server whether the HostConfig is still as it was looked at.
func (a *accounts) current(ctx context.Context) (bool, error) {
	var now v1alpha1.HostConfig
	err := a.live.Get(ctx, client.ObjectKeyFromObject(a.config), &now)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("get HostConfig %s: %w", a.config.Name, err)
	}
	return err == nil && now.UID == a.config.UID && now.ResourceVersion == a.config.ResourceVersion, nil
}

// network decides what the host hands out in one subnet.
func (a *accounts) network(ctx context.Context, n *plan.HostNetwork, wanted need, out withheld) error {
	subnets, err := subnetsOf(n)
	if err != nil {
		return nil //nolint:nilerr // the VPC's own condition says so
	}
	granted, err := a.reserve(ctx, n, subnets, wanted.asks)
	if err != nil {
		return err
	}
	singles, err := a.singles(ctx, n.VNI)
	if err != nil {
		return err
	}
	used := a.used(n.VNI, subnets)
	var ranges []ipam.Range
	out[n.VNI] = nil
	for _, s := range subnets {
		need := a.need(n.VNI, s)
		need.Pods, need.Used = wanted.pods, used
		for _, g := range granted {
			if s.Network.Contains(g) && !slices.Contains(need.Withheld, ipam.Single(g)) {
				need.Withheld = append(need.Withheld, ipam.Single(g))
			}
		}
		for _, single := range append(singles, granted...) {
			if s.Network.Contains(single) {
				need.Singles = append(need.Singles, single)
			}
		}
		answer, err := ipam.Settle(ctx, book{a.base}, need, func(p netip.Prefix) bool { return a.taken(ctx, n.VNI, p) })
		if err != nil {
			return err
		}
		ranges = append(ranges, answer.Ranges...)
		out[n.VNI] = append(out[n.VNI], answer.Withheld...)
	}
	n.Slices = ipam.Ranges(ranges)
	return nil
}

// subnetsOf are the networks of a subnet.
func subnetsOf(n *plan.HostNetwork) ([]ipam.Subnet, error) {
	subnet := plan.SubnetOf(n.VPC, n.Subnet)
	gateways, err := plan.Gateways(subnet)
	if err != nil {
		return nil, err
	}
	out := make([]ipam.Subnet, len(gateways))
	for i, g := range gateways {
		out[i] = ipam.Subnet{Network: g.Masked(), Gateway: g.Addr()}
	}
	return out, nil
}

// used is how many addresses pods of the host have in a subnet, as the host says:
// those of its slices without the free ones. It says how many are free in the family
// that has fewer of them.
func (a *accounts) used(vni int32, subnets []ipam.Subnet) int {
	i := slices.IndexFunc(a.config.Status.Networks, func(o v1alpha1.HostNetworkStatus) bool { return o.VNI == vni })
	if i < 0 || len(subnets) == 0 {
		return 0
	}
	status := &a.config.Status.Networks[i]
	least := 0
	for k, s := range subnets {
		n := a.need(vni, s)
		if !n.Settled {
			return 0
		}
		if used := s.Uses(n.Have, n.Uses) - int(status.Free); k == 0 || used < least {
			least = used
		}
	}
	return max(0, least)
}

// singles are the addresses of a subnet that pods and claims have for themselves.
func (a *accounts) singles(ctx context.Context, vni int32) ([]netip.Addr, error) {
	var list v1alpha1.AllocationList
	if err := a.List(ctx, &list, client.MatchingFields{allocationsBySingle: fmt.Sprint(vni)}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the addresses of VNI %d that are reserved: %w", vni, err)
	}
	var out []netip.Addr
	for i := range list.Items {
		if _, p, err := ipam.ParseValue(list.Items[i].Spec.Value); err == nil {
			out = append(out, p.Addr())
		}
	}
	return out, nil
}

// singleOf is the index by which they are found.
func singleOf(a *v1alpha1.Allocation) string {
	if a.Spec.Pool != v1alpha1.PoolAddresses || a.Spec.User == nil {
		return ""
	}
	vni, _, _ := strings.Cut(a.Spec.Value, "/")
	return vni
}

// taken says whether a block, or one that overlaps with it, is known to be somebody's.
func (b base) taken(ctx context.Context, vni int32, block netip.Prefix) bool {
	for _, p := range append(ipam.Overlapping(block), block) {
		name := ipam.Name(ipam.Value(vni, p))
		if b.Get(ctx, client.ObjectKey{Name: name}, &v1alpha1.Allocation{}, client.UnsafeDisableDeepCopy) == nil {
			return true
		}
	}
	return false
}
