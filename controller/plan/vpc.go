package plan

import (
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// CheckVPC says why a VPC cannot be built as it is written, or nil. It looks at
// the VPC, its class (nil if it does not exist) and whether there is a usable
// Fabric.
func CheckVPC(vpc *v1alpha1.VPC, class *v1alpha1.VPCClass, haveFabric bool) *v1alpha1.Problem {
	owner := VPCRef(keyOf(vpc))
	switch {
	case !haveFabric:
		return problem(owner, "FabricNotFound",
			"There is no usable Fabric %q, so no VNI can be given out. The network team has to create it, or mend what its Accepted condition names.", v1alpha1.FabricName)
	case class == nil:
		return problem(owner, "ClassNotFound",
			"spec.class: VPCClass %q does not exist. Name one that does (kubectl get vpcclasses), or ask the network team to create it.", vpc.Spec.Class)
	}
	if limit := class.Spec.Limits.MaxSubnets; limit != nil && len(vpc.Spec.Subnets) > int(*limit) {
		return problem(owner, "LimitExceeded",
			"spec.subnets: %d subnets, but VPCClass %s allows %d. Remove some, or ask the network team for a larger class.",
			len(vpc.Spec.Subnets), class.Name, *limit)
	}
	return checkSubnets(owner, vpc.Spec.Subnets)
}

// checkSubnets finds networks that overlap and addresses that cannot be used.
func checkSubnets(owner v1alpha1.ObjectReference, subnets []v1alpha1.Subnet) *v1alpha1.Problem {
	type network struct {
		field  string
		prefix netip.Prefix
	}
	var seen []network
	for i := range subnets {
		s := &subnets[i]
		if _, err := Gateways(s); err != nil {
			return problem(owner, "InvalidSubnet", "spec.subnets[%s]: %v.", s.Name, err)
		}
		for _, c := range s.CIDRs {
			n := network{field: fmt.Sprintf("spec.subnets[%s].cidrs: %s", s.Name, c), prefix: netip.MustParsePrefix(c)}
			if k := slices.IndexFunc(seen, func(o network) bool { return o.prefix.Overlaps(n.prefix) }); k >= 0 {
				return problem(owner, "SubnetOverlap",
					"%s overlaps with %s. Subnets of one VPC route to each other, so their networks must be apart: change one of the two.",
					n.field, seen[k].field)
			}
			seen = append(seen, n)
		}
	}
	return nil
}

// Gateways are the addresses of a subnet's gateway with the prefix length of
// their network, in the order of the subnet's CIDRs; of an isolated one those that its
// gateway would have, which stay reserved. The error names the field
// below the subnet.
func Gateways(s *v1alpha1.Subnet) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(s.CIDRs))
	for _, c := range s.CIDRs {
		network, err := netip.ParsePrefix(c)
		if err != nil {
			return nil, fmt.Errorf("cidrs: %q is not a network such as 10.1.0.0/24", c)
		}
		gateway := network.Masked().Addr().Next()
		for _, text := range s.Gateways {
			a, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("gateways: %q is not an IP address", text)
			}
			if network.Contains(a) {
				gateway = a
			}
		}
		if err := usableGateway(gateway, network); err != nil {
			return nil, err
		}
		out = append(out, netip.PrefixFrom(gateway, network.Bits()))
	}
	return out, nil
}

// usableGateway refuses the addresses that no host can have.
func usableGateway(a netip.Addr, network netip.Prefix) error {
	switch {
	case a == network.Masked().Addr():
		return fmt.Errorf("gateways: %s is the address of the network %s itself; choose another address in it", a, network)
	case a.Is4() && !network.Contains(a.Next()):
		return fmt.Errorf("gateways: %s is the broadcast address of %s; choose another address in it", a, network)
	}
	return nil
}

// OverLimit are those of a VPC's attachments that are beyond the limit of its
// class: all but the oldest.
func OverLimit(class *v1alpha1.VPCClass, attachments []*v1alpha1.VPCAttachment) []*v1alpha1.VPCAttachment {
	if class == nil || class.Spec.Limits.MaxAttachments == nil || len(attachments) <= int(*class.Spec.Limits.MaxAttachments) {
		return nil
	}
	sorted := slices.SortedFunc(slices.Values(attachments), olderAttachment)
	return sorted[*class.Spec.Limits.MaxAttachments:]
}

// vpcChecks looks at each VPC once, however many attachments it has.
type vpcChecks struct {
	in   Inputs
	seen map[types.NamespacedName]*v1alpha1.Problem
}

func newVPCChecks(in Inputs) vpcChecks {
	return vpcChecks{in: in, seen: make(map[types.NamespacedName]*v1alpha1.Problem, len(in.VPCs))}
}

func (c vpcChecks) check(name types.NamespacedName, vpc *v1alpha1.VPC) *v1alpha1.Problem {
	p, ok := c.seen[name]
	if !ok {
		p = CheckVPC(vpc, c.in.Classes[vpc.Spec.Class], c.in.Pools != nil)
		c.seen[name] = p
	}
	return p
}
