package dataplane

import (
	"fmt"
	"net"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// lookAtBridge reads VLANs, learning and the bridge's own MAC addresses.
func (k *kernel) lookAtBridge(p *picture) error {
	if _, ok := p.devices[bridge]; !ok {
		return nil
	}
	request := nl.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
	request.AddData(nl.NewIfInfomsg(unix.AF_BRIDGE))
	request.AddData(nl.NewRtAttr(unix.IFLA_EXT_MASK, nl.Uint32Attr(uint32(nl.RTEXT_FILTER_BRVLAN))))
	messages, err := k.execute(request)
	if err != nil {
		return fmt.Errorf("list ports of the bridge: %w", err)
	}
	for _, message := range messages {
		info := nl.DeserializeIfInfomsg(message)
		attributes, err := nl.ParseRouteAttr(message[info.Len():])
		if err != nil {
			return fmt.Errorf("list ports of the bridge: %w", err)
		}
		p.change(p.names[int(info.Index)], func(d *Device) { err = d.bridged(attributes) })
		if err != nil {
			return fmt.Errorf("port %s of the bridge: %w", p.names[int(info.Index)], err)
		}
	}
	return k.lookAtStations(p)
}

// bridged takes what the kernel says of a port of a bridge.
func (d *Device) bridged(attributes []syscall.NetlinkRouteAttr) error {
	for _, attribute := range attributes {
		kind := attribute.Attr.Type &^ unix.NLA_F_NESTED
		if kind != unix.IFLA_PROTINFO && kind != unix.IFLA_AF_SPEC {
			continue
		}
		inner, err := nl.ParseRouteAttr(attribute.Value)
		if err != nil {
			return err
		}
		for _, a := range inner {
			switch {
			case kind == unix.IFLA_PROTINFO && a.Attr.Type == nl.IFLA_BRPORT_LEARNING:
				d.Learns = a.Value[0] != 0
			case kind == unix.IFLA_AF_SPEC && a.Attr.Type == nl.IFLA_BRIDGE_VLAN_INFO:
				d.takeVLAN(nl.DeserializeBridgeVlanInfo(a.Value))
			}
		}
	}
	return nil
}

func (d *Device) takeVLAN(vlan *nl.BridgeVlanInfo) {
	if d.VLANs == nil {
		d.VLANs = map[int]bool{}
	}
	d.VLANs[int(vlan.Vid)] = vlan.EngressUntag()
}

func (k *kernel) lookAtStations(p *picture) error {
	index := p.links[bridge].Attrs().Index
	all, err := k.NeighList(index, unix.AF_BRIDGE)
	if err != nil {
		return fmt.Errorf("list MAC addresses of the bridge: %w", err)
	}
	stations := map[int]string{}
	for _, n := range all {
		own := n.HardwareAddr.String() == p.devices[bridge].MAC
		if n.LinkIndex == index && n.Vlan != 0 && n.State&netlink.NUD_PERMANENT != 0 && !own {
			stations[n.Vlan] = n.HardwareAddr.String()
		}
	}
	p.change(bridge, func(d *Device) { d.Stations = stations })
	return nil
}

// station is a MAC address of the bridge's own in a VLAN.
func station(index int, s Step) (*netlink.Neigh, error) {
	mac, err := net.ParseMAC(s.MAC)
	return &netlink.Neigh{
		LinkIndex: index, Family: unix.AF_BRIDGE, State: netlink.NUD_PERMANENT, Flags: netlink.NTF_SELF,
		Vlan: s.VLAN, HardwareAddr: mac,
	}, err
}
