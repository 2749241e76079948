package plan

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/topology"
)

// ForPods is the place that pods on a host need a subnet at. It is like that of an
// attachment, Tagged and without a name, which every named one goes before: where an
// attachment brings the same subnet to the port, pods use what it brings.
func ForPods(vpc types.NamespacedName, subnet string, h *v1alpha1.Host, at topology.Place) Placement {
	a := &v1alpha1.VPCAttachment{Spec: v1alpha1.VPCAttachmentSpec{VPC: vpc.Name, Subnet: subnet, Mode: v1alpha1.ModeTagged}}
	a.Namespace = vpc.Namespace
	return Placement{VPCAttachment: a, Host: h.Name, NIC: at.NIC, HostLabels: h.Labels, Port: v1alpha1.PortReference{Switch: at.Switch, Name: at.Port}}
}

// ForPods says whether the place is one that pods need.
func (p Placement) ForPods() bool { return p.Name == "" }

// OwnerOf is whose a place is: the attachment's, or the VPC's if pods need it.
func OwnerOf(p Placement) v1alpha1.ObjectReference {
	if p.ForPods() {
		return VPCRef(attachment{Placement: p}.vpcName())
	}
	return AttachmentRef(keyOf(p))
}

// same says whether two places at a port are for the same thing.
func same(a, b Placement) bool {
	return a.Port == b.Port && keyOf(a) == keyOf(b) && a.Spec.VPC == b.Spec.VPC && a.Spec.Subnet == b.Spec.Subnet
}

// last orders those that pods need behind all others.
func last(p Placement) int {
	if p.ForPods() {
		return 1
	}
	return 0
}

// has says whether the port carries the subnet already.
func (p *ports) has(a attachment) bool {
	_, ok := p.carries[carried{a.Port.Name, a.segment()}]
	return ok
}
