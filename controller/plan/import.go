package plan

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// A switch that has a shown subnet of a VPC takes over the routes to what the VPC's
// peers show, each in the VRF of the peer: a packet leaves under the peer's L3 VNI, so
// that the other end need not know of the VPC but to answer. The peer's VRF is on the
// switch for that, whether a subnet of the peer is there or not.

// peerings looks at the peerings of each VPC once.
type peerings struct {
	in   Inputs
	seen map[types.NamespacedName][]Peering
}

func newPeerings(in Inputs) peerings {
	return peerings{in: in, seen: map[types.NamespacedName][]Peering{}}
}

// of are those of a VPC that are in force, or of which stays what is in force.
func (p peerings) of(vpc types.NamespacedName) []Peering {
	out, ok := p.seen[vpc]
	if !ok {
		out = slices.DeleteFunc(p.in.Peers.Of(vpc), func(o Peering) bool { return !o.InForce() && !o.Held })
		p.seen[vpc] = out
	}
	return out
}

// wanted are the peerings that a switch needs because of its attachments.
func (p peerings) wanted(sw string, attachments []attachment) []Peering {
	var out []Peering
	seen := map[v1alpha1.ObjectReference]bool{}
	for _, a := range attachments {
		for _, o := range p.of(a.vpcName()) {
			ref := PeeringRef(o.VPCPeering)
			if !seen[ref] && p.needs(sw, a, o) {
				seen[ref] = true
				out = append(out, o)
			}
		}
	}
	slices.SortFunc(out, func(a, b Peering) int {
		return cmp.Or(compareNames(a.vpc(), b.vpc()), compareNames(a.peer(), b.peer()))
	})
	return out
}

// needs says whether a peering has to be on a switch because of an attachment there.
func (p peerings) needs(sw string, a attachment, o Peering) bool {
	if o.Held {
		return importBefore(p.in, sw, o) != nil
	}
	routes := a.held == nil && !a.subnet.Isolated || a.held != nil && len(a.held.Gateways) > 0
	return routes && o.shows(p.in.VPCs[a.vpcName()], a.Spec.Subnet) && p.vni(sw, o) != 0
}

// vni is the L3 VNI of the peer; 0 as long as it has none.
func (p peerings) vni(sw string, o Peering) int32 {
	if before := importBefore(p.in, sw, o); o.Held && before != nil {
		return before.VRF
	}
	return p.in.Identifiers.VNI(o.peer(), "")
}

// importBefore is what a switch has of a peering already.
func importBefore(in Inputs, sw string, o Peering) *v1alpha1.VRFImport {
	config := in.Configs[sw]
	if config == nil {
		return nil
	}
	for i := range config.Spec.VRFs {
		imports := config.Spec.VRFs[i].Imports
		for k := range imports {
			if imports[k].Owner == PeeringRef(o.VPCPeering) {
				return &imports[k]
			}
		}
	}
	return nil
}

// condemned refuses to bring the VRF of a peer to a switch when another one has tried it
// and taken it back.
func (p peerings) condemned(sw string, o Peering) *v1alpha1.Problem {
	vrf := &v1alpha1.SegmentConfig{VRF: p.vni(sw, o), Owner: VPCRef(o.peer())}
	have := &v1alpha1.SwitchConfigSpec{}
	if config := p.in.Configs[sw]; config != nil {
		have = &config.Spec
	}
	for _, c := range p.in.Condemned[o.peer()] {
		if c.Switch != sw && hasVRF(c.Tried, vrf) && !hasVRF(have, vrf) {
			return problem(PeeringRef(o.VPCPeering), RolledBack,
				"Switch %s tried the VRF of VPC %s and took it back, so %s does not get it. Have the network team set spec.paused of Switch %s to true and back to false, which tries it again there. %s says: %s",
				c.Switch, o.peer(), sw, c.Switch, c.Switch, cutTo(maxQuote, c.Message))
		}
	}
	return nil
}

// addImports adds the VRFs of peers, and what is taken over from them.
func (p peerings) addImports(sw string, spec *v1alpha1.SwitchConfigSpec, ids vlans, wanted []Peering) {
	of := func(vpc types.NamespacedName) int {
		return slices.IndexFunc(spec.VRFs, func(v v1alpha1.VRFConfig) bool { return v.Owner == VPCRef(vpc) })
	}
	for _, o := range wanted {
		if of(o.peer()) < 0 {
			spec.VRFs = append(spec.VRFs, v1alpha1.VRFConfig{VNI: p.vni(sw, o), VLAN: ids[broadcastDomain{vpc: o.peer()}], Owner: VPCRef(o.peer())})
		}
	}
	for _, o := range wanted {
		own := &spec.VRFs[of(o.vpc())]
		taken := v1alpha1.VRFImport{VRF: spec.VRFs[of(o.peer())].VNI, Owner: PeeringRef(o.VPCPeering)}
		if before := importBefore(p.in, sw, o); o.Held {
			taken.Prefixes = before.Prefixes
		} else {
			for _, network := range o.PeerShown {
				taken.Prefixes = append(taken.Prefixes, network.String())
			}
		}
		own.Imports = append(own.Imports, taken)
	}
	for i := range spec.VRFs {
		slices.SortFunc(spec.VRFs[i].Imports, func(a, b v1alpha1.VRFImport) int { return cmp.Compare(a.VRF, b.VRF) })
	}
	slices.SortFunc(spec.VRFs, compareVRF)
}

func compareVRF(a, b v1alpha1.VRFConfig) int { return cmp.Compare(a.VNI, b.VNI) }
