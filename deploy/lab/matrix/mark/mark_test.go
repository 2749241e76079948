package mark_test

import (
	"bytes"
	"net"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"golang.org/x/net/bpf"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/mark"
)

func anyMark() *rapid.Generator[mark.Mark] {
	return rapid.Custom(func(t *rapid.T) mark.Mark {
		return mark.Mark{
			Kind: mark.Kind(rapid.Uint32Range(1, 6).Draw(t, "kind")), Run: rapid.Uint32().Draw(t, "run"),
			From: matrix.ID(rapid.Uint64().Draw(t, "from")), To: matrix.ID(rapid.Uint64().Draw(t, "to")),
			Seq: rapid.Uint64().Draw(t, "seq"), Sent: rapid.Int64().Draw(t, "sent"), Length: rapid.Uint32Range(0, 200).Draw(t, "length"),
		}
	})
}

func TestMarkIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMark().Draw(t, "mark")
		b := m.Message()
		if got, ok := mark.Parse(b); !ok || got != m || len(b) != max(mark.Size, int(m.Length)) {
			t.Fatalf("%+v of %d bytes, %v", got, len(b), ok)
		}
		if _, ok := mark.Parse(b[:mark.Size-1]); ok {
			t.Fatal("a mark that is cut off was read")
		}
	})
}

// frame is a datagram with a mark as it comes to a NIC: in IPv4 or IPv6, with any number of
// VLAN tags, in a tunnel or not.
func frame(t *rapid.T, m mark.Mark) (raw []byte, v6, plain bool) {
	a, b := netip.MustParseAddr("10.1.0.5"), netip.MustParseAddr("10.1.1.6")
	if v6 = rapid.Bool().Draw(t, "IPv6"); v6 {
		a, b = netip.MustParseAddr("fd00:1::5"), netip.MustParseAddr("fd00:2::6")
	}
	raw, at, err := mark.Datagram(mark.Ends{MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, Address: a}, mark.Ends{MAC: net.HardwareAddr{2, 0, 0, 0, 0, 2}, Address: b}, 20008, m)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := mark.Parse(raw[at:]); !ok || got != m {
		t.Fatalf("%+v is at %d", got, at)
	}
	tags := rapid.IntRange(0, 2).Draw(t, "tags")
	for range tags {
		raw = append(bytes.Clone(raw[:12]), append([]byte{0x81, 0, 0, 101}, raw[12:]...)...)
	}
	if tags == 0 && rapid.Bool().Draw(t, "tunnel") {
		return tunnel(t, raw), v6, false
	}
	return raw, v6, true
}

// tunnel puts a frame in VXLAN.
func tunnel(t *rapid.T, inner []byte) []byte {
	ip := &layers.IPv4{Version: 4, TTL: 9, Protocol: layers.IPProtocolUDP, SrcIP: net.IP{192, 0, 2, 1}, DstIP: net.IP{192, 0, 2, 2}}
	udp := &layers.UDP{SrcPort: 4789, DstPort: 4789}
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	buffer := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		&layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4}, ip, udp,
		&layers.VXLAN{ValidIDFlag: true, VNI: 10100}, gopacket.Payload(inner))
	if err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// What the kernel lets through is what Find finds, wherever the mark is.
func TestMarkedFramesAreFound(t *testing.T) {
	raw, err := mark.Filter()
	if err != nil {
		t.Fatal(err)
	}
	var program []bpf.Instruction
	for _, i := range raw {
		program = append(program, i.Disassemble())
	}
	kernel, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		m := anyMark().Draw(t, "mark")
		frame, v6, plain := frame(t, m)
		h, ok := mark.Find(frame)
		if !ok || h.Mark != m || h.Bytes != len(frame) {
			t.Fatalf("found %v: %+v", ok, h)
		}
		if plain && (h.TTL != mark.Hops || h.IPv6 != v6) || !plain && h.TTL != 0 {
			t.Fatalf("%+v", h)
		}
		if n, err := kernel.Run(frame); err != nil || n == 0 {
			t.Fatalf("the kernel would not let it through: %v", err)
		}
		frame[bytes.Index(frame, m.Message()[:8])] ^= 1
		if _, ok := mark.Find(frame); ok {
			t.Fatal("found without a magic number")
		}
		if n, err := kernel.Run(frame); err != nil || n != 0 {
			t.Fatalf("the kernel would let it through without a magic number: %v", err)
		}
	})
}

// What others understand of an announcement is where the address is.
func TestAnnouncements(t *testing.T) {
	mac := net.HardwareAddr{0x52, 0x54, 2, 1, 2, 3}
	four, err := mark.Announcement(mac, netip.MustParseAddr("10.1.0.5"))
	if err != nil {
		t.Fatal(err)
	}
	arp, ok := gopacket.NewPacket(four, layers.LayerTypeEthernet, gopacket.Default).Layer(layers.LayerTypeARP).(*layers.ARP)
	if !ok || !bytes.Equal(arp.SourceHwAddress, mac) || !bytes.Equal(arp.SourceProtAddress, []byte{10, 1, 0, 5}) || !bytes.Equal(arp.DstProtAddress, arp.SourceProtAddress) {
		t.Errorf("%+v", arp)
	}
	six, err := mark.Announcement(mac, netip.MustParseAddr("fd00:1::5"))
	if err != nil {
		t.Fatal(err)
	}
	packet := gopacket.NewPacket(six, layers.LayerTypeEthernet, gopacket.Default)
	na, ok := packet.Layer(layers.LayerTypeICMPv6NeighborAdvertisement).(*layers.ICMPv6NeighborAdvertisement)
	if !ok || na.TargetAddress.String() != "fd00:1::5" || len(na.Options) != 1 || !bytes.Equal(na.Options[0].Data, mac) || na.Flags != 0x20 {
		t.Errorf("%+v", na)
	}
	if ip := packet.Layer(layers.LayerTypeIPv6).(*layers.IPv6); ip.HopLimit != 255 || ip.DstIP.String() != "ff02::1" {
		t.Errorf("%+v", ip)
	}
}

// Whatever comes on the wire is looked at without harm.
func FuzzFind(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 14))
	f.Add(append([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0x4f}, make([]byte, 100)...))
	f.Add(bytes.Repeat([]byte{0x81, 0}, 40))
	f.Add(append(make([]byte, 42), mark.Mark{Kind: mark.Flow}.Message()...))
	f.Fuzz(func(t *testing.T, frame []byte) {
		h, ok := mark.Find(frame)
		if ok && (h.Bytes != len(frame) || len(frame) < mark.Size) {
			t.Errorf("%+v in %d bytes", h, len(frame))
		}
		_ = h.Kind.String()
	})
}
