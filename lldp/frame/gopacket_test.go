package frame_test

import (
	"fmt"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/lldp/frame"
)

// gopacket's codec reads what this one writes.
func TestGopacketReadsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := frames().Draw(t, "frame")
		pdu, err := f.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		packet := gopacket.NewPacket(pdu, layers.LayerTypeLinkLayerDiscovery, gopacket.Default)
		if e := packet.ErrorLayer(); e != nil {
			t.Fatal(e.Error())
		}
		l, _ := packet.Layer(layers.LayerTypeLinkLayerDiscovery).(*layers.LinkLayerDiscovery)
		info, _ := packet.Layer(layers.LayerTypeLinkLayerDiscoveryInfo).(*layers.LinkLayerDiscoveryInfo)
		equal(t, "chassis", string(l.ChassisID.ID), f.ChassisID.ID)
		equal(t, "chassis subtype", uint8(l.ChassisID.Subtype), uint8(f.ChassisID.Subtype))
		equal(t, "port", string(l.PortID.ID), f.PortID.ID)
		equal(t, "port subtype", uint8(l.PortID.Subtype), uint8(f.PortID.Subtype))
		equal(t, "TTL", float64(l.TTL), f.TTL.Seconds())
		equal(t, "port description", info.PortDescription, f.PortDescription)
		equal(t, "system name", info.SysName, f.SystemName)
		equal(t, "system description", info.SysDescription, f.SystemDescription)
		equal(t, "router", info.SysCapabilities.EnabledCap.Router, f.Capabilities.Enabled&frame.Router != 0)
		equal(t, "bridge", info.SysCapabilities.SystemCap.Bridge, f.Capabilities.Supported&frame.Bridge != 0)
		equal(t, "organizational TLVs", len(info.OrgTLVs), len(f.Organizational))
		for i, o := range info.OrgTLVs {
			want := f.Organizational[i]
			equal(t, "OUI", uint32(o.OUI), uint32(want.OUI[0])<<16|uint32(want.OUI[1])<<8|uint32(want.OUI[2]))
			equal(t, "subtype", o.SubType, want.Subtype)
			equal(t, "value", string(o.Info), want.Value)
		}
		if n := len(f.Management); n > 0 { // gopacket keeps the last one
			m := f.Management[n-1]
			equal(t, "address", string(info.MgmtAddress.Address), m.Address)
			equal(t, "interface", info.MgmtAddress.InterfaceNumber, m.Interface)
			equal(t, "OID", info.MgmtAddress.OID, m.OID)
		}
		var unknown []frame.TLV
		for _, v := range l.Values {
			if v.Type > 8 && v.Type < 127 {
				unknown = append(unknown, frame.TLV{Type: frame.Type(v.Type), Value: string(v.Value)})
			}
		}
		equal(t, "unknown TLVs", fmt.Sprint(unknown), fmt.Sprint(f.Unknown))
	})
}

// This codec reads what gopacket's writes.
func TestItReadsGopackets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &layers.LinkLayerDiscovery{
			ChassisID: layers.LLDPChassisID{
				Subtype: layers.LLDPChassisIDSubType(rapid.Uint8Range(1, 7).Draw(t, "chassis subtype")),
				ID:      []byte(octetString(1, 255).Draw(t, "chassis")),
			},
			PortID: layers.LLDPPortID{
				Subtype: layers.LLDPPortIDSubType(rapid.Uint8Range(1, 7).Draw(t, "port subtype")),
				ID:      []byte(octetString(1, 255).Draw(t, "port")),
			},
			TTL: rapid.Uint16().Draw(t, "TTL"),
		}
		name := octetString(1, 255).Draw(t, "system name")
		l.Values = []layers.LinkLayerDiscoveryValue{{Type: layers.LLDPTLVSysName, Length: uint16(len(name)), Value: []byte(name)}}
		buffer := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{}, l); err != nil {
			t.Fatal(err)
		}
		f, err := frame.Decode(buffer.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "chassis", f.ChassisID, frame.ChassisID{Subtype: frame.ChassisSubtype(l.ChassisID.Subtype), ID: string(l.ChassisID.ID)})
		equal(t, "port", f.PortID, frame.PortID{Subtype: frame.PortSubtype(l.PortID.Subtype), ID: string(l.PortID.ID)})
		equal(t, "TTL", f.TTL.Seconds(), float64(l.TTL))
		equal(t, "system name", f.SystemName, name)
	})
}

func equal[T comparable](t *rapid.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, wanted %v", what, got, want)
	}
}
