// Package plan compiles what the network team and the tenants want into one
// finished configuration for each switch. It is pure: same input, same output,
// to the byte. It knows nothing of SONiC, of the API server or of time.
//
// A mistake in one object is a Problem of that object; everything else is
// compiled as if the object were not there. Where two objects exclude each
// other the older one wins.
//
// The unit of planning is the redundancy group, since the switches of one share
// their VLAN ids. Build takes any number of whole groups, so that a change is
// compiled for the groups it touches and for no others.
package plan

import (
	"net/netip"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
)

// Inputs is all that Build looks at. Nothing in it is changed.
type Inputs struct {
	// Pools of the Fabric; nil when there is no usable Fabric.
	Pools *alloc.Pools
	// AnycastMAC of the Fabric.
	AnycastMAC string
	// Classes by name.
	Classes map[string]*v1alpha1.VPCClass
	// Switches of one or more redundancy groups, each group whole.
	Switches []*v1alpha1.Switch
	// Configs that were compiled before, by switch: what keeps VLAN ids as they are.
	Configs map[string]*v1alpha1.SwitchConfig
	// Former are the VLAN ids that switches had, by switch: which of them must not
	// change hands yet, and which have been free for long.
	Former map[string][]Former
	// Tags are what hosts may send, by port.
	Tags map[v1alpha1.PortReference][]Tag
	// VPCs that the attachments name, as far as they exist.
	VPCs map[types.NamespacedName]*v1alpha1.VPC
	// Peers of these VPCs.
	Peers Peers
	// Attachments that name a port of one of Switches, in any order.
	Attachments []*v1alpha1.VPCAttachment
	// Placements of attachments that select hosts, as far as they are on one of
	// Switches, in any order.
	Placements []Placement
	// Underlay of the Fabric.
	Underlay v1alpha1.Underlay
	// Cables to other switches that make an uplink, by switch.
	Cables map[string][]Cable
	// OverLimit are the attachments beyond their VPC's limit (see OverLimit).
	OverLimit map[types.NamespacedName]bool
	// WithoutVTEP are the switches for which the VTEP pool has no address left.
	WithoutVTEP map[string]bool
	// Condemned is what switches, of these groups and of others, have tried and
	// taken back, by VPC.
	Condemned map[types.NamespacedName][]Condemned
	// Identifiers that were allocated.
	Identifiers Identifiers
}

// Identifiers are the fabric-wide identifiers that are in force.
type Identifiers struct {
	// VNI is the VNI of a VPC (empty subnet) or of a subnet; 0 if there is none yet.
	VNI func(vpc types.NamespacedName, subnet string) int32
	// VTEP is the tunnel endpoint address of a switch; the zero Addr if there is
	// none yet. A spine has one as its router id.
	VTEP func(name string) netip.Addr
	// ASN is the autonomous system number of a switch; 0 if there is none yet.
	// Only switches with Cables are asked for.
	ASN func(name string) int64
}

// Result is what Build made of its Inputs.
type Result struct {
	// Specs by switch, for every one of Inputs.Switches.
	Specs map[string]v1alpha1.SwitchConfigSpec
	// Problems of attachments, at most one for each switch that they have a place
	// on, and of switches. An attachment that has none on a switch is in its spec
	// at all its places there, or waits for an identifier.
	Problems []Problem
	// Waiting are the places that wait for a host.
	Waiting map[Carrier]Wait
	// Awaited says that somebody would get a VLAN id if one that was given back were
	// free already.
	Awaited bool
}

// Wait is what a place gets when the host there has let go of another network's id.
type Wait struct {
	// VLAN id of a tagged place, which the host is told at once: it lets go of one id by
	// going over to another. 0 if untagged.
	VLAN int32
	// Problem says for people what it waits for.
	Problem string
}

// Problem is one that an object has on a switch.
type Problem struct {
	// Switch by its name.
	Switch string `json:"switch"`

	v1alpha1.Problem `json:",inline"`
}

// Build compiles the configurations of the given switches.
func Build(in Inputs) Result {
	res := Result{Specs: make(map[string]v1alpha1.SwitchConfigSpec, len(in.Switches))}
	vpcs, near := newVPCChecks(in), newPeerings(in)
	placements := byGroup(in)
	for _, group := range groups(in.Switches) {
		res.compile(in, group, vpcs, near, placements[group.name])
	}
	res.Problems = onePerSwitch(res.Problems)
	return res
}

// compile adds the switches of one group. An attachment that is in force keeps an
// uplink from its port; where it turns out to go, the port is looked at again.
func (r *Result) compile(in Inputs, g group, vpcs vpcChecks, near peerings, places []Placement) {
	users := usersOf(in, g, places)
	for {
		var try Result
		uplinks := findUplinks(in, g, users, &try)
		accepted := accept(in, g, vpcs, uplinks, places, &try)
		vlans, peers := assignVLANs(in, g, accepted, near, &try)
		if users.forget(accepted) {
			continue
		}
		for _, sw := range g.switches {
			try.addTaken(sw, uplinks[sw.Name], accepted[sw.Name])
			r.Specs[sw.Name] = compile(in, sw, vlans, uplinks[sw.Name], accepted[sw.Name], peers[sw.Name], near)
		}
		r.Problems = append(r.Problems, try.Problems...)
		r.Awaited = r.Awaited || try.Awaited
		for c, w := range try.Waiting {
			r.wait(c, w)
		}
		return
	}
}

func (r *Result) wait(c Carrier, w Wait) {
	if r.Waiting == nil {
		r.Waiting = map[Carrier]Wait{}
	}
	r.Waiting[c] = w
}
