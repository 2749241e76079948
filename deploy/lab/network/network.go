// Package network is the management network of a lab: a bridge in the lab's own
// network namespace, on it one veth pair to each node that has one of its own,
// and one to the machine.
//
//	machine              lab                      leaf1
//	swl-… ────── uplink ┐                      ┌ eth0
//	  .254              ├ mgmt (.1, Service) ──┤
//	                    └ leaf1, spine1, host1 ┘
package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// Names of the links.
const (
	// Bridge is in the lab's namespace.
	Bridge = "mgmt"
	// Uplink is the lab's end of the pair to the host.
	Uplink = "uplink"
	// NodeLink is the node's end of the pair to the bridge; on a switch it is
	// SONiC's management port.
	NodeLink = "eth0"
)

// Connect makes a veth pair: one end here, the other in the network namespace
// of a process, with a MAC address if that is not nil.
func Connect(here, there string, pid int, mac net.HardwareAddr) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = here
	pair := &netlink.Veth{LinkAttrs: attrs, PeerName: there, PeerNamespace: netlink.NsPid(pid), PeerHardwareAddr: mac}
	if err := netlink.LinkAdd(pair); err != nil {
		return fmt.Errorf("make the veth pair %s, %s: %w", here, there, err)
	}
	return nil
}

// Remove removes a link here, if there is one, and with it the other end of
// its pair.
func Remove(name string) error {
	link, err := netlink.LinkByName(name)
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find link %s: %w", name, err)
	}
	if err := netlink.LinkDel(link); err != nil && !errors.As(err, new(netlink.LinkNotFoundError)) {
		return fmt.Errorf("remove link %s: %w", name, err)
	}
	return nil
}

// Up gives a link its addresses and switches it on.
func Up(name string, addresses ...netip.Prefix) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find link %s: %w", name, err)
	}
	for _, address := range addresses {
		ip := net.IPNet{IP: address.Addr().AsSlice(), Mask: net.CIDRMask(address.Bits(), address.Addr().BitLen())}
		if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: &ip}); err != nil {
			return fmt.Errorf("give %s the address %s: %w", name, address, err)
		}
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("switch %s on: %w", name, err)
	}
	return nil
}

// MakeBridge makes the bridge with its addresses.
func MakeBridge(addresses ...netip.Prefix) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = Bridge
	if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}); err != nil {
		return fmt.Errorf("make bridge %s: %w", Bridge, err)
	}
	return Up(Bridge, addresses...)
}

// MakeTAP makes a link whose other end is a program's that opens it by its name, such
// as a User-Mode Linux.
func MakeTAP(name string) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	tap := &netlink.Tuntap{LinkAttrs: attrs, Mode: netlink.TUNTAP_MODE_TAP, Flags: netlink.TUNTAP_NO_PI | netlink.TUNTAP_ONE_QUEUE}
	if err := netlink.LinkAdd(tap); err != nil {
		return fmt.Errorf("make TAP %s: %w", name, err)
	}
	return nil
}

// Attach puts a link on the bridge and switches it on.
func Attach(name string) error {
	bridge, err := netlink.LinkByName(Bridge)
	if err != nil {
		return fmt.Errorf("find bridge %s: %w", Bridge, err)
	}
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find link %s: %w", name, err)
	}
	if err := netlink.LinkSetMaster(link, bridge); err != nil {
		return fmt.Errorf("put %s on bridge %s: %w", name, Bridge, err)
	}
	return Up(name)
}
