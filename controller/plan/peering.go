package plan

import (
	"cmp"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Peers is what peerings are judged by: two VPCs, those that they peer with, and all
// VPCPeerings of these.
type Peers struct {
	VPCs    map[types.NamespacedName]*v1alpha1.VPC
	Classes map[string]*v1alpha1.VPCClass
	// HaveFabric says that there is a usable Fabric.
	HaveFabric bool
	// Peerings by the VPC that consents, in any order.
	Peerings map[types.NamespacedName][]*v1alpha1.VPCPeering
}

// Peering is a VPCPeering and what becomes of it.
type Peering struct {
	*v1alpha1.VPCPeering
	// Problem says why it is not in force; nil if it is.
	Problem *v1alpha1.Problem
	// Held says that what switches have of it stays, although it has a Problem: both
	// sides want it, and one of the VPCs cannot be judged.
	Held bool
	// Shown are the networks of the own VPC that the peer reaches, and PeerShown those
	// of the peer, each in order.
	Shown, PeerShown []netip.Prefix
}

// vpc and peer are the two VPCs.
func (p Peering) vpc() types.NamespacedName  { return ConsentingVPC(p.VPCPeering) }
func (p Peering) peer() types.NamespacedName { return PeerVPC(p.VPCPeering) }

// InForce says that packets may pass.
func (p Peering) InForce() bool { return p.Problem == nil }

// ConsentingVPC is the VPC that a VPCPeering speaks for.
func ConsentingVPC(p *v1alpha1.VPCPeering) types.NamespacedName {
	return types.NamespacedName{Namespace: p.Namespace, Name: p.Spec.VPC}
}

// PeerVPC is the VPC that it names.
func PeerVPC(p *v1alpha1.VPCPeering) types.NamespacedName {
	return types.NamespacedName{Namespace: p.Spec.Peer.Namespace, Name: p.Spec.Peer.Name}
}

// PeeringRef refers to a VPCPeering.
func PeeringRef(p *v1alpha1.VPCPeering) v1alpha1.ObjectReference {
	return v1alpha1.ObjectReference{Kind: v1alpha1.KindVPCPeering, Namespace: p.Namespace, Name: p.Name}
}

// Of are the peerings of a VPC, one for each VPC that it names, in the order of these.
func (in Peers) Of(vpc types.NamespacedName) []Peering {
	var out []Peering
	for _, p := range in.Peerings[vpc] {
		if in.duplicate(p) == nil {
			out = append(out, in.Judge(p))
		}
	}
	slices.SortFunc(out, func(a, b Peering) int { return compareNames(a.peer(), b.peer()) })
	return out
}

func compareNames(a, b types.NamespacedName) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// Reached are the networks of other VPCs that the hosts of a subnet reach.
func (in Peers) Reached(vpc types.NamespacedName, subnet string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range in.Of(vpc) {
		if (p.InForce() || p.Held) && p.shows(in.VPCs[vpc], subnet) {
			out = append(out, p.PeerShown...)
		}
	}
	return out
}

// Mirror is the other side of a peering; nil if there is none.
func (in Peers) Mirror(p *v1alpha1.VPCPeering) *v1alpha1.VPCPeering { return in.mirror(p) }

// Hidden are the subnets of the own VPC that the peer does not reach, and that are not
// isolated.
func (in Peers) Hidden(p Peering) []string {
	var out []string
	for _, s := range in.VPCs[p.vpc()].Spec.Subnets {
		if !s.Isolated && !shows(p.VPCPeering, s.Name) {
			out = append(out, s.Name)
		}
	}
	return out
}

// NeededBy says whether a switch with such a spec has to take over what the peer shows.
func (in Peers) NeededBy(spec *v1alpha1.SwitchConfigSpec, p Peering) bool {
	return slices.ContainsFunc(spec.Segments, func(s v1alpha1.SegmentConfig) bool {
		return s.Owner == VPCRef(p.vpc()) && len(s.Gateways) > 0 && p.shows(in.VPCs[p.vpc()], s.Subnet)
	})
}

// Imports says whether a spec has a switch take over just what the peer shows.
func Imports(spec *v1alpha1.SwitchConfigSpec, p Peering) bool {
	for _, v := range spec.VRFs {
		for _, i := range v.Imports {
			if i.Owner == PeeringRef(p.VPCPeering) {
				return slices.EqualFunc(i.Prefixes, p.PeerShown, func(text string, n netip.Prefix) bool { return text == n.String() })
			}
		}
	}
	return false
}

// shows says whether a subnet of the own VPC is one that the peer reaches.
func (p Peering) shows(vpc *v1alpha1.VPC, subnet string) bool {
	s := SubnetOf(vpc, subnet)
	return s != nil && !s.Isolated && (len(p.Spec.Subnets) == 0 || slices.Contains(p.Spec.Subnets, s.Name))
}

// Judge says what becomes of a peering. What it says of one side it says of the other.
func (in Peers) Judge(p *v1alpha1.VPCPeering) Peering {
	out, mirror := in.judgePair(p)
	if out.Problem == nil {
		out.Problem = in.crowded(out, mirror)
	}
	return out
}

// judgePair judges a peering as if the two VPCs had no other. It returns the other side,
// nil if there is none.
func (in Peers) judgePair(p *v1alpha1.VPCPeering) (Peering, *v1alpha1.VPCPeering) {
	out := Peering{VPCPeering: p}
	if out.Problem = in.consent(p); out.Problem != nil {
		return out, nil
	}
	mirror := in.mirror(p)
	switch {
	case mirror == nil:
		out.Problem = problem(PeeringRef(p), "WaitingForPeer",
			"Nobody in namespace %s has consented yet: it takes a VPCPeering there with spec.vpc: %s and spec.peer: {namespace: %s, name: %s}.",
			p.Spec.Peer.Namespace, p.Spec.Peer.Name, p.Namespace, p.Spec.VPC)
	case in.consent(mirror) != nil:
		reason := in.consent(mirror).Reason
		out.Problem = problem(PeeringRef(p), "Peer"+reason,
			"%s, the other side, has the problem %s. Whoever may change it has to: its condition Accepted says how.", PeeringRef(mirror), reason)
	}
	if out.Problem != nil {
		return out, nil
	}
	out.Shown, out.PeerShown = shown(in.VPCs[out.vpc()], p), shown(in.VPCs[out.peer()], mirror)
	if out.Problem = in.unjudged(out); out.Problem != nil {
		out.Held = true
		return out, mirror
	}
	out.Problem = in.overlap(out, mirror)
	return out, mirror
}

// consent says why one side by itself is none.
func (in Peers) consent(p *v1alpha1.VPCPeering) *v1alpha1.Problem {
	owner, name := PeeringRef(p), ConsentingVPC(p)
	vpc := in.VPCs[name]
	switch older := in.duplicate(p); {
	case name == PeerVPC(p):
		return problem(owner, "OwnPeer", "spec.peer: VPC %s is spec.vpc itself. Its subnets reach each other without a peering.", name)
	case vpc == nil:
		return problem(owner, "VPCNotFound", "spec.vpc: there is no VPC %q in namespace %s. Create it, or make a new VPCPeering with the right name.", p.Spec.VPC, p.Namespace)
	case older != nil:
		return problem(owner, "Duplicate", "%s, which is older, speaks for the same two VPCs. Delete one of the two.", PeeringRef(older))
	}
	if wrong := checkShown(owner, vpc, p); wrong != nil {
		return wrong
	}
	if class := in.Classes[vpc.Spec.Class]; class != nil && class.Spec.Limits.MaxPeerings != nil && in.rank(p) >= int(*class.Spec.Limits.MaxPeerings) {
		return problem(owner, "LimitExceeded",
			"VPC %s already has the %d peerings that VPCClass %s allows, and they are older. Delete one of them, or ask the network team for a larger class.",
			p.Spec.VPC, *class.Spec.Limits.MaxPeerings, class.Name)
	}
	return nil
}

// checkShown looks at the subnets that the peer is to reach.
func checkShown(owner v1alpha1.ObjectReference, vpc *v1alpha1.VPC, p *v1alpha1.VPCPeering) *v1alpha1.Problem {
	for _, name := range p.Spec.Subnets {
		i := slices.IndexFunc(vpc.Spec.Subnets, func(s v1alpha1.Subnet) bool { return s.Name == name })
		if i < 0 {
			return problem(owner, "NoSuchSubnet", "spec.subnets: VPC %s has no subnet %q. Add it to the VPC, or take it out here.", p.Spec.VPC, name)
		}
		if vpc.Spec.Subnets[i].Isolated {
			return problem(owner, "Isolated", "spec.subnets: subnet %q of VPC %s is isolated, so nobody outside can reach it. Take it out here, or set isolated of the subnet to false.", name, p.Spec.VPC)
		}
	}
	if len(shown(vpc, p)) == 0 {
		return problem(owner, "NoSubnets", "VPC %s has no subnet that is not isolated, so there is nothing to reach. Add one, or set isolated of one to false.", p.Spec.VPC)
	}
	return nil
}

// unjudged says which of the two VPCs is not accepted.
func (in Peers) unjudged(p Peering) *v1alpha1.Problem {
	for _, side := range []struct {
		name   types.NamespacedName
		reason string
	}{{p.vpc(), "VPCNotAccepted"}, {p.peer(), "PeerNotAccepted"}} {
		vpc := in.VPCs[side.name]
		wrong := CheckVPC(vpc, in.Classes[vpc.Spec.Class], in.HaveFabric)
		if wrong != nil {
			return problem(PeeringRef(p.VPCPeering), side.reason, "%s is not accepted (%s): its condition Accepted says why. What was programmed before stays in force.", VPCRef(side.name), wrong.Reason)
		}
	}
	return nil
}

// mirror is the other side of a peering; nil if there is none.
func (in Peers) mirror(p *v1alpha1.VPCPeering) *v1alpha1.VPCPeering {
	return in.oldest(PeerVPC(p), ConsentingVPC(p))
}

// oldest is the peering by which a VPC consents to a peer.
func (in Peers) oldest(vpc, peer types.NamespacedName) *v1alpha1.VPCPeering {
	var out *v1alpha1.VPCPeering
	for _, p := range in.Peerings[vpc] {
		if PeerVPC(p) == peer && (out == nil || olderPeering(p, out) < 0) {
			out = p
		}
	}
	return out
}

// duplicate is an older peering that speaks for the same two VPCs.
func (in Peers) duplicate(p *v1alpha1.VPCPeering) *v1alpha1.VPCPeering {
	if first := in.oldest(ConsentingVPC(p), PeerVPC(p)); first != nil && first.Name != p.Name {
		return first
	}
	return nil
}

// rank is how many of the VPC's peerings are older.
func (in Peers) rank(p *v1alpha1.VPCPeering) int {
	n := 0
	for _, other := range in.Peerings[ConsentingVPC(p)] {
		if PeerVPC(other) != ConsentingVPC(other) && in.duplicate(other) == nil && olderPeering(other, p) < 0 {
			n++
		}
	}
	return n
}

func olderPeering(a, b *v1alpha1.VPCPeering) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
