package plan

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// shown are the networks that one side of a peering lets the other one reach.
func shown(vpc *v1alpha1.VPC, p *v1alpha1.VPCPeering) []netip.Prefix {
	var out []netip.Prefix
	for _, n := range routed(vpc) {
		if len(p.Spec.Subnets) == 0 || slices.Contains(p.Spec.Subnets, n.subnet) {
			out = append(out, n.prefix)
		}
	}
	return slices.Compact(slices.SortedFunc(slices.Values(out), netip.Prefix.Compare))
}

// network is one of a subnet.
type network struct {
	subnet string
	prefix netip.Prefix
}

// routed are the networks of a VPC that there are routes to. Those that are none are
// left out: they are problems of the VPC.
func routed(vpc *v1alpha1.VPC) []network {
	var out []network
	for i := range vpc.Spec.Subnets {
		s := &vpc.Spec.Subnets[i]
		for _, text := range s.CIDRs {
			if prefix, err := netip.ParsePrefix(text); err == nil && !s.Isolated {
				out = append(out, network{s.Name, prefix.Masked()})
			}
		}
	}
	return out
}

// overlap says that a VPC has a network that it would also reach at the other one.
func (in Peers) overlap(p Peering, mirror *v1alpha1.VPCPeering) *v1alpha1.Problem {
	own, peer := in.VPCs[p.vpc()], in.VPCs[p.peer()]
	for _, a := range routed(own) {
		for _, b := range routed(peer) {
			if a.prefix.Overlaps(b.prefix) && (shows(p.VPCPeering, a.subnet) || shows(mirror, b.subnet)) {
				return problem(PeeringRef(p.VPCPeering), "OverlappingCIDR",
					"Subnet %s of VPC %s (%s) overlaps with subnet %s of VPC %s (%s), so packets could not be told apart. Change one of the two subnets; or leave them out of spec.subnets of %s and of %s.",
					a.subnet, p.vpc(), a.prefix, b.subnet, p.peer(), b.prefix, PeeringRef(p.VPCPeering), PeeringRef(mirror))
			}
		}
	}
	return nil
}

// shows says whether a peering names a subnet, or all.
func shows(p *v1alpha1.VPCPeering, subnet string) bool {
	return len(p.Spec.Subnets) == 0 || slices.Contains(p.Spec.Subnets, subnet)
}

// crowded says that one of the two VPCs reaches networks of a third one already that
// overlap with those of the other: of two such peerings the older one is in force.
func (in Peers) crowded(p Peering, mirror *v1alpha1.VPCPeering) *v1alpha1.Problem {
	const hint = "The older peering is in force. Change one of the networks, or leave its subnet out of spec.subnets of the VPCPeering."
	age := ageOf(p.VPCPeering, mirror)
	if other, theirs, ours := in.rival(p.vpc(), p.peer(), p.PeerShown, age); other != nil {
		return problem(PeeringRef(p.VPCPeering), "OverlappingCIDR",
			"VPC %s already reaches %s of VPC %s by %s, which overlaps with %s of VPC %s. %s",
			p.vpc(), theirs, other.peer(), PeeringRef(other.VPCPeering), ours, p.peer(), hint)
	}
	if other, _, ours := in.rival(p.peer(), p.vpc(), p.Shown, age); other != nil {
		return problem(PeeringRef(p.VPCPeering), "OverlappingCIDR",
			"VPC %s already reaches a network of another VPC that overlaps with %s of VPC %s. %s", p.peer(), ours, p.vpc(), hint)
	}
	return nil
}

// rival is an older peering of a VPC with another one than peer, by which it reaches a
// network (theirs) that overlaps with one of the given ones (ours).
func (in Peers) rival(vpc, peer types.NamespacedName, given []netip.Prefix, age pairAge) (other *Peering, theirs, ours netip.Prefix) {
	for _, p := range in.Peerings[vpc] {
		if PeerVPC(p) == peer || in.duplicate(p) != nil {
			continue
		}
		judged, mirror := in.judgePair(p)
		if judged.Problem != nil && !judged.Held || ageOf(p, mirror).compare(age) > 0 {
			continue
		}
		for _, theirs := range judged.PeerShown {
			if i := slices.IndexFunc(given, theirs.Overlaps); i >= 0 {
				return &judged, theirs, given[i]
			}
		}
	}
	return nil, netip.Prefix{}, netip.Prefix{}
}

// pairAge says since when both sides want a peering. It is the same seen from either.
type pairAge struct {
	since       time.Time
	first, last types.NamespacedName
}

func ageOf(p, mirror *v1alpha1.VPCPeering) pairAge {
	out := pairAge{since: p.CreationTimestamp.Time, first: ConsentingVPC(p), last: PeerVPC(p)}
	if mirror.CreationTimestamp.After(out.since) {
		out.since = mirror.CreationTimestamp.Time
	}
	if compareNames(out.first, out.last) > 0 {
		out.first, out.last = out.last, out.first
	}
	return out
}

func (a pairAge) compare(b pairAge) int {
	return cmp.Or(a.since.Compare(b.since), compareNames(a.first, b.first), compareNames(a.last, b.last))
}
