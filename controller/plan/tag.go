package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/topology"
)

// SentAnnotation of a HostConfig says how the host marked frames before its spec became
// what it is: "eth1/100/10101@5" is Vlan100 for VNI 10101 on eth1, which generation 5
// was the last to have; Vlan0 is untagged. Written together with the spec.
const SentAnnotation = v1alpha1.Group + "/sent-vlans"

// Tag is how a host may mark the frames of a subnet.
type Tag struct {
	// Host and its NIC, or bond.
	Host, NIC string
	// VLAN id; 0: untagged.
	VLAN int32
	// VNI of the subnet.
	VNI int32
}

// TagsOf are those that a host may send: what its HostConfig says, what it said until
// the host has put a newer one into force, and what the host reports.
func TagsOf(c *v1alpha1.HostConfig) []Tag {
	out := tagsIn(c)
	for _, s := range sentBy(c) {
		out = append(out, s.Tag)
	}
	for _, n := range c.Status.Networks {
		for _, t := range n.Tags {
			if tag := (Tag{c.Name, t.NIC, t.VLAN, n.VNI}); !slices.Contains(out, tag) {
				out = append(out, tag)
			}
		}
	}
	return out
}

// sent is a tag that a HostConfig has no more, and the last generation that had it.
type sent struct {
	Tag
	generation int64
}

// sentBy reads the annotation, which says something until the host has put the newest
// spec into force. A host whose agent has never reported attaches no pods.
func sentBy(c *v1alpha1.HostConfig) []sent {
	if c.Status.ObservedGeneration == 0 || c.Status.ObservedGeneration >= c.Generation && c.Status.AppliedRevision == c.Spec.Revision {
		return nil
	}
	entries := strings.Fields(c.Annotations[SentAnnotation])
	out := make([]sent, 0, len(entries))
	for _, entry := range entries {
		s, ok := parseSent(entry)
		if s.Host = c.Name; ok {
			out = append(out, s)
		}
	}
	return out
}

func parseSent(entry string) (sent, bool) {
	nic, rest, _ := strings.Cut(entry, "/")
	id, rest, _ := strings.Cut(rest, "/")
	number, at, _ := strings.Cut(rest, "@")
	vlan, err1 := strconv.ParseUint(id, 10, 12)
	vni, err2 := strconv.ParseUint(number, 10, 24)
	generation, err3 := strconv.ParseInt(at, 10, 64)
	return sent{Tag{NIC: nic, VLAN: int32(vlan), VNI: int32(vni)}, generation}, nic != "" && err1 == nil && err2 == nil && err3 == nil
}

// tagsIn are the tags of a HostConfig's spec.
func tagsIn(c *v1alpha1.HostConfig) []Tag {
	out := make([]Tag, 0, 2*len(c.Spec.Networks))
	for i := range c.Spec.Networks {
		n := &c.Spec.Networks[i]
		for _, u := range n.Uplinks {
			out = append(out, Tag{Host: c.Name, NIC: u.NIC, VLAN: u.VLAN, VNI: n.VNI})
		}
	}
	return out
}

// Sent is the annotation of a HostConfig that gets a new spec.
func Sent(before *v1alpha1.HostConfig, after *v1alpha1.HostConfigSpec) string {
	all := sentBy(before)
	for _, t := range tagsIn(before) {
		all = append(all, sent{t, before.Generation})
	}
	last := map[Tag]int64{}
	for _, s := range all {
		last[s.Tag] = max(last[s.Tag], s.generation)
	}
	for _, t := range tagsIn(&v1alpha1.HostConfig{ObjectMeta: before.ObjectMeta, Spec: *after}) {
		delete(last, t)
	}
	out := make([]string, 0, len(last))
	for t, generation := range last {
		out = append(out, fmt.Sprintf("%s/%d/%d@%d", t.NIC, t.VLAN, t.VNI, generation))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// AddTags adds what a host may send over its NICs at a switch.
func (in *Inputs) AddTags(sw string, places []topology.Place, tags []Tag) {
	for _, place := range places {
		if place.Switch != sw {
			continue
		}
		port, nic := v1alpha1.PortReference{Switch: sw, Name: place.Port}, cmp.Or(place.Bond, place.NIC)
		former, at := slices.Grow(in.Former[sw], len(tags)), slices.Grow(in.Tags[port], len(tags))
		for _, t := range tags {
			if t.NIC != nic {
				continue
			}
			if at = append(at, t); t.VLAN != 0 {
				former = append(former, Former{VLAN: t.VLAN, VNI: t.VNI, Held: true})
			}
		}
		in.Former[sw], in.Tags[port] = former, at
	}
}

// VLANInUse is the reason by which a place waits for a host.
const VLANInUse = "VLANInUse"

// inTheWay says why a place has to wait: a host at the port may still send frames of
// another subnet there, which would be taken for ones of this. What is in force stays.
func inTheWay(in Inputs, a attachment, id int32) *v1alpha1.Problem {
	vni, _ := a.vnis()
	for _, t := range in.Tags[a.Port] {
		if t.VNI == vni || t.VLAN != id && (t.VLAN != 0 || a.Spec.Mode != v1alpha1.ModeNative) {
			continue
		}
		if isThere(in.Configs[a.Port.Switch], a, id) {
			return nil
		}
		how := "untagged"
		if t.VLAN != 0 {
			how = fmt.Sprintf("as Vlan%d", t.VLAN)
		}
		return problem(a.owner(), VLANInUse,
			"port %s of %s: %s may still send frames of another subnet there %s. The port gets this one when the host has let go of it: see kubectl describe hostconfig %s. If the host is gone for good, delete its Host.",
			a.Port.Name, a.Port.Switch, t.Host, how, t.Host)
	}
	return nil
}

// isThere says whether a port carries a subnet already as it is to.
func isThere(config *v1alpha1.SwitchConfig, a attachment, id int32) bool {
	vni, _ := a.vnis()
	return config != nil && slices.ContainsFunc(config.Spec.Segments, func(s v1alpha1.SegmentConfig) bool {
		return s.VNI == vni && s.VLAN == id && slices.ContainsFunc(s.Ports, func(p v1alpha1.SegmentPort) bool { return p.Name == a.Port.Name && p.Mode == a.Spec.Mode })
	})
}
