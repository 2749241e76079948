package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/topology"
)

const (
	// MaxHostNetworks is how many a HostConfig can carry; maxHostUplinks and the others
	// are how many each of them can.
	MaxHostNetworks = 512
	maxHostUplinks  = 16
	maxHostSlices   = 64
	maxReserved     = 256
	// overlayMTU is what fits between two switches: SONiC's ports carry 9,100 bytes, of
	// which VXLAN takes 50 (RFC 7348: Ethernet, IPv4, UDP and its own header).
	overlayMTU = 9100 - 50
)

// HostInputs is all that BuildHost looks at. Nothing in it is changed.
type HostInputs struct {
	// Host that it is for.
	Host *v1alpha1.Host
	// Places of its NICs.
	Places []topology.Place
	// Networks that its pods need, in any order, no more than MaxHostNetworks.
	Networks []HostNetwork
	// Configs of the switches that the places are on.
	Configs map[string]*v1alpha1.SwitchConfig
	// Standing says what has become of a VPC at a port.
	Standing func(Carrier) Standing
}

// HostNetwork is a subnet that pods on a host need.
type HostNetwork struct {
	// Name of the VPC, and of its subnet.
	Name   types.NamespacedName
	Subnet string
	// VPC as it is; nil if there is none any more, or it lacks the subnet. What the
	// host had of it before, Before, then stays, so that what runs goes on.
	VPC    *v1alpha1.VPC
	Before *v1alpha1.HostNetwork
	// Peered are the networks of other VPCs that the subnet's hosts reach.
	Peered []netip.Prefix
	// VNI of the subnet.
	VNI int32
	// Master is the NIC, or bond, that its pods tie it to; empty: none.
	Master string
	// Slices and Reserved as they are to be written.
	Slices   []v1alpha1.AddressRange
	Reserved []v1alpha1.ReservedAddress
}

// Carrier is a subnet at a port of a switch.
type Carrier struct {
	Switch, Port string
	VPC          types.NamespacedName
	VNI          int32
}

// Standing is what has become of a subnet at a port. The zero Standing: it is on its
// way.
type Standing struct {
	// InForce says that the switch has taken it.
	InForce bool
	// Problem says for people what is in its way; empty if nothing is.
	Problem string
	// Waiting is the VLAN id that it has as soon as the host has let go of another
	// network's; 0 if it does not wait for that.
	Waiting int32
}

// BuildHost compiles the configuration of one host. A network is ready when every
// uplink of it is in force. A NIC at a port that can never carry it is left out if
// there is another one; of a bond all NICs have to carry it, since nobody knows over
// which a frame goes.
func BuildHost(in HostInputs) v1alpha1.HostConfigSpec {
	var spec v1alpha1.HostConfigSpec
	networks := slices.SortedFunc(slices.Values(in.Networks), func(a, b HostNetwork) int { return cmp.Compare(a.VNI, b.VNI) })
	for _, n := range networks[:min(len(networks), MaxHostNetworks)] {
		spec.Networks = append(spec.Networks, in.network(n))
	}
	text, err := json.Marshal(spec)
	if err != nil {
		panic("plan: a HostConfig that is not JSON: " + err.Error())
	}
	sum := sha256.Sum256(text)
	spec.Revision = hex.EncodeToString(sum[:8])
	return spec
}

func (in HostInputs) network(n HostNetwork) v1alpha1.HostNetwork {
	out := v1alpha1.HostNetwork{VNI: n.VNI, Owner: VPCRef(n.Name), Subnet: n.Subnet, MTU: overlayMTU, CIDRs: []string{}}
	subnet := SubnetOf(n.VPC, n.Subnet)
	switch {
	case subnet != nil:
		out.Namespaces = append([]string{n.Name.Namespace}, n.VPC.Spec.AttachFrom...)
		slices.Sort(out.Namespaces)
		out.Namespaces = slices.Compact(out.Namespaces)
		out.CIDRs = subnet.CIDRs
		if gateways, err := Gateways(subnet); err == nil && !subnet.Isolated {
			for _, g := range gateways {
				out.Gateways = append(out.Gateways, g.Addr().String())
			}
			out.Routes = routes(n.VPC, subnet, gateways, n.Peered)
		}
	case n.Before != nil:
		out = *n.Before.DeepCopy()
		out.MTU = overlayMTU
	}
	out.Master = n.Master
	out.Slices = n.Slices[:min(len(n.Slices), maxHostSlices)]
	out.Reserved = n.Reserved[:min(len(n.Reserved), maxReserved)]
	ways := in.ways(n)
	out.Uplinks, out.Ready, out.Message = ways.uplinks, false, ways.message(in.Host, n.Master)
	switch {
	case subnet == nil:
		out.Message = fmt.Sprintf("There is no subnet %q in VPC %s any more. Pods that are attached stay so; for new ones, add it again or change their NetworkAttachmentDefinition.", n.Subnet, n.Name)
	case out.Message == "":
		out.Ready = true
	}
	return out
}

