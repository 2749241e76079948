// Package networks is what a HostConfig says, ready for use: which networks pods
// on this host may be attached to, and what a pod that asks gets of them. It
// computes only.
package networks

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/ipam"
)

// Network is one subnet of a VPC on this host.
type Network struct {
	VNI        int32
	Owner      v1alpha1.ObjectReference
	Subnet     string
	Namespaces []string
	Master     string // the NIC, or bond, that its pods tie it to; empty: none
	MTU        int    // 0: the NIC's
	// Subnets are its CIDRs with what of them is the host's. Their Taboo and Fixed
	// are those of nobody.
	Subnets []ipam.Subnet
	Uplinks []v1alpha1.HostUplink
	// Routes of its pods: the VPC's other subnets, by the gateway of their family.
	Routes []Route
	// Reserved addresses and whose they are.
	Reserved []Reservation
	Ready    bool
	Message  string
}

// Route is what pods reach through a gateway.
type Route struct {
	To  netip.Prefix
	Via netip.Addr
}

// Reservation is an address that one pod, or claim, is to get.
type Reservation struct {
	Address               netip.Addr
	Namespace, Pod, Claim string
}

// Name of the network for people.
func (n *Network) Name() string {
	return fmt.Sprintf("%s/%s (VNI %d)", n.Owner.NamespacedName(), n.Subnet, n.VNI)
}

// IPv6 reports whether pods get addresses of that family.
func (n *Network) IPv6() bool {
	return slices.ContainsFunc(n.Subnets, func(s ipam.Subnet) bool { return s.CIDR.Addr().Is6() })
}

// Set is all networks of a host. The zero Set is that of a host that has not been
// told of any.
type Set struct {
	// Revision of the spec.
	Revision string
	// Known: there is a spec.
	Known    bool
	networks map[int32]*Network
}

// All networks in rising order of their VNIs. Nobody may change them.
func (s Set) All() []*Network {
	all := make([]*Network, 0, len(s.networks))
	for _, n := range s.networks {
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b *Network) int { return int(a.VNI - b.VNI) })
	return all
}

// Get is a network by its VNI, nil if there is none.
func (s Set) Get(vni int32) *Network { return s.networks[vni] }

// Compile reads a spec. A network that makes no sense is left out, with a problem
// of its owner; the others go on.
func Compile(spec v1alpha1.HostConfigSpec) (Set, []v1alpha1.Problem) {
	set := Set{Revision: spec.Revision, Known: true, networks: map[int32]*Network{}}
	var problems []v1alpha1.Problem
	for _, raw := range spec.Networks {
		n, err := compile(raw)
		if err == nil && set.networks[n.VNI] != nil {
			err = fmt.Errorf("subnet %s of %s has it already", set.networks[n.VNI].Subnet, set.networks[n.VNI].Owner)
		}
		if err != nil {
			problems = append(problems, v1alpha1.Problem{
				Owner: raw.Owner, Reason: ReasonInvalid,
				Message: fmt.Sprintf("HostConfig %s: network with VNI %d: %v", spec.Revision, raw.VNI, err),
			})
			continue
		}
		set.networks[n.VNI] = n
	}
	return set, problems
}

// ReasonInvalid is that of a problem: the spec makes no sense.
const ReasonInvalid = "InvalidSpec"

func compile(raw v1alpha1.HostNetwork) (*Network, error) {
	n := &Network{
		VNI: raw.VNI, Owner: raw.Owner, Subnet: raw.Subnet, Namespaces: raw.Namespaces, Master: raw.Master, MTU: int(raw.MTU),
		Uplinks: raw.Uplinks, Ready: raw.Ready, Message: raw.Message,
	}
	for _, text := range raw.CIDRs {
		cidr, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("cidrs: %w", err)
		}
		n.Subnets = append(n.Subnets, ipam.Subnet{CIDR: cidr.Masked(), Taboo: map[netip.Addr]bool{}})
	}
	for _, text := range raw.Gateways {
		s, a, err := n.place("gateways", text)
		if err != nil {
			return nil, err
		}
		s.Gateway, s.Taboo[a] = a, true
	}
	for _, r := range raw.Slices {
		first, a, err := n.place("slices: first", r.First)
		if err != nil {
			return nil, err
		}
		last, b, err := n.place("slices: last", r.Last)
		if err != nil {
			return nil, err
		}
		if first != last || b.Less(a) {
			return nil, fmt.Errorf("slices: %s is after %s, or in another cidr", r.First, r.Last)
		}
		first.Ranges = append(first.Ranges, ipam.Range{First: a, Last: b})
	}
	for _, text := range raw.Routes {
		if err := n.route(text); err != nil {
			return nil, err
		}
	}
	return n, n.reserve(raw.Reserved)
}

func (n *Network) route(text string) error {
	to, err := netip.ParsePrefix(text)
	if err != nil {
		return fmt.Errorf("routes: %w", err)
	}
	for _, via := range n.gateways() {
		if via.Is4() == to.Addr().Is4() {
			n.Routes = append(n.Routes, Route{to.Masked(), via})
			return nil
		}
	}
	return fmt.Errorf("routes: %s: there is no gateway of its family", to)
}

// gateways of the network, one of each family at most.
func (n *Network) gateways() []netip.Addr {
	var all []netip.Addr
	for _, s := range n.Subnets {
		if s.Gateway.IsValid() {
			all = append(all, s.Gateway)
		}
	}
	return all
}

// Default are the routes to everything, by each gateway.
func (n *Network) Default() []Route {
	var all []Route
	for _, via := range n.gateways() {
		to, _ := via.Prefix(0) // 0 bits are few enough
		all = append(all, Route{to, via})
	}
	return all
}

func (n *Network) reserve(all []v1alpha1.ReservedAddress) error {
	for _, r := range all {
		s, a, err := n.place("reserved", r.Address)
		if err != nil {
			return err
		}
		s.Taboo[a] = true
		n.Reserved = append(n.Reserved, Reservation{a, r.Namespace, r.Pod, r.Claim})
	}
	return nil
}

// place finds the subnet that an address is of. A gateway may be written with the
// length of its prefix.
func (n *Network) place(field, text string) (*ipam.Subnet, netip.Addr, error) {
	text, _, _ = strings.Cut(text, "/")
	a, err := netip.ParseAddr(text)
	if err != nil {
		return nil, netip.Addr{}, fmt.Errorf("%s: %w", field, err)
	}
	for i := range n.Subnets {
		if n.Subnets[i].CIDR.Contains(a) {
			return &n.Subnets[i], a, nil
		}
	}
	return nil, netip.Addr{}, fmt.Errorf("%s: %s is in none of the cidrs", field, a)
}
