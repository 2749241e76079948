package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/ipam"
	"github.com/switchlet/switchlet/controller/plan"
)

// choose gets addresses for a claim that has none, one of each family, and writes
// them into its status.
func (a *accounts) choose(ctx context.Context, n *plan.HostNetwork, subnets []ipam.Subnet, ask ask) ([]netip.Addr, error) {
	known, err := a.addressesOf(ctx, n.VNI, ask.user)
	if err != nil {
		return nil, err
	}
	var out []netip.Addr
	var texts []string
	for _, s := range subnets {
		i := slices.IndexFunc(known, s.Network.Contains)
		if i < 0 {
			ip, ok, err := a.chooseOne(ctx, n, s, ask)
			if err != nil || !ok {
				return nil, err
			}
			known, i = append(known, ip), len(known)
		}
		out = append(out, known[i])
		texts = append(texts, netip.PrefixFrom(known[i], s.Network.Bits()).String())
	}
	return out, a.writeClaim(ctx, ask.user, texts)
}

// chooseOne gets an address of one network: of a block that no host has.
func (a *accounts) chooseOne(ctx context.Context, n *plan.HostNetwork, s ipam.Subnet, ask ask) (netip.Addr, bool, error) {
	subnet := vpcHolder(n.Name, n.Subnet)
	var refused []netip.Addr
	for {
		ip, ok, err := a.candidate(ctx, n.VNI, s, subnet, ask.user, refused)
		if err != nil {
			return netip.Addr{}, false, err
		}
		if !ok {
			a.tellOnce(n, ask, mistake{"AddressesExhausted", fmt.Sprintf("Every address of %s, of subnet %s of VPC %s, is in use or in a slice of a host. Extend the subnet, or delete pods.", s.Network, n.Subnet, n.Name)})
			return netip.Addr{}, false, nil
		}
		standing, err := ipam.Reserve(ctx, book{a.base}, s, n.VNI, ip, subnet, ask.user)
		if err != nil {
			return netip.Addr{}, false, err
		}
		if standing.User == ask.user {
			return ip, true, nil
		}
		refused = append(refused, ip)
	}
}

// candidate is an address that, as far as is known, nobody has: of a block that the
// subnet keeps, or else of one that is free.
func (a *accounts) candidate(ctx context.Context, vni int32, s ipam.Subnet, subnet v1alpha1.Holder, user v1alpha1.AddressUser, refused []netip.Addr) (netip.Addr, bool, error) {
	kept, err := a.allocations(ctx, v1alpha1.PoolAddresses, subnet)
	if err != nil {
		return netip.Addr{}, false, err
	}
	free := func(block netip.Prefix) (netip.Addr, bool) {
		for _, ip := range ipam.Addresses(block) {
			if s.Usable(ip) && !slices.Contains(refused, ip) && !a.taken(ctx, vni, ipam.Single(ip)) {
				return ip, true
			}
		}
		return netip.Addr{}, false
	}
	for _, o := range kept {
		v, block, err := ipam.ParseValue(o.Spec.Value)
		if err != nil || v != vni || block.IsSingleIP() || o.DeletionTimestamp != nil {
			continue
		}
		if ip, ok := free(block); ok {
			return ip, true, nil
		}
	}
	block, ok := ipam.Pick(s, vni, user.String(), func(p netip.Prefix) bool {
		if a.taken(ctx, vni, p) {
			return true
		}
		_, ok := free(p)
		return !ok
	})
	if !ok {
		return netip.Addr{}, false, nil
	}
	ip, ok := free(block)
	return ip, ok, nil
}

// addressesOf are the addresses of a subnet that a user has.
func (a *accounts) addressesOf(ctx context.Context, vni int32, user v1alpha1.AddressUser) ([]netip.Addr, error) {
	var list v1alpha1.AllocationList
	if err := a.List(ctx, &list, client.MatchingFields{allocationsByUser: user.String()}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the addresses of %s: %w", user, err)
	}
	var out []netip.Addr
	for i := range list.Items {
		o := &list.Items[i]
		if v, p, err := ipam.ParseValue(o.Spec.Value); err == nil && v == vni && o.DeletionTimestamp == nil {
			out = append(out, p.Addr())
		}
	}
	return out, nil
}

// writeClaim writes the addresses of a claim into its status.
func (a *accounts) writeClaim(ctx context.Context, user v1alpha1.AddressUser, ips []string) error {
	data, err := json.Marshal(map[string]any{"status": map[string]any{"ips": ips}})
	if err != nil {
		return err
	}
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(schema.GroupVersionKind{Group: "k8s.cni.cncf.io", Version: "v1alpha1", Kind: "IPAMClaim"})
	o.SetNamespace(user.Namespace)
	o.SetName(user.Claim)
	if err := a.Status().Patch(ctx, o, client.RawPatch(types.MergePatchType, data), client.FieldOwner(FieldOwner)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the status of %s: %w", user, err)
	}
	return nil
}
