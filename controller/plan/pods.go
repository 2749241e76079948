package plan

import (
	"slices"

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

// podPlaces are the places that pods need.
type podPlaces map[podPlace]Placement

type podPlace struct {
	port   v1alpha1.PortReference
	domain broadcastDomain
}

// podsBesideNative are those among places, nil if no attachment is native: nobody
// asks for them then.
func podsBesideNative(places []Placement) podPlaces {
	if !slices.ContainsFunc(places, func(p Placement) bool { return p.Spec.Mode == v1alpha1.ModeNative }) {
		return nil
	}
	out := podPlaces{}
	for i := len(places) - 1; i >= 0 && places[i].ForPods(); i-- { // they are behind all others
		out[podPlace{places[i].Port, attachment{Placement: places[i]}.segment()}] = places[i]
	}
	return out
}

// keep refuses an attachment that would have the frames of pods untagged from now on.
// Pods that cannot have the place keep nobody from anything.
func (p podPlaces) keep(in Inputs, vpcs vpcChecks, a attachment) *v1alpha1.Problem {
	place, there := p[podPlace{a.Port, a.segment()}]
	config := in.Configs[a.Port.Switch]
	if a.Spec.Mode != v1alpha1.ModeNative || !there || config == nil {
		return nil
	}
	pods, refused := join(in, vpcs, place)
	if refused != nil || !complete(in, &pods) || !hasTagged(config, pods) {
		return nil
	}
	return problem(a.owner(), "PortConflict",
		"%s: pods on %s are in subnet %s at port %s of %s with tagged frames, and a port carries a subnet either tagged or untagged. Use mode Tagged, or wait until no pod on the host needs the subnet.",
		a.field("spec.mode"), place.Host, a.Spec.Subnet, a.Port.Name, a.Port.Switch)
}

// hasTagged says whether a port carries the subnet tagged.
func hasTagged(config *v1alpha1.SwitchConfig, a attachment) bool {
	for i := range config.Spec.Segments {
		s := &config.Spec.Segments[i]
		if s.VNI == a.l2VNI {
			return slices.ContainsFunc(s.Ports, func(p v1alpha1.SegmentPort) bool { return p.Name == a.Port.Name && p.Mode == v1alpha1.ModeTagged })
		}
	}
	return false
}
