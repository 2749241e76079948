package uplink

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// SentTags are the tags with which the frames of networks can leave the host, by VNI.
type SentTags map[int32]map[v1alpha1.HostTag]bool

// Tags are those of the agent's own devices: of VLAN devices, and of NICs in bridges.
func Tags(devices map[string]Device) SentTags {
	out := SentTags{}
	for _, d := range devices {
		bond, _, _ := strings.Cut(d.Name, "-")
		if vni, named := VNI(bond); named && d.ours() && d.Kind == VLAN {
			out.Add(vni, v1alpha1.HostTag{NIC: d.Link, VLAN: int32(d.ID)})
		}
		if vni, named := VNI(d.Master); named && !d.ours() && devices[d.Master].ours() {
			out.Add(vni, v1alpha1.HostTag{NIC: d.Name})
		}
	}
	return out
}

// TagOf is that of a pod's interface on a device of the host; direct is false on a
// device of the agent, whose tag is the pod's. A NIC in a bond sends as the bond does.
func TagOf(devices map[string]Device, parent string, vlan int) (tag v1alpha1.HostTag, direct bool) {
	d := devices[parent]
	if parent == "" || d.ours() || names.MatchString(parent) && d.Name == "" {
		return v1alpha1.HostTag{}, false
	}
	return v1alpha1.HostTag{NIC: cmp.Or(d.bond(devices), parent), VLAN: int32(vlan)}, true
}

// bond that the device is in, if any.
func (d Device) bond(devices map[string]Device) string {
	if master := devices[d.Master]; master.Kind == Bond && !master.ours() {
		return master.Name
	}
	return ""
}

// Add notes a tag.
func (t SentTags) Add(vni int32, tag v1alpha1.HostTag) {
	if t[vni] == nil {
		t[vni] = map[v1alpha1.HostTag]bool{}
	}
	t[vni][tag] = true
}

// Of are the tags of a network, in order.
func (t SentTags) Of(vni int32) []v1alpha1.HostTag {
	return slices.SortedFunc(maps.Keys(t[vni]), func(a, b v1alpha1.HostTag) int {
		return cmp.Or(strings.Compare(a.NIC, b.NIC), cmp.Compare(a.VLAN, b.VLAN))
	})
}
