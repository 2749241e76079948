package plug

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/mark"
)

// macOf is an endpoint's MAC address, the same whenever it is made: locally
// administered, and of nothing else.
func macOf(e *matrix.Endpoint) net.HardwareAddr {
	id := uint64(e.ID())
	return net.HardwareAddr{0x52, 0x54, 0x02, byte(id >> 16), byte(id >> 8), byte(id)}
}

// settings of links that are made later: addresses are there at once, and nobody but
// us configures them.
func (r *Room) settings() error {
	return r.Do(func() error {
		var failed []error
		for _, name := range []string{"accept_dad", "accept_ra", "autoconf"} {
			failed = append(failed, os.WriteFile("/proc/sys/net/ipv6/conf/default/"+name, []byte("0"), 0))
		}
		return errors.Join(failed...)
	})
}

// link makes the link of the host's NIC, in the endpoint's namespace.
func (r *Room) link() error {
	e := &r.Endpoint
	there, err := netns.GetFromPath(e.Namespace)
	if err != nil {
		return fmt.Errorf("network namespace of %s: %w", e.Host, err)
	}
	defer there.Close()
	host, err := netlink.NewHandleAt(there)
	if err != nil {
		return fmt.Errorf("network namespace of %s: %w", e.Host, err)
	}
	defer host.Close()
	names := r.wires()
	for i, wire := range e.Wires() {
		if err := r.wire(host, wire, names[i]); err != nil {
			return err
		}
	}
	if len(names) > 1 {
		return r.bond(names)
	}
	return nil
}

// wire makes the link of one of the host's NICs.
func (r *Room) wire(host *netlink.Handle, wire matrix.Wire, name string) error {
	e := &r.Endpoint
	nic, err := host.LinkByName(wire.NIC)
	if err != nil {
		return fmt.Errorf("NIC %s of %s: %w", wire.NIC, e.Host, err)
	}
	if e.MTU > nic.Attrs().MTU {
		return fmt.Errorf("mtu %d is more than the %d of NIC %s/%s", e.MTU, nic.Attrs().MTU, e.Host, wire.NIC)
	}
	link, err := r.device(host, nic, wire.VLAN, name)
	if err != nil {
		return err
	}
	if err := host.LinkAdd(link); err != nil {
		return fmt.Errorf("make a %s device of %s/%s: %w%s", link.Type(), e.Host, wire.NIC, err, hint(err, link))
	}
	return nil
}

// device is what is made: a VLAN device of the NIC, or a macvlan device of the NIC or
// of the VLAN device that the host has already, as a NIC has only one for each VLAN. One
// that the host has in a bond takes nothing by itself: there the bond is what pods have,
// and the endpoint too. Those of a device reach each other as pods do.
func (r *Room) device(host *netlink.Handle, nic netlink.Link, tag int, name string) (netlink.Link, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex, attrs.MTU, attrs.HardwareAddr = name, nic.Attrs().Index, r.Endpoint.MTU, r.MAC
	attrs.Namespace = netlink.NsFd(r.file.Fd())
	if tag == 0 {
		return &netlink.Macvlan{LinkAttrs: attrs, Mode: netlink.MACVLAN_MODE_BRIDGE}, nil
	}
	links, err := host.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list the links of %s: %w", r.Endpoint.Host, err)
	}
	same := func(l netlink.Link) bool {
		vlan, ok := l.(*netlink.Vlan)
		return ok && vlan.ParentIndex == nic.Attrs().Index && vlan.VlanId == tag
	}
	if i := slices.IndexFunc(links, same); i >= 0 {
		attrs.ParentIndex = cmp.Or(links[i].Attrs().MasterIndex, links[i].Attrs().Index)
		return &netlink.Macvlan{LinkAttrs: attrs, Mode: netlink.MACVLAN_MODE_BRIDGE}, nil
	}
	return &netlink.Vlan{LinkAttrs: attrs, VlanId: tag, VlanProtocol: netlink.VLAN_PROTOCOL_8021Q}, nil
}

// hint is what to do about an error.
func hint(err error, link netlink.Link) string {
	if errors.Is(err, unix.EOPNOTSUPP) {
		return ": this kernel has no " + link.Type() + " devices"
	}
	return ""
}

// address gives the link its addresses, switches it on and sets the default routes.
func (r *Room) address() error {
	return r.with(func(h *netlink.Handle) error {
		link, err := h.LinkByName(Link)
		if err != nil {
			return err
		}
		r.Index = link.Attrs().Index
		if lo, err := h.LinkByName("lo"); err != nil {
			return err
		} else if err := h.LinkSetUp(lo); err != nil {
			return fmt.Errorf("switch lo on: %w", err)
		}
		for _, a := range r.Endpoint.Addresses {
			address := &netlink.Addr{IPNet: ipNet(a), Flags: unix.IFA_F_NODAD}
			if err := h.AddrAdd(link, address); err != nil {
				return fmt.Errorf("add address %s: %w", a, err)
			}
		}
		if err := h.LinkSetUp(link); err != nil {
			return fmt.Errorf("switch the link on (is %s on?): %w", r.Endpoint.Place(), err)
		}
		for _, gateway := range r.Endpoint.Gateways {
			if err := h.RouteAdd(&netlink.Route{LinkIndex: r.Index, Gw: gateway.AsSlice()}); err != nil {
				return fmt.Errorf("add a default route through %s: %w", gateway, err)
			}
		}
		return nil
	})
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// announce tells the broadcast domain where the endpoint's addresses are.
func (r *Room) announce() error {
	var fd int
	err := r.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0) // to send only
		return err
	})
	if err != nil {
		return fmt.Errorf("open a packet socket: %w", err)
	}
	defer unix.Close(fd)
	for _, a := range r.Endpoint.Addresses {
		frame, err := mark.Announcement(r.MAC, a.Addr())
		if err != nil {
			return err
		}
		err = unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: r.Index})
		if err != nil && !errors.Is(err, unix.ENETDOWN) && !errors.Is(err, unix.ENOBUFS) { // a NIC without a cable
			return fmt.Errorf("announce %s: %w", a.Addr(), err)
		}
	}
	return nil
}
