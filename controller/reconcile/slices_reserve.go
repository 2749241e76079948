package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/ipam"
	"github.com/switchlet/switchlet/controller/nad"
	"github.com/switchlet/switchlet/controller/plan"
)

// asks is what a pod asks for in a network by itself, nil if any address will do.
func (b base) asks(ctx context.Context, ref podRef, s nad.Selection) (*ask, *mistake, error) {
	if len(s.IPs) > 0 {
		return &ask{user: v1alpha1.AddressUser{Namespace: ref.Namespace, Pod: ref.Name}, pod: ref, ips: s.IPs}, nil, nil
	}
	if s.Claim == "" {
		return nil, nil, nil
	}
	missing := &mistake{"ClaimNotFound", fmt.Sprintf("There is no IPAMClaim %q in namespace %s. Create it, or take ipam-claim-reference out.", s.Claim, ref.Namespace)}
	if has, err := b.pods.hasClaims(ctx); err != nil || !has {
		return nil, missing, err
	}
	var c claim
	if err := b.pods.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: s.Claim}, &c, client.UnsafeDisableDeepCopy); apierrors.IsNotFound(err) {
		return nil, missing, nil
	} else if err != nil {
		return nil, nil, fmt.Errorf("get IPAMClaim %s/%s: %w", ref.Namespace, s.Claim, err)
	}
	out := &ask{user: v1alpha1.AddressUser{Namespace: ref.Namespace, Claim: s.Claim}, pod: ref}
	for _, text := range c.Status.IPs {
		text, _, _ = strings.Cut(text, "/")
		if a, err := netip.ParseAddr(text); err == nil {
			out.ips = append(out.ips, a.Unmap())
		}
	}
	return out, nil, nil
}

// reserve gets the addresses that pods of the host ask for in a subnet and writes
// those that they can have into n. It returns these.
func (a *accounts) reserve(ctx context.Context, n *plan.HostNetwork, subnets []ipam.Subnet, asks []ask) ([]netip.Addr, error) {
	var out []netip.Addr
	for _, ask := range asks {
		ips := ask.ips
		if len(ips) == 0 && ask.user.Claim != "" {
			var err error
			if ips, err = a.choose(ctx, n, subnets, ask); err != nil {
				return nil, err
			}
		}
		for _, ip := range ips {
			granted, err := a.reserveOne(ctx, n, subnets, ask, ip)
			if err != nil {
				return nil, err
			}
			if granted && !slices.Contains(out, ip) {
				out = append(out, ip)
				n.Reserved = append(n.Reserved, v1alpha1.ReservedAddress{Address: ip.String(), Namespace: ask.user.Namespace, Pod: ask.user.Pod, Claim: ask.user.Claim})
			}
		}
	}
	slices.SortFunc(n.Reserved, func(a, b v1alpha1.ReservedAddress) int { return strings.Compare(a.Address, b.Address) })
	return out, nil
}

// reserveOne says whether a pod may have an address. What is in its way is told to
// the pod, unless it only has to wait.
func (a *accounts) reserveOne(ctx context.Context, n *plan.HostNetwork, subnets []ipam.Subnet, ask ask, ip netip.Addr) (bool, error) {
	i := slices.IndexFunc(subnets, func(s ipam.Subnet) bool { return s.Network.Contains(ip) })
	if i < 0 || !subnets[i].Usable(ip) {
		a.tellOnce(n, ask, mistake{"AddressNotUsable", fmt.Sprintf("No pod can have the address %s in subnet %s of VPC %s: it is outside of the networks, or the gateway's, or a network's own. Choose another one.", ip, n.Subnet, n.Name)})
		return false, nil
	}
	if a.has(n, ip, ask) {
		return true, nil
	}
	standing, err := ipam.Reserve(ctx, book{a.base}, subnets[i], n.VNI, ip, vpcHolder(n.Name, n.Subnet), ask.user)
	if err != nil {
		return false, err
	}
	if standing.User != ask.user {
		a.tellOnce(n, ask, mistake{"AddressTaken", fmt.Sprintf("The address %s in subnet %s of VPC %s belongs to %s. Choose another one, or delete that first.", ip, n.Subnet, n.Name, hide(standing.User, ask.user))})
		return false, nil
	}
	if standing.Holder.Kind != v1alpha1.KindHost || standing.Holder.Name == a.config.Name {
		return true, nil
	}
	free, taken, err := a.leaveOut(ctx, standing.Holder.Name, n.VNI, ip)
	if err != nil || free {
		return free, err
	}
	if taken {
		a.tellOnce(n, ask, mistake{"AddressInUse", fmt.Sprintf("A pod on %s has the address %s in subnet %s of VPC %s. This pod gets it when that one is gone; or choose another one.", standing.Holder.Name, ip, n.Subnet, n.Name)})
	}
	a.waits = true
	return false, nil
}

// has says whether the HostConfig gives an address to a user already.
func (a *accounts) has(n *plan.HostNetwork, ip netip.Addr, ask ask) bool {
	return n.Before != nil && slices.Contains(n.Before.Reserved, v1alpha1.ReservedAddress{
		Address: ip.String(), Namespace: ask.user.Namespace, Pod: ask.user.Pod, Claim: ask.user.Claim,
	})
}

// hide names the user of an address, or hides it from another tenant.
func hide(user, from v1alpha1.AddressUser) string {
	if user.Namespace == from.Namespace {
		return user.String()
	}
	return "somebody in another namespace"
}

// leaveOut tells another host to leave an address out, and says whether that host
// has confirmed it, and if not, whether it uses the address.
func (a *accounts) leaveOut(ctx context.Context, host string, vni int32, ip netip.Addr) (free, taken bool, err error) {
	var other v1alpha1.HostConfig
	err = a.live.Get(ctx, client.ObjectKey{Name: host}, &other)
	if apierrors.IsNotFound(err) {
		return false, false, nil // its blocks are given back after the time of grace
	} else if err != nil {
		return false, false, fmt.Errorf("get HostConfig %s: %w", host, err)
	}
	single := ipam.Single(ip)
	all := decodeWithheld(&other)
	if !slices.Contains(all[vni], single) {
		all[vni] = append(all[vni], single)
		return false, false, a.annotate(ctx, &other, encodeWithheld(all))
	}
	o := accounts{base: a.base, config: &other, withheld: all}
	need := o.need(vni, ipam.Subnet{})
	if !need.Settled || ipam.Has(need.Spec, ip) {
		return false, false, nil
	}
	taken = ipam.Has(need.Uses, ip)
	return !taken, taken, nil
}

// annotate changes what is withheld of a HostConfig of a known version. Whoever is
// about to write its spec finds that he is too late, and learns of it.
func (b base) annotate(ctx context.Context, config *v1alpha1.HostConfig, withheld string) error {
	data, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": config.ResourceVersion, "annotations": map[string]string{withheldAnnotation: withheld},
	}})
	if err != nil {
		return err
	}
	err = b.Patch(ctx, config.DeepCopy(), client.RawPatch(types.MergePatchType, data), client.FieldOwner(FieldOwner))
	if client.IgnoreNotFound(ignoreConflict(err)) != nil {
		return fmt.Errorf("write HostConfig %s: %w", config.Name, err)
	}
	return nil // it is looked at again
}

// tellOnce tells a pod what is in the way of an address, once.
func (a *accounts) tellOnce(n *plan.HostNetwork, ask ask, m mistake) {
	if a.needs.tell(ask.pod, n.VNI, m) {
		a.tellPod(ask.pod, m)
	}
}
