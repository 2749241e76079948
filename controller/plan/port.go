package plan

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// ports is what is known about the ports of one switch, and who has claimed
// them so far.
type ports struct {
	sw      *v1alpha1.Switch
	uplinks uplinks
	byName  map[string]*v1alpha1.SwitchPort
	native  map[string]attachment  // the native subnet of a port
	carries map[carried]attachment // the subnets on a port
}

// carried is a subnet on a port.
type carried struct {
	port   string
	domain broadcastDomain
}

func newPorts(sw *v1alpha1.Switch, up uplinks) *ports {
	p := &ports{
		sw:      sw,
		uplinks: up,
		byName:  make(map[string]*v1alpha1.SwitchPort, len(sw.Status.Ports)),
		native:  map[string]attachment{},
		carries: map[carried]attachment{},
	}
	for i := range sw.Status.Ports {
		p.byName[sw.Status.Ports[i].Name] = &sw.Status.Ports[i]
	}
	return p
}

// claim gives the port to an attachment, or says why it cannot have it.
func (p *ports) claim(a attachment) *v1alpha1.Problem {
	if unusable := p.check(a); unusable != nil {
		return unusable
	}
	return p.take(a)
}

// take gives the port to an attachment, whether the port is known or not. It
// refuses what excludes an older attachment.
func (p *ports) take(a attachment) *v1alpha1.Problem {
	port := a.Port.Name
	on := carried{port, a.segment()}
	if other, ok := p.carries[on]; ok {
		return problem(a.owner(), "PortConflict",
			"%s: %s already joins port %s of %s to subnet %s of VPC %s. Delete one of the two.",
			a.field("spec.port"), other.owner(), port, p.sw.Name, a.Spec.Subnet, a.Spec.VPC)
	}
	if a.Spec.Mode == v1alpha1.ModeNative {
		if other, ok := p.native[port]; ok {
			return problem(a.owner(), "PortConflict",
				"%s: %s, which is older, already has port %s of %s with mode Native, and a port has one native subnet. Use mode Tagged, or another port.",
				a.field("spec.mode"), foreign(a, other), port, p.sw.Name)
		}
		p.native[port] = a
	}
	p.carries[on] = a
	return nil
}

// foreign names another attachment, or hides it from a different tenant.
func foreign(a, other attachment) string {
	if a.Namespace == other.Namespace {
		return other.owner().String()
	}
	return "an attachment in another namespace"
}

// leaf says why the switch has no ports for attachments.
func (p *ports) leaf(a attachment) *v1alpha1.Problem {
	if p.sw.Spec.Role != v1alpha1.RoleSpine {
		return nil
	}
	return problem(a.owner(), "SwitchNotLeaf",
		"%s: %s has the role Spine, which carries no attachments. Name a leaf.", a.field("spec.port.switch"), p.sw.Name)
}

// check says why the port cannot carry VLANs at all.
func (p *ports) check(a attachment) *v1alpha1.Problem {
	name, sw, field := a.Port.Name, p.sw.Name, a.field("spec.port.name")
	if len(p.byName) == 0 {
		return problem(a.owner(), "SwitchUnknown",
			"%s: the agent on %s has not reported its ports yet. See kubectl describe switch %s.", a.field("spec.port.switch"), sw, sw)
	}
	if cable, ok := p.uplinks.at(name); ok {
		return problem(a.owner(), "PortUplink",
			"%s: port %s of %s is an uplink to %s (Link %s), which carries no VLANs. Name another port, or correct the cable.", field, name, sw, cable.Peer, cable.Link)
	}
	port := p.byName[name]
	if port == nil {
		return problem(a.owner(), "PortNotFound",
			"%s: switch %s has no port %s. It has %s. Correct the name, or break the port out first.", field, sw, name, p.summary())
	}
	switch port.Use {
	case v1alpha1.PortUsePortChannelMember:
		return problem(a.owner(), "PortInPortChannel",
			"%s: port %s of %s is a member of %s. Name %s instead, or take the port out of it.", field, name, sw, port.UsedBy, port.UsedBy)
	case v1alpha1.PortUseRouted:
		return problem(a.owner(), "PortRouted",
			"%s: port %s of %s is a routed interface (%s). Name another port, or remove that row.", field, name, sw, port.UsedBy)
	}
	if a.Spec.Mode == v1alpha1.ModeNative && port.NativeVLAN != 0 {
		return problem(a.owner(), "PortConflict",
			"%s: Vlan%d, made by hand, is untagged on port %s of %s, and a port has one native VLAN. Use mode Tagged, or remove VLAN_MEMBER|Vlan%d|%s on the switch.",
			a.field("spec.mode"), port.NativeVLAN, name, sw, port.NativeVLAN, name)
	}
	return nil
}

// summary lists the first and the last of the switch's ports.
func (p *ports) summary() string {
	all := p.sw.Status.Ports
	if len(all) == 1 {
		return all[0].Name
	}
	return all[0].Name + " … " + all[len(all)-1].Name
}

// ComparePorts orders port names as people do: Ethernet8 before Ethernet12.
func ComparePorts(a, b string) int {
	letters := func(s string) (string, int) {
		i := strings.IndexAny(s, "0123456789")
		if i < 0 {
			return s, 0
		}
		n, _ := strconv.Atoi(s[i:])
		return s[:i], n
	}
	an, ai := letters(a)
	bn, bi := letters(b)
	return cmp.Or(cmp.Compare(an, bn), cmp.Compare(ai, bi), cmp.Compare(a, b))
}
