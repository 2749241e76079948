package plan

import (
	"net/netip"
	"slices"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// maxRoutes is how many a network of a HostConfig can carry: twice the subnets that two
// VPCs can have. Those of further peers are left out.
const maxRoutes = 256

// routes are the networks that pods in a subnet reach through its gateways: those of
// the VPC's other subnets that are not isolated, and of its peers, in the families that
// the subnet has a gateway of. IPv4 comes first.
func routes(vpc *v1alpha1.VPC, own *v1alpha1.Subnet, gateways, peered []netip.Prefix) []string {
	var all []netip.Prefix
	for i := range vpc.Spec.Subnets {
		if vpc.Spec.Subnets[i].Name == own.Name || vpc.Spec.Subnets[i].Isolated {
			continue
		}
		for _, text := range vpc.Spec.Subnets[i].CIDRs {
			network, err := netip.ParsePrefix(text)
			if err == nil && routable(network, gateways) {
				all = append(all, network.Masked())
			}
		}
	}
	for _, network := range peered {
		if len(all) < maxRoutes && routable(network, gateways) {
			all = append(all, network)
		}
	}
	slices.SortFunc(all, netip.Prefix.Compare)
	all = slices.Compact(all)
	var out []string
	for _, network := range all[:min(len(all), maxRoutes)] {
		out = append(out, network.String())
	}
	return out
}

// routable says whether there is a gateway that leads to a network. One that overlaps
// the gateway's own, in a VPC that was edited into something impossible, stays out:
// pods would send to it what is for their neighbours.
func routable(network netip.Prefix, gateways []netip.Prefix) bool {
	return slices.ContainsFunc(gateways, func(g netip.Prefix) bool { return g.Addr().Is4() == network.Addr().Is4() }) &&
		!slices.ContainsFunc(gateways, network.Overlaps)
}
