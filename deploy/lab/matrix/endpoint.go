// Package matrix says who may reach whom in a fabric and shows where what was
// seen differs from it. It only computes: plug makes the endpoints, probe and
// watch send packets between them, serve is how others ask for that.
package matrix

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
)

// Endpoint is a place in the fabric from which a subnet can be tried: a NIC of a
// host that the subnet was brought to, or a pod's interface.
type Endpoint struct {
	// Host by its name, and its NIC.
	Host string `json:"host"`
	NIC  string `json:"nic"`
	// Pod as namespace/name if the endpoint is that pod, of which NIC is an interface.
	// Its addresses are those that it has, and it has no VLAN: its host sees to that.
	Pod string `json:"pod,omitempty"`
	// Namespace is the path of the host's or the pod's network namespace, as whoever
	// makes the endpoint sees it, such as /proc/42/ns/net; they may know it by the name
	// of the host, and of the pod.
	Namespace string `json:"namespace,omitempty"`
	// VPC as namespace/name, and its subnet.
	VPC    string `json:"vpc"`
	Subnet string `json:"subnet"`
	// VLAN is the tag of frames on the wire, 0 for none.
	VLAN int `json:"vlan,omitempty"`
	// Second is another NIC by which the endpoint goes on when the first one has no
	// carrier, as a bond in mode active-backup does; zero for none.
	Second Wire `json:"second,omitzero"`
	// Switch and Port that the NIC is cabled to; for people only.
	Switch string `json:"switch,omitempty"`
	Port   string `json:"port,omitempty"`
	// Addresses in the subnet's networks, at most one of each family.
	Addresses []netip.Prefix `json:"addresses"`
	// Gateways to other subnets, at most one of each family.
	Gateways []netip.Addr `json:"gateways,omitempty"`
	// Isolated: nothing may leave the subnet or come into it.
	Isolated bool `json:"isolated,omitempty"`
	// MTU of the endpoint's link in bytes, without Ethernet's header; 0 for that of the
	// pod's interface.
	MTU int `json:"mtu"`
}

// Wire is a NIC and the tag of frames on it, 0 for none.
type Wire struct {
	NIC  string `json:"nic"`
	VLAN int    `json:"vlan,omitempty"`
}

// Wires are the NICs that the endpoint is at.
func (e *Endpoint) Wires() []Wire {
	wires := []Wire{{e.NIC, e.VLAN}}
	if e.Second.NIC != "" {
		wires = append(wires, e.Second)
	}
	return wires
}

// ID tells endpoints apart, in packets too. It follows from host, NIC, VPC and
// subnet: a NIC that is brought to another VPC is another endpoint, and so is a pod.
type ID uint64

// ID of the endpoint.
func (e *Endpoint) ID() ID {
	words := []string{e.Host, e.NIC, e.VPC, e.Subnet}
	if e.Pod != "" {
		words = append(words, e.Pod)
	}
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return ID(binary.BigEndian.Uint64(sum[:]))
}

// String is 16 hexadecimal digits.
func (id ID) String() string { return fmt.Sprintf("%016x", uint64(id)) }

// MarshalText is String.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what String writes.
func (id *ID) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 16, 64)
	if err != nil {
		return fmt.Errorf("endpoint id %q: %w", text, err)
	}
	*id = ID(n)
	return nil
}

// String is such as "host1/eth1 tenant-a/blue/web".
func (e *Endpoint) String() string { return e.Place() + " " + e.Segment() }

// Place is such as "host1/eth1", or "host1/tenant-a/web/eth0" of a pod.
func (e *Endpoint) Place() string {
	if e.Pod != "" {
		return e.Host + "/" + e.Pod + "/" + e.NIC
	}
	return e.Host + "/" + e.NIC
}

// Segment is the broadcast domain, such as "tenant-a/blue/web".
func (e *Endpoint) Segment() string { return e.VPC + "/" + e.Subnet }

// Address of a family; false if the endpoint has none.
func (e *Endpoint) Address(v6 bool) (netip.Addr, bool) {
	for _, p := range e.Addresses {
		if p.Addr().Is6() == v6 {
			return p.Addr(), true
		}
	}
	return netip.Addr{}, false
}

// Compare orders endpoints as a person would: by VPC, subnet, host, pod and NIC.
func (e *Endpoint) Compare(other *Endpoint) int {
	return cmp.Or(cmp.Compare(e.VPC, other.VPC), cmp.Compare(e.Subnet, other.Subnet),
		cabling.CompareNames(e.Host, other.Host), cabling.CompareNames(e.Pod, other.Pod), cabling.CompareNames(e.NIC, other.NIC))
}

// The bounds of an endpoint's link: IPv6 needs the smaller (RFC 8200, §5), the
// larger is what a switch's port can have in SONiC (sonic-port.yang).
const minMTU, maxMTU = 1280, 9216

// Check says what is wrong with an endpoint, which comes from elsewhere.
func (e *Endpoint) Check() error {
	var wrong []error
	for _, field := range [][2]string{{"host", e.Host}, {"nic", e.NIC}, {"namespace", e.Namespace}, {"vpc", e.VPC}, {"subnet", e.Subnet}} {
		if field[1] == "" {
			wrong = append(wrong, fmt.Errorf("%s is empty", field[0]))
		}
	}
	for _, w := range e.Wires() {
		if w.VLAN < 0 || w.VLAN > 4094 {
			wrong = append(wrong, fmt.Errorf("vlan %d: it has to be 1 to 4094, or 0 for none", w.VLAN))
		}
	}
	if e.Second.NIC == e.NIC && e.NIC != "" {
		wrong = append(wrong, fmt.Errorf("second %q: it is the first NIC", e.Second.NIC))
	}
	if e.Pod != "" && e.VLAN != 0 {
		wrong = append(wrong, fmt.Errorf("vlan %d: a pod has none", e.VLAN))
	}
	if (e.MTU < minMTU || e.MTU > maxMTU) && (e.Pod == "" || e.MTU != 0) {
		wrong = append(wrong, fmt.Errorf("mtu %d: it has to be %d to %d", e.MTU, minMTU, maxMTU))
	}
	if families(e.Addresses, netip.Prefix.Addr) || len(e.Addresses) == 0 {
		wrong = append(wrong, fmt.Errorf("addresses %v: there have to be one or two valid ones, of different families", e.Addresses))
	}
	if families(e.Gateways, func(a netip.Addr) netip.Addr { return a }) {
		wrong = append(wrong, fmt.Errorf("gateways %v: there may be one of each family", e.Gateways))
	}
	if err := errors.Join(wrong...); err != nil {
		return fmt.Errorf("endpoint %s: %w", e, err)
	}
	return nil
}

// families says whether one is invalid or two are of one family.
func families[T any](list []T, address func(T) netip.Addr) (wrong bool) {
	count := map[bool]int{}
	for _, one := range list {
		a := address(one)
		count[a.Is6()]++
		wrong = wrong || !a.IsValid() || a.Is4In6()
	}
	return wrong || count[false] > 1 || count[true] > 1
}
