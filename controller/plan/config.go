package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// compile writes the configuration of one switch from its accepted attachments and the
// peerings that it needs for them.
func compile(in Inputs, sw *v1alpha1.Switch, ids vlans, up uplinks, attachments []attachment, peers []Peering, near peerings) v1alpha1.SwitchConfigSpec {
	var spec v1alpha1.SwitchConfigSpec
	vtep := in.Identifiers.VTEP(sw.Name)
	if vtep.IsValid() && sw.Spec.Role != v1alpha1.RoleSpine {
		spec.VTEP, spec.AnycastMAC = vtep.String(), in.AnycastMAC
	}
	spec.BGP, spec.Uplinks = up.bgp(in, sw, vtep), up.own
	if config := in.Configs[sw.Name]; in.Pools == nil && config != nil {
		spec.AnycastMAC = config.Spec.AnycastMAC
	}
	segments := make(map[broadcastDomain]*v1alpha1.SegmentConfig)
	for _, a := range attachments {
		domain := a.segment()
		if segments[domain] == nil {
			segments[domain] = newSegment(a, ids[domain])
		}
		segments[domain].Ports = append(segments[domain].Ports, v1alpha1.SegmentPort{
			Name: a.Port.Name, Mode: a.Spec.Mode, Owner: a.owner(),
		})
	}
	for _, s := range segments {
		slices.SortFunc(s.Ports, func(a, b v1alpha1.SegmentPort) int { return ComparePorts(a.Name, b.Name) })
		spec.Segments = append(spec.Segments, *s)
	}
	slices.SortFunc(spec.Segments, compareVLAN)
	spec.VRFs = vrfs(spec.Segments, ids)
	near.addImports(sw.Name, &spec, ids, peers)
	spec.Revision = revision(spec)
	return spec
}

// newSegment is the subnet of an attachment, without ports.
func newSegment(a attachment, vlan int32) *v1alpha1.SegmentConfig {
	if a.held != nil {
		s := *a.held
		s.VLAN, s.Ports = vlan, nil
		return &s
	}
	s := &v1alpha1.SegmentConfig{
		VLAN: vlan, VNI: a.l2VNI, VRF: a.l3VNI,
		Owner: VPCRef(a.vpcName()), Subnet: a.Spec.Subnet,
	}
	if a.subnet.Isolated {
		return s
	}
	gateways, err := Gateways(a.subnet)
	if err != nil {
		panic("plan: an accepted VPC has an invalid subnet: " + err.Error())
	}
	for _, g := range gateways {
		s.Gateways = append(s.Gateways, g.String())
	}
	return s
}

// vrfs are the VRFs that the segments are in.
func vrfs(segments []v1alpha1.SegmentConfig, ids vlans) []v1alpha1.VRFConfig {
	var out []v1alpha1.VRFConfig
	seen := map[int32]bool{}
	for _, s := range segments {
		if !seen[s.VRF] {
			seen[s.VRF] = true
			out = append(out, v1alpha1.VRFConfig{VNI: s.VRF, VLAN: ids[broadcastDomain{vpc: s.Owner.NamespacedName()}], Owner: s.Owner})
		}
	}
	slices.SortFunc(out, compareVRF)
	return out
}

// revision is a hash of the spec, short enough to be read and long enough never
// to be the same for two specs of a fabric.
func revision(spec v1alpha1.SwitchConfigSpec) string {
	spec.Revision = ""
	text, err := json.Marshal(spec)
	if err != nil {
		panic("plan: a SwitchConfig that is not JSON: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
