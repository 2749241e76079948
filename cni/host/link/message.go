package link

import (
	"fmt"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/cni/host/request"
)

// device is a message about a device that is there, or with index 0 a new one.
func device(index int, up bool, flags int) *nl.NetlinkRequest {
	m := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK|flags)
	info := nl.NewIfInfomsg(unix.AF_UNSPEC)
	info.Index = int32(index)
	if up {
		info.Flags, info.Change = unix.IFF_UP, unix.IFF_UP
	}
	m.AddData(info)
	return m
}

// attributes of a new device in another network namespace than that of the request.
func attributes(i Interface, mtu int, ns *os.File) []*nl.RtAttr {
	return []*nl.RtAttr{
		nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(i.IfName)), nl.NewRtAttr(unix.IFLA_MTU, nl.Uint32Attr(uint32(mtu))),
		nl.NewRtAttr(unix.IFLA_ADDRESS, i.MAC), nl.NewRtAttr(unix.IFLA_NET_NS_FD, nl.Uint32Attr(uint32(ns.Fd()))),
	}
}

// created is an interface in the pod on, or in, a device of the host.
func created(i Interface, parent, mtu int, ns *os.File) change {
	up := i.Mode == request.Bridge // the host's end of the pair is
	m := device(0, up, unix.NLM_F_CREATE|unix.NLM_F_EXCL)
	on := uint16(unix.IFLA_LINK)
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	if i.Mode == request.Bridge {
		on = unix.IFLA_MASTER
		m.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(HostName(i.Key))))
		m.AddData(nl.NewRtAttr(unix.IFLA_MTU, nl.Uint32Attr(uint32(mtu))))
		info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("veth"))
		peer := info.AddRtAttr(nl.IFLA_INFO_DATA, nil).AddRtAttr(nl.VETH_INFO_PEER, nil)
		nl.NewIfInfomsgChild(peer, unix.AF_UNSPEC)
		for _, a := range attributes(i, mtu, ns) {
			peer.AddChild(a)
		}
	} else {
		for _, a := range attributes(i, mtu, ns) {
			m.AddData(a)
		}
		info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("macvlan"))
		info.AddRtAttr(nl.IFLA_INFO_DATA, nil).AddRtAttr(nl.IFLA_MACVLAN_MODE, nl.Uint32Attr(nl.MACVLAN_MODE_BRIDGE))
	}
	m.AddData(nl.NewRtAttr(int(on), nl.Uint32Attr(uint32(parent))))
	m.AddData(info)
	return change{what: "make it", message: m}
}

// named gives a device, which is down, another name.
func named(index int, name string) change {
	m := device(index, false, 0)
	m.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)))
	return change{what: "call it " + name, message: m}
}

// deleted takes a device away.
func deleted(index int) change {
	m := nl.NewNetlinkRequest(unix.RTM_DELLINK, unix.NLM_F_ACK)
	info := nl.NewIfInfomsg(unix.AF_UNSPEC)
	info.Index = int32(index)
	m.AddData(info)
	return change{what: "take it away again", message: m}
}

const (
	// inetConf is the attribute with a device's variables (Linux, if_link.h:
	// IFLA_INET_CONF).
	inetConf = 1
	// arpNotify is the one of them that has IPv4 addresses announced when the device
	// comes up (ip.h: IPV4_DEVCONF_ARP_NOTIFY).
	arpNotify = 22
)

// complete is what gives an interface what it lacks, and switches it on. An address
// is never tentative: the pod can speak from it at once.
func complete(index int, i Interface) []change {
	tuned := device(index, false, 0)
	families := nl.NewRtAttr(unix.IFLA_AF_SPEC, nil)
	families.AddRtAttr(unix.AF_INET, nil).AddRtAttr(inetConf, nil).AddRtAttr(arpNotify, nl.Uint32Attr(1))
	tuned.AddData(families)
	all := []change{{what: "arp_notify", message: tuned}}
	for _, a := range i.Addresses {
		all = append(all, change{"address " + a.String(), address(index, a), unix.EEXIST})
	}
	on := device(index, true, 0)
	what := "switch it on"
	if i.Alias != "" {
		on.AddData(nl.NewRtAttr(unix.IFLA_IFALIAS, []byte(i.Alias)))
		what += fmt.Sprintf(" with alias %q", i.Alias)
	}
	return append(all, change{what: what, message: on})
}

func address(index int, a netip.Prefix) *nl.NetlinkRequest {
	m := nl.NewNetlinkRequest(unix.RTM_NEWADDR, unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_EXCL)
	info := nl.NewIfAddrmsg(family(a.Addr()))
	info.Index, info.Prefixlen, info.Flags = uint32(index), uint8(a.Bits()), unix.IFA_F_NODAD
	ip := a.Addr().AsSlice()
	m.AddData(info)
	m.AddData(nl.NewRtAttr(unix.IFA_LOCAL, ip))
	m.AddData(nl.NewRtAttr(unix.IFA_ADDRESS, ip))
	if a.Addr().Is4() && a.Bits() < 31 { // RFC 3021: two addresses have no broadcast
		last := a.Masked().Addr().As4()
		for bit := a.Bits(); bit < 32; bit++ {
			last[bit/8] |= 0x80 >> (bit % 8)
		}
		m.AddData(nl.NewRtAttr(unix.IFA_BROADCAST, last[:]))
	}
	return m
}

func family(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// led is what gives a new interface its routes, but for the default one, and takes
// away those to its own subnets that another interface of the agent has: the kernel
// would prefer them, as the older ones.
func led(index int, i Interface) []change {
	var all []change
	for _, a := range i.Addresses {
		m := routing(unix.RTM_DELROUTE, unix.NLM_F_ACK, unix.RT_SCOPE_NOWHERE, a.Masked())
		all = append(all, change{fmt.Sprintf("delete the route to %s by another interface", a.Masked()), m, unix.ESRCH})
	}
	for _, r := range i.Routes {
		if !r.isDefault() {
			all = append(all, change{what: r.String(), message: way(index, r, unix.NLM_F_EXCL)})
		}
	}
	return all
}

// claimed makes an interface the one with the pod's default route, in place of
// another, which the cluster's own network has given it.
func claimed(index int, i Interface) []change {
	var all []change
	for _, r := range i.Routes {
		if r.isDefault() {
			all = append(all, change{what: r.String(), message: way(index, r, unix.NLM_F_REPLACE)})
		}
	}
	return all
}

// way is a route by a device.
func way(index int, r Route, flags int) *nl.NetlinkRequest {
	m := routing(unix.RTM_NEWROUTE, unix.NLM_F_ACK|unix.NLM_F_CREATE|flags, unix.RT_SCOPE_UNIVERSE, r.To)
	m.AddData(nl.NewRtAttr(unix.RTA_GATEWAY, r.Via.AsSlice()))
	m.AddData(nl.NewRtAttr(unix.RTA_OIF, nl.Uint32Attr(uint32(index))))
	return m
}

// routing is a message about a route of the agent.
func routing(kind, flags int, scope uint8, to netip.Prefix) *nl.NetlinkRequest {
	m := nl.NewNetlinkRequest(kind, flags)
	m.AddData(&nl.RtMsg{RtMsg: unix.RtMsg{
		Family: uint8(family(to.Addr())), Dst_len: uint8(to.Bits()), Table: unix.RT_TABLE_MAIN,
		Protocol: uint8(protocol), Scope: scope, Type: unix.RTN_UNICAST,
	}})
	m.AddData(nl.NewRtAttr(unix.RTA_DST, to.Addr().AsSlice()))
	return m
}
