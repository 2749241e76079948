package plan

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// attachment is a place of a VPCAttachment together with what it joins.
type attachment struct {
	Placement
	subnet *v1alpha1.Subnet
	l2VNI  int32
	l3VNI  int32
	// held is the segment as it was compiled before, for an attachment that
	// keeps what it has while its VPC or its switch cannot be judged.
	held *v1alpha1.SegmentConfig
	// problem of an attachment that is held.
	problem *v1alpha1.Problem
}

func (a attachment) owner() v1alpha1.ObjectReference { return OwnerOf(a.Placement) }

func (a attachment) vpcName() types.NamespacedName {
	return types.NamespacedName{Namespace: a.Namespace, Name: a.Spec.VPC}
}

// vrf and segment are what the attachment needs a VLAN id for.
func (a attachment) vrf() broadcastDomain     { return broadcastDomain{vpc: a.vpcName()} }
func (a attachment) segment() broadcastDomain { return broadcastDomain{a.vpcName(), a.Spec.Subnet} }

// accept sorts the places of a group by switch, without those that cannot be
// made (they become Problems) and those that wait for an identifier.
func accept(in Inputs, g group, vpcs vpcChecks, up map[string]uplinks, places []Placement, res *Result) map[string][]attachment {
	ports := make(map[string]*ports, len(g.switches))
	for _, sw := range g.switches {
		ports[sw.Name] = newPorts(sw, up[sw.Name])
	}
	out := make(map[string][]attachment, len(g.switches))
	pods := podsBesideNative(places)
	for _, a := range places {
		joined, p := join(in, vpcs, a)
		on := ports[a.Port.Switch]
		if notLeaf := on.leaf(joined); notLeaf != nil {
			res.add(a.Port.Switch, notLeaf)
			continue
		}
		if p == nil && len(in.Condemned) > 0 && complete(in, &joined) {
			p = condemn(in, joined)
		}
		if a.ForPods() && on.has(joined) {
			continue
		}
		if p == nil {
			p = pods.keep(in, vpcs, joined)
		}
		if p == nil {
			p = on.claim(joined)
		}
		switch held := hold(in, a, p); {
		case held != nil && on.take(joined) == nil:
			joined.held, joined.problem = held, p
		case p != nil:
			res.add(a.Port.Switch, p)
			continue
		case !complete(in, &joined):
			continue
		}
		out[a.Port.Switch] = append(out[a.Port.Switch], joined)
	}
	return out
}

// hold is what a place keeps when its attachment is not the one at fault: a VPC
// that was edited into something impossible, a class or a Fabric that was
// deleted, a switch that lost its status, or a change that another switch has
// taken back, must not take a running network down.
func hold(in Inputs, a Placement, p *v1alpha1.Problem) *v1alpha1.SegmentConfig {
	config := in.Configs[a.Port.Switch]
	if config == nil || p == nil || p.Reason != "VPCNotAccepted" && p.Reason != "SwitchUnknown" && p.Reason != RolledBack {
		return nil
	}
	for i := range config.Spec.Segments {
		s := &config.Spec.Segments[i]
		if s.Subnet == a.Spec.Subnet && s.Owner == VPCRef(attachment{Placement: a}.vpcName()) &&
			slices.ContainsFunc(s.Ports, func(port v1alpha1.SegmentPort) bool {
				return port.Owner == OwnerOf(a) && port.Name == a.Port.Name && port.Mode == a.Spec.Mode
			}) {
			return s
		}
	}
	return nil
}

// CheckAttachment says why an attachment can be nowhere, whatever it selects:
// because of its VPC or its subnet. It looks at nothing of in but the VPCs, the
// classes and the pools.
func CheckAttachment(in Inputs, a *v1alpha1.VPCAttachment) *v1alpha1.Problem {
	_, p := join(in, newVPCChecks(in), Placement{VPCAttachment: a})
	return p
}

// join finds what a place joins.
func join(in Inputs, vpcs vpcChecks, a Placement) (attachment, *v1alpha1.Problem) {
	out := attachment{Placement: a}
	vpc := in.VPCs[out.vpcName()]
	if vpc == nil {
		return out, problem(out.owner(), "VPCNotFound",
			"spec.vpc: there is no VPC %q in namespace %s. Create it, or correct the name.", a.Spec.VPC, a.Namespace)
	}
	if p := vpcs.check(out.vpcName(), vpc); p != nil {
		return out, problem(out.owner(), "VPCNotAccepted", "VPC %s is not accepted: %s", a.Spec.VPC, p.Message)
	}
	i := slices.IndexFunc(vpc.Spec.Subnets, func(s v1alpha1.Subnet) bool { return s.Name == a.Spec.Subnet })
	if i < 0 {
		return out, problem(out.owner(), "SubnetNotFound",
			"spec.subnet: VPC %s has no subnet %q. Add it to the VPC, or correct the name.", a.Spec.VPC, a.Spec.Subnet)
	}
	if in.OverLimit[keyOf(a)] {
		return out, problem(out.owner(), "LimitExceeded",
			"VPC %s already has the %d attachments that VPCClass %s allows, and they are older. Delete one of them, or ask the network team for a larger class.",
			a.Spec.VPC, *in.Classes[vpc.Spec.Class].Spec.Limits.MaxAttachments, vpc.Spec.Class)
	}
	if p := allowed(in.Classes[vpc.Spec.Class], a, out.owner()); p != nil {
		return out, p
	}
	if sw := a.Port.Switch; in.WithoutVTEP[sw] {
		return out, problem(out.owner(), "VTEPExhausted",
			"switch %s: every address of Fabric %s, spec.pools.vtep, is in use, so the switch has no tunnel endpoint. The network team has to extend the pool.",
			sw, v1alpha1.FabricName)
	}
	out.subnet = &vpc.Spec.Subnets[i]
	return out, nil
}

// complete fills in the identifiers and says whether all are there.
func complete(in Inputs, a *attachment) bool {
	a.l3VNI = in.Identifiers.VNI(a.vpcName(), "")
	a.l2VNI = in.Identifiers.VNI(a.vpcName(), a.subnet.Name)
	return a.l2VNI != 0 && a.l3VNI != 0 && in.Identifiers.VTEP(a.Port.Switch).IsValid()
}
