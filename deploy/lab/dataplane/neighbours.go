package dataplane

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// indices are those of all links, by name.
func (k *kernel) indices() (map[string]int, error) {
	links, err := k.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	all := map[string]int{}
	for _, link := range links {
		all[link.Attrs().Name] = link.Attrs().Index
	}
	return all, nil
}

// routers are those that the kernel has, with all that they need.
func (k *kernel) routers(transits map[string]transit, indices map[string]int) (routers, error) {
	stations, err1 := k.NeighList(0, unix.AF_BRIDGE)
	neighbours, err2 := k.NeighList(0, unix.AF_UNSPEC)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("list neighbours: %w", err)
	}
	type place struct {
		index, vlan int
		mac         string
	}
	at := map[place]bool{}
	for _, n := range stations {
		at[place{n.LinkIndex, n.Vlan, n.HardwareAddr.String()}] = true
	}
	names := map[int]string{}
	for name := range transits {
		names[indices[name]] = name
	}
	found := routers{}
	for _, n := range neighbours {
		name, ours := names[n.LinkIndex]
		address, ok := netip.AddrFromSlice(n.IP)
		if !ours || !ok || n.Flags&unix.NTF_EXT_LEARNED == 0 {
			continue
		}
		tunnel, mac := indices[transits[name].tunnel], n.HardwareAddr.String()
		if at[place{tunnel, transits[name].vlan, mac}] && at[place{tunnel, 0, mac}] {
			found[router{name, address}] = mac
		}
	}
	return found, nil
}

// usedRouters are the next hops of routes by interfaces of L3 VNIs.
func (k *kernel) usedRouters(transits map[string]transit, indices map[string]int) (map[router]bool, error) {
	names := map[int]string{}
	for name := range transits {
		names[indices[name]] = name
	}
	used := map[router]bool{}
	note := func(index int, gateway net.IP) {
		if address, ok := netip.AddrFromSlice(gateway); ok && names[index] != "" {
			used[router{names[index], address}] = true
		}
	}
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		routes, err := k.RouteListFiltered(family, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
		if err != nil {
			return nil, fmt.Errorf("list routes: %w", err)
		}
		for _, r := range routes {
			note(r.LinkIndex, sized(r.Gw, family))
			for _, hop := range r.MultiPath {
				note(hop.LinkIndex, sized(hop.Gw, family))
			}
		}
	}
	return used, nil
}

// sized is an address in the length of its family, which the library does not keep.
func sized(ip net.IP, family int) net.IP {
	if family == unix.AF_INET {
		return ip.To4()
	}
	return ip.To16()
}

// setRouter puts a router's MAC address to where FRR has it, or takes it away.
func (k *kernel) setRouter(indices map[string]int, t transit, r router, mac string, there bool) error {
	hardware, err := net.ParseMAC(mac)
	if err != nil {
		return err
	}
	family := unix.AF_INET
	if r.address.Is6() {
		family = unix.AF_INET6
	}
	vlan := nl.NewRtAttr(netlink.NDA_VLAN, nl.Uint16Attr(uint16(t.vlan)))
	vtep := nl.NewRtAttr(netlink.NDA_DST, r.address.Unmap().AsSlice())
	next := nl.NewRtAttr(netlink.NDA_DST, r.address.AsSlice())
	var problems []error
	for _, entry := range []struct {
		index, family int
		state         uint16
		flags         uint8
		more          *nl.RtAttr
	}{
		{indices[t.tunnel], unix.AF_BRIDGE, unix.NUD_REACHABLE, unix.NTF_MASTER, vlan},
		{indices[t.tunnel], unix.AF_BRIDGE, unix.NUD_REACHABLE, unix.NTF_SELF, vtep},
		{indices[r.device], family, unix.NUD_NOARP, 0, next},
	} {
		request := nl.NewNetlinkRequest(unix.RTM_DELNEIGH, unix.NLM_F_ACK)
		if there {
			request = nl.NewNetlinkRequest(unix.RTM_NEWNEIGH, unix.NLM_F_CREATE|unix.NLM_F_REPLACE|unix.NLM_F_ACK)
		}
		request.AddData(&netlink.Ndmsg{
			Family: uint8(entry.family), Index: uint32(entry.index), State: entry.state, Flags: entry.flags | unix.NTF_EXT_LEARNED,
		})
		request.AddData(nl.NewRtAttr(netlink.NDA_LLADDR, hardware))
		request.AddData(entry.more)
		if _, err := k.execute(request); err != nil && (there || !errors.Is(err, unix.ENOENT)) {
			problems = append(problems, fmt.Errorf("MAC address %s of %v on %s: %w", mac, r.address, r.device, err))
		}
	}
	return errors.Join(problems...)
}