// SubnetOf is a subnet of a VPC by its name, nil if there is none. Of a VPC with one
// subnet no name means that one.
func SubnetOf(vpc *v1alpha1.VPC, name string) *v1alpha1.Subnet {
	if vpc == nil {
		return nil
	}
	if name == "" && len(vpc.Spec.Subnets) == 1 {
		return &vpc.Spec.Subnets[0]
	}
	for i := range vpc.Spec.Subnets {
		if vpc.Spec.Subnets[i].Name == name {
			return &vpc.Spec.Subnets[i]
		}
	}
	return nil
}

// ways are the uplinks of a host to a subnet.
type ways struct {
	uplinks []v1alpha1.HostUplink
	// waiting are the switches that have not taken it yet; problems are what keeps
	// others from it, and refused what keeps NICs without uplink from it.
	waiting, problems, refused []string
}

// ways finds them.
func (in HostInputs) ways(n HostNetwork) ways {
	var out ways
	for _, p := range AtNIC(in.Host, n.Master, in.Places) {
		nic := cmp.Or(p.Bond, p.NIC)
		c := Carrier{Switch: p.Switch, Port: p.Port, VPC: n.Name, VNI: n.VNI}
		vlan, there := carriedAs(in.Configs[p.Switch], c)
		standing := in.Standing(c)
		switch {
		case there:
			out.add(v1alpha1.HostUplink{NIC: nic, VLAN: vlan, Switch: p.Switch, Port: p.Port, Draining: p.Bond == "" && Draining(in.Configs[p.Switch])})
			out.judge(p.Switch, standing)
		case standing.Waiting != 0:
			out.add(v1alpha1.HostUplink{NIC: nic, VLAN: standing.Waiting, Switch: p.Switch, Port: p.Port})
			out.judge(p.Switch, standing)
		case standing.Problem != "" && p.Bond == "":
			out.refused = append(out.refused, p.Switch+": "+standing.Problem)
		default:
			out.judge(p.Switch, standing)
		}
	}
	slices.SortFunc(out.uplinks, func(a, b v1alpha1.HostUplink) int { return ComparePorts(a.NIC, b.NIC) })
	out.uplinks = out.uplinks[:min(len(out.uplinks), maxHostUplinks)]
	return out
}

// Draining says whether a switch has been asked to send its hosts elsewhere, and has not
// done it yet. One that will refuse is not.
func Draining(config *v1alpha1.SwitchConfig) bool {
	if config == nil || config.Spec.Maintenance == nil {
		return false
	}
	m, answer := config.Spec.Maintenance, config.Status.Maintenance
	return m.Drain && (m.Force || len(m.SingleHomed) == 0) && (answer == nil || !answer.Drained)
}

// carriedAs is the VLAN id that a subnet has at a port, 0 if it is untagged there.
func carriedAs(config *v1alpha1.SwitchConfig, c Carrier) (int32, bool) {
	if config == nil {
		return 0, false
	}
	for i := range config.Spec.Segments {
		s := &config.Spec.Segments[i]
		if s.VNI != c.VNI {
			continue
		}
		for _, p := range s.Ports {
			if p.Name == c.Port && p.Mode == v1alpha1.ModeNative {
				return 0, true
			} else if p.Name == c.Port {
				return s.VLAN, true
			}
		}
	}
	return 0, false
}

// add adds an uplink, once for a bond.
func (w *ways) add(u v1alpha1.HostUplink) {
	i := slices.IndexFunc(w.uplinks, func(o v1alpha1.HostUplink) bool { return o.NIC == u.NIC })
	if i < 0 {
		w.uplinks = append(w.uplinks, u)
	} else if o := w.uplinks[i]; o.VLAN != u.VLAN {
		w.problems = append(w.problems, fmt.Sprintf("%s leads to Vlan%d at %s and to Vlan%d at %s. Put these switches into one redundancy group.", u.NIC, o.VLAN, o.Switch, u.VLAN, u.Switch))
	}
}

func (w *ways) judge(sw string, s Standing) {
	switch {
	case s.Problem != "":
		w.problems = append(w.problems, sw+": "+s.Problem)
	case !s.InForce:
		w.waiting = append(w.waiting, sw)
	}
}

// message says what is missing, nothing if nothing is.
func (w *ways) message(host *v1alpha1.Host, master string) string {
	var parts []string
	if len(w.waiting) > 0 {
		slices.Sort(w.waiting)
		parts = append(parts, fmt.Sprintf("Waiting for %s.", strings.Join(slices.Compact(w.waiting), ", ")))
	}
	parts = append(parts, w.problems...)
	if len(w.uplinks) == 0 {
		parts = append(parts, w.refused...)
	}
	if len(parts) == 0 && len(w.uplinks) == 0 {
		parts = append(parts, WhyNoPort(host, master).Brief())
	}
	return cut(strings.Join(slices.Compact(parts), " "))
}
