package matrix

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Rules of a cluster: what is isolated is apart from all else, what peers reaches each
// other as far as both show it, and within a VPC everyone reaches everyone.
func (o Objects) Rules() Rules { return append(Rules{o.isolated(), o.peered()}, VPCRules()...) }

// isolated keeps isolated subnets apart.
func (o Objects) isolated() Rule {
	alone := map[string]bool{} // by segment
	for i := range o.VPCs {
		for _, s := range o.VPCs[i].Spec.Subnets {
			if s.Isolated {
				alone[o.VPCs[i].Namespace+"/"+o.VPCs[i].Name+"/"+s.Name] = true
			}
		}
	}
	return func(from, to *Endpoint) Verdict {
		if from.Segment() != to.Segment() && (alone[from.Segment()] || alone[to.Segment()]) {
			return Apart
		}
		return Unsaid
	}
}

// side is the consent of one VPC to another one.
type side struct{ vpc, peer string }

// peered lets VPCs reach each other of which both sides were accepted. From a subnet that
// is not shown packets may come to one that is: routes cannot tell who sends.
func (o Objects) peered() Rule {
	sides := map[side]*v1alpha1.VPCPeering{}
	for i := range o.Peerings {
		p := &o.Peerings[i]
		if p.DeletionTimestamp.IsZero() && meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.PeeringAccepted) {
			sides[side{p.Namespace + "/" + p.Spec.VPC, p.Spec.Peer.Namespace + "/" + p.Spec.Peer.Name}] = p
		}
	}
	shows := func(p *v1alpha1.VPCPeering, subnet string) bool {
		return len(p.Spec.Subnets) == 0 || slices.Contains(p.Spec.Subnets, subnet)
	}
	return func(from, to *Endpoint) Verdict {
		own, peer := sides[side{from.VPC, to.VPC}], sides[side{to.VPC, from.VPC}]
		switch {
		case own == nil || peer == nil || from.VPC == to.VPC || !shows(peer, to.Subnet):
			return Unsaid
		case shows(own, from.Subnet):
			return Reach
		}
		return Silent
	}
}
