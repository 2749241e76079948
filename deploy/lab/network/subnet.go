package network

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// FreeSubnet is the first /24 of 198.18.0.0/15, the range for tests (RFC 2544),
// that overlaps none of the machine's own routes but the default one.
func FreeSubnet() (netip.Prefix, error) {
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{}, 0)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("list the routes: %w", err)
	}
	var taken []netip.Prefix
	for _, route := range routes {
		if route.Dst == nil {
			continue
		}
		ones, _ := route.Dst.Mask.Size()
		if address, ok := netip.AddrFromSlice(route.Dst.IP.To4()); ok && ones > 0 {
			taken = append(taken, netip.PrefixFrom(address, ones))
		}
	}
	return firstFree(taken)
}

// firstFree is the first /24 of 198.18.0.0/15 that overlaps none of the taken.
func firstFree(taken []netip.Prefix) (netip.Prefix, error) {
	for n := range 512 {
		subnet := netip.PrefixFrom(netip.AddrFrom4([4]byte{198, byte(18 + n/256), byte(n), 0}), 24)
		if !overlaps(subnet, taken) {
			return subnet, nil
		}
	}
	return netip.Prefix{}, errors.New("no part of 198.18.0.0/15 is free: the machine has routes into all of it; remove one of at least a /24")
}

func overlaps(subnet netip.Prefix, taken []netip.Prefix) bool {
	for _, prefix := range taken {
		if prefix.Overlaps(subnet) {
			return true
		}
	}
	return false
}

// Plan says who has which address of a lab's subnet.
type Plan struct{ subnet netip.Prefix }

// NewPlan is the plan of an IPv4 /24.
func NewPlan(subnet netip.Prefix) Plan { return Plan{subnet.Masked()} }

// The numbers in the last byte of an address.
const (
	controlPlane = 1
	rack         = 2
	firstNode    = 10
	services     = 192 // to 223
	host         = 254
)

// MaxNodes is how many switches and hosts a lab can have.
const MaxNodes = services - firstNode

func (p Plan) address(last int) netip.Prefix {
	bytes := p.subnet.Addr().As4()
	bytes[3] = byte(last)
	return netip.PrefixFrom(netip.AddrFrom4(bytes), p.subnet.Bits())
}

// ControlPlane is the address of the API server and of the node cp1.
func (p Plan) ControlPlane() netip.Prefix { return p.address(controlPlane) }

// Rack is the address of the User-Mode Linux that the switches and hosts are in, if
// they are in one.
func (p Plan) Rack() netip.Prefix { return p.address(rack) }

// Host is the address of the machine that the lab runs on.
func (p Plan) Host() netip.Prefix { return p.address(host) }

// Node is the address of the nth switch or host, from 0.
func (p Plan) Node(n int) netip.Prefix { return p.address(firstNode + n) }

// Services is the range of the Services' addresses. It is a part of the subnet
// so that pods reach the API server under its Service address, which is an
// address of the bridge, without kube-proxy.
func (p Plan) Services() netip.Prefix {
	return netip.PrefixFrom(p.address(services).Addr(), 27)
}
