package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Cable is a port of a switch that has another switch at its other end.
type Cable struct {
	// Port or port channel of the switch.
	Port string
	// Peer is the other switch.
	Peer string
	// Link by its name.
	Link string
}

// uplinks are what cables make of a switch's ports, in natural order. Over each
// of found the switch speaks BGP; own are those that the agent makes routed
// itself, because nobody else has.
type uplinks struct {
	found []Cable
	own   []string
	// taken are the cables at ports that carry VLANs, and go on to do so.
	taken []Cable
}

// at is the cable at a port that is an uplink.
func (u uplinks) at(port string) (Cable, bool) {
	i := slices.IndexFunc(u.found, func(c Cable) bool { return c.Port == port })
	if i < 0 {
		return Cable{}, false
	}
	return u.found[i], true
}

// maxUplinks is how many a SwitchConfig can carry.
const maxUplinks = 256

// findUplinks decides for every switch of a group which of its cables are
// uplinks. What cannot be one is a Problem of the Switch.
func findUplinks(in Inputs, g group, users portUsers, res *Result) map[string]uplinks {
	out := make(map[string]uplinks, len(g.switches))
	for _, sw := range g.switches {
		switch {
		case in.Pools == nil:
			out[sw.Name] = keepUplinks(in, sw)
		case !in.Underlay.Disabled && len(in.Cables[sw.Name]) > 0 && asnOf(in, sw) != 0:
			out[sw.Name] = uplinksOf(in, sw, users, res)
		}
	}
	return out
}

// asnOf is the ASN of a switch: the one that its BGP says, or else its own.
func asnOf(in Inputs, sw *v1alpha1.Switch) int64 {
	if sw.Spec.BGP != nil {
		return sw.Spec.BGP.ASN
	}
	return in.Identifiers.ASN(sw.Name)
}

// keepUplinks are those that were compiled before, while there is no Fabric to
// say whether there should be any.
func keepUplinks(in Inputs, sw *v1alpha1.Switch) uplinks {
	config := in.Configs[sw.Name]
	if config == nil || config.Spec.BGP == nil {
		return uplinks{}
	}
	out := uplinks{own: slices.Clone(config.Spec.Uplinks)}
	for _, port := range config.Spec.BGP.Uplinks {
		i := slices.IndexFunc(in.Cables[sw.Name], func(c Cable) bool { return c.Port == port })
		switch {
		case i >= 0:
			out.found = append(out.found, in.Cables[sw.Name][i])
		case slices.Contains(out.own, port):
			out.found = append(out.found, Cable{Port: port, Peer: "another switch", Link: "unknown"})
		}
	}
	return out
}

// uplinksOf looks at the cables of one switch. What is at a port already wins: an
// uplink over a new attachment, an attachment in force over a new cable.
func uplinksOf(in Inputs, sw *v1alpha1.Switch, users portUsers, res *Result) uplinks {
	cables := slices.Clone(in.Cables[sw.Name])
	slices.SortFunc(cables, func(a, b Cable) int {
		return cmp.Or(ComparePorts(a.Port, b.Port), cmp.Compare(a.Peer, b.Peer), cmp.Compare(a.Link, b.Link))
	})
	cables = slices.CompactFunc(cables, func(a, b Cable) bool { return a.Port == b.Port })
	was := wasUplink(in, sw)
	var out uplinks
	var beyond []string
	for _, c := range cables {
		use, p := judgeUplink(sw, c, was[c.Port])
		switch {
		case use != notThere && was[c.Port] == notThere && len(users[v1alpha1.PortReference{Switch: sw.Name, Name: c.Port}]) > 0:
			out.taken = append(out.taken, c)
		case p != nil:
			res.add(sw.Name, p)
		case use == notThere:
		case len(out.found) == maxUplinks:
			beyond = append(beyond, c.Port)
		case use == ours:
			out.own, out.found = append(out.own, c.Port), append(out.found, c)
		default:
			out.found = append(out.found, c)
		}
	}
	if len(beyond) > 0 {
		res.add(sw.Name, problem(switchRef(sw), "TooManyUplinks",
			"%d ports are cabled to switches, and %d of them can be uplinks. These are left out: %s.", len(out.found)+len(beyond), maxUplinks, strings.Join(beyond, ", ")))
	}
	return out
}

// portUse is what an uplink's port is.
type portUse int

const (
	notThere portUse = iota // the switch does not have it
	ours                    // the agent makes it routed
	others                  // somebody else has made it routed
)

// wasUplink are the ports that were uplinks before, and whose rows they were.
func wasUplink(in Inputs, sw *v1alpha1.Switch) map[string]portUse {
	config := in.Configs[sw.Name]
	if config == nil || config.Spec.BGP == nil {
		return nil
	}
	out := map[string]portUse{}
	for _, port := range config.Spec.BGP.Uplinks {
		out[port] = others
	}
	for _, port := range config.Spec.Uplinks {
		out[port] = ours
	}
	return out
}

// judgeUplink says what an uplink at a port is, or why there cannot be one. What
// was an uplink stays one while the switch tells nothing of its ports.
func judgeUplink(sw *v1alpha1.Switch, c Cable, was portUse) (portUse, *v1alpha1.Problem) {
	if len(sw.Status.Ports) == 0 {
		return was, nil
	}
	i := slices.IndexFunc(sw.Status.Ports, func(p v1alpha1.SwitchPort) bool { return p.Name == c.Port })
	if i < 0 {
		return notThere, nil
	}
	port, say := &sw.Status.Ports[i], func(reason, format string, args ...any) (portUse, *v1alpha1.Problem) {
		return notThere, problem(switchRef(sw), reason, "%s is cabled to %s (Link %s), but %s", c.Port, c.Peer, c.Link, fmt.Sprintf(format, args...))
	}
	switch {
	case was == ours:
		return ours, nil
	case port.NativeVLAN != 0:
		return say("PortInVLAN", "somebody has made Vlan%d untagged there. It becomes an uplink when VLAN_MEMBER|Vlan%d|%s is removed on the switch.", port.NativeVLAN, port.NativeVLAN, c.Port)
	case port.Use == v1alpha1.PortUseRouted:
		return others, nil
	case !strings.HasPrefix(c.Port, "Ethernet"):
		return say("PortChannelNotRouted", "port channels become uplinks only when somebody makes them routed. Add PORTCHANNEL_INTERFACE|%s on the switch, or take its ports out of it.", c.Port)
	}
	return ours, nil
}

func switchRef(sw *v1alpha1.Switch) v1alpha1.ObjectReference {
	return v1alpha1.ObjectReference{Kind: v1alpha1.KindSwitch, Name: sw.Name}
}
