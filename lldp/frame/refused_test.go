package frame_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/lldp/frame"
)

func good() frame.Frame {
	return frame.Frame{ChassisID: frame.ChassisByName("node1"), PortID: frame.PortByName("eth0"), TTL: 2 * time.Minute}
}

// What cannot be said in LLDP is refused, with what is wrong.
func TestRefusedToEncode(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, test := range []struct {
		name   string
		change func(*frame.Frame)
		want   string
	}{
		{"no chassis", func(f *frame.Frame) { f.ChassisID = frame.ChassisID{} }, `Chassis ID "" has 0 octets`},
		{"chassis of no kind", func(f *frame.Frame) { f.ChassisID.Subtype = 0 }, `Chassis ID "node1" has no subtype`},
		{"no port", func(f *frame.Frame) { f.PortID.ID = "" }, `Port ID "" has 0 octets`},
		{"long port", func(f *frame.Frame) { f.PortID.ID = long }, "has 256 octets; it has to have 1 to 255"},
		{"half a second", func(f *frame.Frame) { f.TTL = 1500 * time.Millisecond }, "TTL 1.5s has to be whole seconds"},
		{"long time", func(f *frame.Frame) { f.TTL = frame.MaxTTL + time.Second }, "from 0 to 18h12m15s"},
		{"long text", func(f *frame.Frame) { f.SystemName = long }, "System Name \"xxxxxxxxxxxxxxxxxxxx\"… has 256 octets"},
		{"long address", func(f *frame.Frame) { f.Management = []frame.ManagementAddress{{Address: long[:32]}} }, "32 octets; it has to have 1 to 31"},
		{"long OID", func(f *frame.Frame) { f.Management = []frame.ManagementAddress{{Address: "x", OID: long[:129]}} }, "129 octets; at most 128"},
		{"long organizational", func(f *frame.Frame) { f.Organizational = []frame.Organizational{{Value: long + long}} }, "512 octets; at most 507"},
		{"known as unknown", func(f *frame.Frame) { f.Unknown = []frame.TLV{{Type: frame.TypeTTL}} }, "TTL with 0 octets is not one of a reserved type"},
		{"long unknown", func(f *frame.Frame) { f.Unknown = []frame.TLV{{Type: 9, Value: long + long}} }, "type 9 with 512 octets"},
		{"too much", func(f *frame.Frame) {
			f.Organizational = []frame.Organizational{{Value: long + long[:251]}, {Value: long + long[:251]}, {Value: long + long[:251]}}
		}, "1560 octets; at most 1500 fit into a frame"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := good()
			test.change(&f)
			if _, err := f.MarshalBinary(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, wanted %q", err, test.want)
			}
		})
	}
}

// A goodbye names the port and says nothing else; what cannot be decoded changes
// nothing.
func TestGoodbye(t *testing.T) {
	f := good()
	f.SystemName = "node1"
	pdu, err := f.Goodbye().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var got frame.Frame
	if err := got.UnmarshalBinary(pdu); err != nil || !got.Shutdown() || got.PortID != f.PortID || got.SystemName != "" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := got.UnmarshalBinary(pdu[:4]); !errors.Is(err, frame.ErrMalformed) || got.PortID != f.PortID {
		t.Errorf("%+v, %v", got, err)
	}
}

// The typed views read what their TLVs say.
func TestViews(t *testing.T) {
	f := good()
	f.Organizational = []frame.Organizational{
		frame.PortVLANTLV(4094),
		frame.VLANNameTLV(frame.VLANName{ID: 7, Name: strings.Repeat("n", 40)}),
		frame.LinkAggregationTLV(frame.LinkAggregation{Capable: true, Enabled: true, Port: 1 << 31}),
		frame.MACPHYTLV(frame.MACPHY{AutonegotiationEnabled: true, Advertised: 0x8001, MAU: 54}),
		frame.MaxFrameSizeTLV(9216),
	}
	if id, ok := f.PortVLAN(); id != 4094 || !ok {
		t.Error(id, ok)
	}
	if names := f.VLANNames(); len(names) != 1 || names[0] != (frame.VLANName{ID: 7, Name: strings.Repeat("n", 32)}) {
		t.Error(names)
	}
	if a, ok := f.LinkAggregation(); a != (frame.LinkAggregation{Capable: true, Enabled: true, Port: 1 << 31}) || !ok {
		t.Error(a, ok)
	}
	if m, ok := f.MACPHY(); m != (frame.MACPHY{AutonegotiationEnabled: true, Advertised: 0x8001, MAU: 54}) || !ok {
		t.Error(m, ok)
	}
	if size, ok := f.MaxFrameSize(); size != 9216 || !ok {
		t.Error(size, ok)
	}
	f.Organizational = nil
	_, vlan := f.PortVLAN()
	_, aggregation := f.LinkAggregation()
	_, phy := f.MACPHY()
	if _, size := f.MaxFrameSize(); vlan || aggregation || phy || size {
		t.Error("views of TLVs that are not there")
	}
}

// Addresses are read as what they are, and only then.
func TestIDsThatAreAddresses(t *testing.T) {
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	for _, id := range []interface {
		MAC() (net.HardwareAddr, bool)
		String() string
	}{frame.ChassisByMAC(mac), frame.PortByMAC(mac)} {
		if got, ok := id.MAC(); !ok || got.String() != mac.String() || id.String() != mac.String() {
			t.Errorf("%v is %v, %t", id, got, ok)
		}
	}
	for _, text := range []string{"192.0.2.1", "2001:db8::1"} {
		addr := netip.MustParseAddr(text)
		id := frame.ChassisByAddr(addr)
		if got, ok := id.Addr(); !ok || got != addr || id.String() != text {
			t.Errorf("%v is %v, %t", id, got, ok)
		}
		m := frame.ManagedAt(addr, 3)
		if got, ok := m.Addr(); !ok || got != addr || m.InterfaceSubtype != frame.InterfaceIndex {
			t.Errorf("%v is %v, %t", m, got, ok)
		}
	}
	named := frame.ChassisByName("\x01\xc0\x00\x02")
	_, isMAC := named.MAC()
	if _, isAddr := named.Addr(); isMAC || isAddr {
		t.Error("a name is taken for an address")
	}
}
