package dataplane

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// picture is what there is in the namespace.
type picture struct {
	devices Devices
	links   map[string]netlink.Link // by name, also those of no concern
	names   map[int]string          // by index
}

// look reads the devices that SONiC's daemons make, and the ports.
func (k *kernel) look() (*picture, error) {
	links, err := k.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	p := &picture{Devices{}, map[string]netlink.Link{}, map[int]string{}}
	for _, link := range links {
		p.links[link.Attrs().Name], p.names[link.Attrs().Index] = link, link.Attrs().Name
	}
	for name, link := range p.links {
		if d, ok := p.device(name, link); ok {
			p.devices[name] = d
		}
	}
	return p, errors.Join(k.lookAtBridge(p), k.lookAtAddresses(p), lookAtSettings(p))
}

// device is a link as a device; false if it is none of SONiC's.
func (p *picture) device(name string, link netlink.Link) (Device, bool) {
	attrs := link.Attrs()
	d := Device{Up: attrs.RawFlags&unix.IFF_UP != 0, MTU: attrs.MTU, MAC: attrs.HardwareAddr.String(), Master: p.names[attrs.MasterIndex]}
	switch link := link.(type) {
	case *netlink.Bridge:
		d.Kind = Bridge
		return d, name == bridge
	case *netlink.Vlan:
		d.Kind, d.ID = VLAN, link.VlanId
		return d, p.names[attrs.ParentIndex] == bridge
	case *netlink.Vrf:
		d.Kind, d.ID, d.MAC, d.MTU = VRF, int(link.Table), "", 0
		return d, name != "mgmt"
	case *netlink.Vxlan:
		d.Kind, d.ID, d.MAC = VXLAN, link.VxlanId, ""
		local, _ := netip.AddrFromSlice(link.SrcAddr)
		d.Local = local.Unmap()
		return d, true
	case *netlink.Dummy:
		d.Kind, d.MAC = Loopback, ""
		return d, strings.HasPrefix(name, "Loopback")
	}
	d.Kind, d.MAC = Port, ""
	return d, strings.HasPrefix(name, portPrefix)
}

func (p *picture) change(name string, change func(*Device)) {
	if d, ok := p.devices[name]; ok {
		change(&d)
		p.devices[name] = d
	}
}

func (k *kernel) lookAtAddresses(p *picture) error {
	all, err := k.AddrList(nil, unix.AF_UNSPEC)
	if err != nil {
		return fmt.Errorf("list addresses: %w", err)
	}
	for _, a := range all {
		address, ok := netip.AddrFromSlice(a.IP)
		bits, _ := a.Mask.Size()
		address = address.Unmap()
		if !ok || address.Is6() && address.IsLinkLocalUnicast() {
			continue
		}
		p.change(p.names[a.LinkIndex], func(d *Device) { d.Addresses = append(d.Addresses, netip.PrefixFrom(address, bits)) })
	}
	for _, d := range p.devices {
		slices.SortFunc(d.Addresses, netip.Prefix.Compare)
	}
	return nil
}

// lookAtSettings reads which devices route and glean.
func lookAtSettings(p *picture) error {
	var problems []error
	for name := range p.devices {
		values := map[string]string{}
		for _, file := range []string{"ipv4/conf/" + name + "/forwarding", "ipv6/conf/" + name + "/disable_ipv6", "ipv4/conf/" + name + "/arp_accept"} {
			value, err := read(file)
			if err != nil {
				problems = append(problems, err)
			}
			values[file[strings.LastIndexByte(file, '/')+1:]] = value
		}
		ipv4, ipv6 := values["forwarding"] == "1", values["disable_ipv6"] == "0"
		p.change(name, func(d *Device) {
			d.Routed, d.halfRouted, d.Gleans = ipv4 && ipv6, ipv4 != ipv6, values["arp_accept"] != "0"
		})
	}
	return errors.Join(problems...)
}
