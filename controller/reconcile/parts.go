package reconcile

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// part is what one VPC has in a SwitchConfig.
type part struct {
	vtep, mac string
	vrfs      []v1alpha1.VRFConfig
	segments  []v1alpha1.SegmentConfig
}

// parts sorts a spec by VPC.
func parts(spec *v1alpha1.SwitchConfigSpec) map[types.NamespacedName]*part {
	out := make(map[types.NamespacedName]*part, len(spec.VRFs))
	of := func(owner v1alpha1.ObjectReference) *part {
		name := owner.NamespacedName()
		if out[name] == nil {
			out[name] = &part{vtep: spec.VTEP, mac: spec.AnycastMAC}
		}
		return out[name]
	}
	for _, v := range spec.VRFs {
		p := of(v.Owner)
		p.vrfs = append(p.vrfs, v)
	}
	for _, s := range spec.Segments {
		p := of(s.Owner)
		p.segments = append(p.segments, s)
	}
	return out
}

// attachments are those that the part is made of.
func (p *part) attachments() []types.NamespacedName {
	var out []types.NamespacedName
	for _, s := range p.segments {
		for _, port := range s.Ports {
			if port.Owner.Kind == v1alpha1.KindVPCAttachment {
				out = append(out, port.Owner.NamespacedName())
			}
		}
	}
	return slices.Compact(out)
}
