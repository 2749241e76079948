package neighbor_test

import (
	"net"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/api/neighbor"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/lldp/frame"
)

// What a switch sends is told in the words of the API.
func TestOf(t *testing.T) {
	got, ok := neighbor.Of("eth1", frame.Frame{
		ChassisID:       frame.ChassisByMAC(net.HardwareAddr{0x52, 0x54, 0, 0x5C, 0, 1}),
		PortID:          frame.PortID{Subtype: frame.PortLocal, ID: "etp1"},
		PortDescription: "Ethernet0", SystemName: "leaf1\x00",
	})
	want := v1alpha1.LLDPNeighbor{
		Port: "eth1", ChassisIDSubtype: v1alpha1.ChassisMACAddress, ChassisID: "52:54:00:5c:00:01",
		PortIDSubtype: v1alpha1.PortLocal, PortID: "etp1", PortDescription: "Ethernet0", SystemName: "leaf1",
	}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("shown %t (-want +got):\n%s", ok, diff)
	}
	for subtype := range frame.ChassisSubtype(9) {
		if word := neighbor.ChassisSubtype(subtype); (word != "") != (subtype >= 1 && subtype <= 7) {
			t.Errorf("chassis subtype %d is %q", subtype, word)
		}
	}
	for subtype := range frame.PortSubtype(9) {
		if word := neighbor.PortSubtype(subtype); (word != "") != (subtype >= 1 && subtype <= 7) {
			t.Errorf("port subtype %d is %q", subtype, word)
		}
	}
}

func TestNobodyIsShownWithoutIDs(t *testing.T) {
	if n, ok := neighbor.Of("eth1", frame.Frame{ChassisID: frame.ChassisByName("\x00"), PortID: frame.PortByName("p")}); ok {
		t.Errorf("shown: %+v", n)
	}
}

// Whatever comes from the other end of a cable, it fits the API.
func FuzzOf(f *testing.F) {
	f.Add("leaf1", "Ethernet0", "a port", "leaf1.example", uint8(7))
	f.Add(strings.Repeat("ü", 128), "\xff\n", strings.Repeat("\x01", 255), " ", uint8(5))
	f.Fuzz(func(t *testing.T, chassis, port, description, name string, subtype uint8) {
		n, ok := neighbor.Of("eth1", frame.Frame{
			ChassisID: frame.ChassisID{Subtype: frame.ChassisSubtype(subtype), ID: chassis},
			PortID:    frame.PortID{Subtype: frame.PortSubtype(subtype), ID: port}, PortDescription: description, SystemName: name,
		})
		if ok && (n.ChassisID == "" || n.PortID == "") {
			t.Errorf("shown without ids: %+v", n)
		}
		for _, text := range []string{n.ChassisID, n.PortID, n.PortDescription, n.SystemName} {
			if len(text) > 255 || !utf8.ValidString(text) {
				t.Errorf("%q has %d octets", text, len(text))
			}
		}
	})
}
