package meta

import (
	"fmt"
	"net"
	"slices"

	types100 "github.com/containernetworking/cni/pkg/types/100"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// inside opens the kernel's side of a pod's network.
func inside(c Call) (*netlink.Handle, error) {
	ns, err := netns.GetFromPath(c.Netns)
	if err != nil {
		return nil, fmt.Errorf("network namespace %s: %w", c.Netns, err)
	}
	defer ns.Close()
	return netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
}

// isTrue checks that a pod has what a result says: the interface, its MAC address,
// up, with each address, and each route.
func isTrue(c Call, r *types100.Result, s Status) error {
	pod, err := inside(c)
	if err != nil {
		return err
	}
	defer pod.Close()
	l, err := pod.LinkByName(s.Interface)
	if err != nil {
		return fmt.Errorf("network %q: interface %s: %w", s.Name, s.Interface, err)
	}
	if l.Attrs().HardwareAddr.String() != s.MAC || l.Attrs().Flags&net.FlagUp == 0 {
		return fmt.Errorf("network %q: interface %s has MAC address %s and flags %s, its result says %s", s.Name, s.Interface, l.Attrs().HardwareAddr, l.Attrs().Flags, s.MAC)
	}
	addresses, err := pod.AddrList(l, netlink.FAMILY_ALL)
	if err != nil {
		return err
	}
	for _, ip := range r.IPs {
		if !slices.ContainsFunc(addresses, func(a netlink.Addr) bool { return a.IPNet.String() == ip.Address.String() }) {
			return fmt.Errorf("network %q: interface %s lacks address %s", s.Name, s.Interface, ip.Address.String())
		}
	}
	have, err := pod.RouteList(l, netlink.FAMILY_ALL)
	if err != nil {
		return err
	}
	for _, route := range r.Routes {
		same := func(h netlink.Route) bool { return h.Dst.String() == route.Dst.String() && h.Gw.Equal(route.GW) }
		if !slices.ContainsFunc(have, same) {
			return fmt.Errorf("network %q: interface %s lacks the route to %s by %s", s.Name, s.Interface, route.Dst.String(), route.GW)
		}
	}
	return nil
}

// setDefault moves the pod's default route to the gateways that its annotation asks
// for: any other one is deleted first.
func setDefault(c Call, d delegate) error {
	if len(d.Gateways) == 0 {
		return nil
	}
	pod, err := inside(c)
	if err != nil {
		return err
	}
	defer pod.Close()
	l, err := pod.LinkByName(d.IfName)
	if err != nil {
		return err
	}
	all, err := pod.RouteList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return err
	}
	for _, r := range all {
		if bits, _ := r.Dst.Mask.Size(); bits == 0 {
			if err := pod.RouteDel(&r); err != nil {
				return fmt.Errorf("delete the default route: %w", err)
			}
		}
	}
	for _, text := range d.Gateways {
		gateway := net.ParseIP(text)
		to := &net.IPNet{IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)}
		if gateway.To4() != nil {
			to = &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}
		}
		if err := pod.RouteAdd(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: to, Gw: gateway}); err != nil {
			return fmt.Errorf("default route by %s: %w", text, err)
		}
	}
	return nil
}

// Up switches an interface of a pod on.
func Up(c Call, name string) error {
	pod, err := inside(c)
	if err != nil {
		return err
	}
	defer pod.Close()
	l, err := pod.LinkByName(name)
	if err != nil {
		return err
	}
	return pod.LinkSetUp(l)
}
