package journal

import (
	"net/netip"
	"time"

	"github.com/switchlet/switchlet/cni/host/request"
)

// Attachment is one interface of one pod.
type Attachment struct {
	request.Key
	// Network is the name of the network configuration.
	Network string      `json:"network,omitempty"`
	Pod     request.Pod `json:"pod"`
	// VNI of the subnet, whose name for people is Subnet.
	VNI    int32        `json:"vni"`
	Subnet string       `json:"subnet,omitempty"`
	Mode   request.Mode `json:"mode"`
	// Netns is the path of the pod's network namespace, and NetnsInode which one it
	// was when the interface was made.
	Netns      string `json:"netns"`
	NetnsInode uint64 `json:"netnsInode,omitempty"`
	// Seen: the agent itself could open that path.
	Seen bool `json:"seen,omitempty"`
	// Boot is which start of the kernel it was.
	Boot string `json:"boot,omitempty"`
	MAC  string `json:"mac,omitempty"`
	MTU  int    `json:"mtu,omitempty"`
	// Addresses with the length of the subnet's prefix, and the subnets' gateways;
	// one that there is none of is invalid.
	Addresses []netip.Prefix `json:"addresses,omitempty"`
	Gateways  []netip.Addr   `json:"gateways,omitempty"`
	// IPv6: the network has addresses of that family.
	IPv6 bool `json:"ipv6,omitempty"`
	// DefaultRoute: the pod's leads through the interface. Its other routes follow
	// the network.
	DefaultRoute bool `json:"defaultRoute,omitempty"`
	// Parent is what the interface is attached to. In mode sriov Device is the
	// virtual function, DeviceLink what its interface is called on the host, and VLAN
	// its tag.
	Parent     string    `json:"parent,omitempty"`
	Device     string    `json:"device,omitempty"`
	DeviceLink string    `json:"deviceLink,omitempty"`
	VLAN       int       `json:"vlan,omitempty"`
	Made       time.Time `json:"made"`
}

// record is a line of the file: one of its fields is set.
type record struct {
	// Add is a new attachment.
	Add *Attachment `json:"add,omitempty"`
	// Remove is one that is gone, At when it went.
	Remove *request.Key `json:"remove,omitempty"`
	// Free is an address that was released At some time.
	Free netip.Addr `json:"free,omitzero"`
	VNI  int32      `json:"vni,omitempty"`
	At   int64      `json:"at,omitempty"` // seconds since 1970
}
