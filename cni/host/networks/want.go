package networks

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/cni/host/ipam"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/protocol"
)

// Want is what a pod is to get: an address of each subnet. held says who has an
// address already. Addresses that are reserved for the pod, or for its claim, are
// its own, whether it asks for them or not.
func (n *Network) Want(r request.Request, held func(netip.Addr) string) ([]ipam.Subnet, error) {
	wanted := make([]ipam.Subnet, 0, len(n.Subnets))
	for _, s := range n.Subnets {
		wanted = append(wanted, ipam.Subnet{CIDR: s.CIDR, Gateway: s.Gateway, Ranges: s.Ranges, Taboo: maps.Clone(s.Taboo)})
	}
	claimed := false
	for _, own := range n.Reserved {
		if !own.is(r) {
			continue
		}
		claimed = claimed || own.Claim == r.Claim
		if s := containing(wanted, own.Address); !s.Fixed.IsValid() && held(own.Address) == "" && (len(r.IPs) == 0 || slices.Contains(r.IPs, own.Address)) {
			s.Fixed = own.Address
		}
	}
	if r.Claim != "" && !claimed {
		return nil, &protocol.Error{Code: protocol.CodeTryAgain, Message: fmt.Sprintf("no address of network %s is reserved for IPAMClaim %s yet", n.Name(), r.Claim),
			Details: "the controller reserves it; " + n.Describe()}
	}
	for _, ip := range r.IPs {
		if err := n.fix(wanted, ip); err != nil {
			return nil, err
		}
	}
	return wanted, nil
}

func (own Reservation) is(r request.Request) bool {
	if own.Namespace != r.Pod.Namespace {
		return false
	}
	return own.Pod != "" && own.Pod == r.Pod.Name || own.Claim != "" && own.Claim == r.Claim
}

// fix lets a pod have an address that it asks for by itself.
func (n *Network) fix(wanted []ipam.Subnet, ip netip.Addr) error {
	s := containing(wanted, ip)
	if s == nil {
		return &protocol.Error{Code: protocol.CodeInvalidConfig, Message: fmt.Sprintf("the pod asks for address %s, which network %s does not have", ip, n.Name()),
			Details: "ask for one of " + cidrs(wanted)}
	}
	if s.Fixed == ip {
		return nil
	}
	if s.Fixed.IsValid() {
		return &protocol.Error{Code: protocol.CodeInvalidConfig, Message: fmt.Sprintf("the pod asks for the addresses %s and %s, both of %s in network %s", s.Fixed, ip, s.CIDR, n.Name()),
			Details: "ask for one: an interface has one address of each CIDR"}
	}
	local := slices.ContainsFunc(s.Ranges, func(r ipam.Range) bool { return r.Contains(ip) })
	if s.Taboo[ip] || !local || !s.Assignable(ip) {
		return n.notReserved(*s, ip)
	}
	s.Fixed = ip
	return nil
}

// notReserved is the error of an address that a pod may not have, now or ever.
func (n *Network) notReserved(s ipam.Subnet, ip netip.Addr) error {
	if ip == s.Gateway || !s.Assignable(ip) {
		return &protocol.Error{Code: protocol.CodeInvalidConfig, Message: fmt.Sprintf("the pod asks for address %s, which is the gateway or the subnet's own in network %s", ip, n.Name()),
			Details: "ask for another one"}
	}
	for _, other := range n.Reserved {
		if other.Address == ip {
			return &protocol.Error{Code: protocol.CodeTryAgain, Message: fmt.Sprintf("the pod asks for address %s of network %s, which is reserved for %s/%s%s", ip, n.Name(), other.Namespace, other.Pod, other.Claim),
				Details: "ask for another one, or wait until that is gone"}
		}
	}
	return &protocol.Error{Code: protocol.CodeTryAgain, Message: fmt.Sprintf("the pod asks for address %s of network %s, which is not reserved for it yet", ip, n.Name()),
		Details: "the controller reserves it; " + n.Describe()}
}

func containing(all []ipam.Subnet, ip netip.Addr) *ipam.Subnet {
	for i := range all {
		if all[i].CIDR.Contains(ip) {
			return &all[i]
		}
	}
	return nil
}

func cidrs(all []ipam.Subnet) string {
	text := ""
	for _, s := range all {
		text += ", " + s.CIDR.String()
	}
	return strings.TrimPrefix(text, ", ")
}
