package mark

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// Hops is the TTL or hop limit of everything that is sent: what has fewer was routed.
const Hops = 64

func serialize(what string, list ...gopacket.SerializableLayer) ([]byte, error) {
	buffer := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, list...); err != nil {
		return nil, fmt.Errorf("build %s: %w", what, err)
	}
	return buffer.Bytes(), nil
}

func broadcast() net.HardwareAddr { return net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff} }

// Announcement is a frame by which everyone in a broadcast domain learns where an
// address is: a gratuitous ARP (RFC 5227, §3) or an unsolicited neighbour
// advertisement (RFC 4861, §7.2.6).
func Announcement(mac net.HardwareAddr, address netip.Addr) ([]byte, error) {
	if address.Is4() {
		return serialize("a gratuitous ARP",
			&layers.Ethernet{SrcMAC: mac, DstMAC: broadcast(), EthernetType: layers.EthernetTypeARP},
			&layers.ARP{
				AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4, Operation: layers.ARPRequest,
				SourceHwAddress: mac, SourceProtAddress: address.AsSlice(), DstHwAddress: make([]byte, 6), DstProtAddress: address.AsSlice(),
			})
	}
	all := netip.IPv6LinkLocalAllNodes()
	packet := &layers.IPv6{Version: 6, HopLimit: 255, NextHeader: layers.IPProtocolICMPv6, SrcIP: address.AsSlice(), DstIP: all.AsSlice()}
	header := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(layers.ICMPv6TypeNeighborAdvertisement, 0)}
	if err := header.SetNetworkLayerForChecksum(packet); err != nil {
		return nil, err
	}
	const override = 0x20
	return serialize("a neighbour advertisement",
		&layers.Ethernet{SrcMAC: mac, DstMAC: net.HardwareAddr{0x33, 0x33, 0, 0, 0, 1}, EthernetType: layers.EthernetTypeIPv6},
		packet, header,
		&layers.ICMPv6NeighborAdvertisement{Flags: override, TargetAddress: address.AsSlice(),
			Options: layers.ICMPv6Options{{Type: layers.ICMPv6OptTargetAddress, Data: mac}}})
}

// Ends are both ends of a frame.
type Ends struct {
	MAC     net.HardwareAddr
	Address netip.Addr
}

// Datagram is a frame with a UDP datagram over IPv4 or IPv6 whose payload is a mark,
// and where in the frame that is: it may be written over, as the checksum of UDP is
// left out. Over IPv6 that is wrong (RFC 8200, §8.1), but no switch looks at it.
func Datagram(from, to Ends, port uint16, m Mark) (frame []byte, at int, err error) {
	ether := &layers.Ethernet{SrcMAC: from.MAC, DstMAC: to.MAC, EthernetType: layers.EthernetTypeIPv4}
	udp := &layers.UDP{SrcPort: layers.UDPPort(port), DstPort: layers.UDPPort(port)}
	var packet gopacket.SerializableLayer
	if from.Address.Is4() {
		packet = &layers.IPv4{Version: 4, TTL: Hops, Flags: layers.IPv4DontFragment, Protocol: layers.IPProtocolUDP, SrcIP: from.Address.AsSlice(), DstIP: to.Address.AsSlice()}
	} else {
		ether.EthernetType = layers.EthernetTypeIPv6
		packet = &layers.IPv6{Version: 6, HopLimit: Hops, NextHeader: layers.IPProtocolUDP, SrcIP: from.Address.AsSlice(), DstIP: to.Address.AsSlice()}
	}
	payload := m.Message()
	udp.Length = uint16(transport + len(payload))
	below := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(below, gopacket.SerializeOptions{}, udp, gopacket.Payload(payload)); err != nil {
		return nil, 0, fmt.Errorf("build a datagram: %w", err)
	}
	frame, err = serialize("a datagram", ether, packet, gopacket.Payload(below.Bytes()))
	return frame, len(frame) - len(payload), err
}
