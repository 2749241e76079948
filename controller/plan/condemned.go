package plan

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// RolledBack is the reason by which a switch reports that it tried what an owner
// wants, and took it back because something broke that worked before.
const RolledBack = "RolledBack"

// maxQuote bounds what is quoted of a switch's message, in bytes, so that the
// way out fits into a Problem, too.
const maxQuote = 560

// Condemned is a VPC as one switch tried it and took it back.
type Condemned struct {
	// Switch that tried it.
	Switch string
	// Tried is the spec of that switch.
	Tried *v1alpha1.SwitchConfigSpec
	// Message is what the switch says.
	Message string
}

// CondemnedOn are the VPCs that a switch says it has taken back.
func CondemnedOn(config *v1alpha1.SwitchConfig) map[types.NamespacedName]Condemned {
	var out map[types.NamespacedName]Condemned
	for _, p := range config.Status.Problems {
		if p.Reason != RolledBack || p.Owner.Kind != v1alpha1.KindVPC {
			continue
		}
		if out == nil {
			out = map[types.NamespacedName]Condemned{}
		}
		out[p.Owner.NamespacedName()] = Condemned{Switch: config.Name, Tried: &config.Spec, Message: p.Message}
	}
	return out
}

// condemn refuses to bring to a switch what another one has tried and taken
// back. What the switch has already, and what was not tried, is not refused.
func condemn(in Inputs, a attachment) *v1alpha1.Problem {
	for _, c := range in.Condemned[a.vpcName()] {
		name := a.Port.Switch
		if c.Switch == name || !brings(c.Tried, in.Configs[name], a) {
			continue
		}
		return problem(a.owner(), RolledBack,
			"Switch %s tried this of VPC %s and took it back, so %s does not get it. Change the VPC, or have the network team set spec.paused of Switch %s to true and back to false, which tries it again there. %s says: %s",
			c.Switch, a.Spec.VPC, name, c.Switch, c.Switch, cutTo(maxQuote, c.Message))
	}
	return nil
}

// brings says whether an attachment brings to a switch something that was tried:
// the VRF, or the subnet as it is now.
func brings(tried *v1alpha1.SwitchConfigSpec, have *v1alpha1.SwitchConfig, a attachment) bool {
	if have == nil {
		have = &v1alpha1.SwitchConfig{}
	}
	segment := newSegment(a, 0)
	return hasVRF(tried, segment) && !hasVRF(&have.Spec, segment) ||
		hasSegment(tried, segment) && !hasSegment(&have.Spec, segment)
}

// hasVRF says whether a spec has the VRF of a segment.
func hasVRF(spec *v1alpha1.SwitchConfigSpec, s *v1alpha1.SegmentConfig) bool {
	return slices.ContainsFunc(spec.VRFs, func(v v1alpha1.VRFConfig) bool { return v.VNI == s.VRF && v.Owner == s.Owner })
}

// hasSegment says whether a spec has a segment, under whatever VLAN id.
func hasSegment(spec *v1alpha1.SwitchConfigSpec, s *v1alpha1.SegmentConfig) bool {
	return slices.ContainsFunc(spec.Segments, func(o v1alpha1.SegmentConfig) bool {
		return o.VNI == s.VNI && o.VRF == s.VRF && o.Owner == s.Owner && o.Subnet == s.Subnet && slices.Equal(o.Gateways, s.Gateways)
	})
}
