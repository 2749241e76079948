package uplink

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Kinds of devices that are made.
const (
	VLAN   = "vlan"
	Bond   = "bond"
	Bridge = "bridge"
)

// Alias begins that of every device of the agent.
const Alias = "switchlet"

// Device is a network device of the host.
type Device struct {
	Name string
	// Kind of a virtual device, as the kernel calls it; empty for hardware.
	Kind string
	// Link is what a VLAN device is on, and ID its VLAN id.
	Link string
	ID   int
	// Master is the bond or bridge that the device is in.
	Master string
	// Busy: the device carries something else: macvlans, or addresses of the host.
	// What has any cannot be put into a bridge.
	Busy  bool
	MTU   int
	Up    bool
	Alias string
	// Carrier says that it has one.
	Carrier bool
	// Promisc: somebody has said that it takes the frames for all MAC addresses.
	Promisc bool
	// Active is the device that a bond uses, of those in it. Both: it takes the frames that
	// come to the others, too.
	Active string
	Both   bool
	// VNI of the network that a device is made for.
	VNI int32
}

// Network is one whose uplinks are wanted.
type Network struct {
	VNI   int32
	Owner v1alpha1.ObjectReference
	Name  string // for people
	MTU   int    // 0: that of the NICs
	// Uplinks in their order. A network that the spec has no more has no Owner.
	Uplinks []v1alpha1.HostUplink
	// Bridge: there are pods in mode bridge.
	Bridge bool
	// Used: there are pods. What they are attached to stays.
	Used bool
}

// tagged reports whether frames have a tag on every uplink.
func (n Network) tagged() bool {
	for _, u := range n.Uplinks {
		if u.VLAN == 0 {
			return false
		}
	}
	return true
}

// parent is what the network's frames come from: a bond, or a NIC.
func (n Network) parent() string {
	if n.tagged() {
		return BondName(n.VNI)
	}
	for _, u := range n.Uplinks {
		if u.VLAN == 0 {
			return u.NIC
		}
	}
	return ""
}

// Parent is the device that a pod is attached to.
func (n Network) Parent() string {
	if n.Bridge {
		return BridgeName(n.VNI)
	}
	return n.parent()
}

// BondName is that of a network's bond.
func BondName(vni int32) string { return fmt.Sprintf("swl%d", vni) }

// BridgeName is that of a network's bridge.
func BridgeName(vni int32) string { return fmt.Sprintf("swr%d", vni) }

// VNI of the network that a bond or bridge is for, by its name; ok is false for
// another device.
func VNI(name string) (vni int32, ok bool) {
	if !names.MatchString(name) {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimLeft(name, "swlr"), 10, 24)
	return int32(n), err == nil
}

// names are those of devices that may be the agent's.
var names = regexp.MustCompile(`^sw[lr][0-9]+(-[0-9]+)?$`)

// ours reports whether the agent has made a device. One without an alias was being
// made when the agent was killed.
func (d Device) ours() bool {
	if d.Kind != VLAN && d.Kind != Bond && d.Kind != Bridge || !names.MatchString(d.Name) {
		return false
	}
	return d.Alias == "" || strings.HasPrefix(d.Alias, Alias)
}
