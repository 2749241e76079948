package frame_test

import (
	"time"

	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/lldp/frame"
)

// octetString draws a string of any octets.
func octetString(minLength, maxLength int) *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOfN(rapid.Byte(), minLength, maxLength), func(b []byte) string { return string(b) })
}

// frames draws what Append accepts: any octets wherever octets may stand. Lists
// are nil when empty, as Decode makes them.
func frames() *rapid.Generator[frame.Frame] {
	return rapid.Custom(func(t *rapid.T) frame.Frame {
		return frame.Frame{
			ChassisID: frame.ChassisID{
				Subtype: frame.ChassisSubtype(rapid.Uint8Min(1).Draw(t, "chassis subtype")),
				ID:      octetString(1, 255).Draw(t, "chassis ID"),
			},
			PortID: frame.PortID{
				Subtype: frame.PortSubtype(rapid.Uint8Min(1).Draw(t, "port subtype")),
				ID:      octetString(1, 255).Draw(t, "port ID"),
			},
			TTL:               time.Duration(rapid.Uint16().Draw(t, "TTL")) * time.Second,
			PortDescription:   octetString(0, 60).Draw(t, "port description"),
			SystemName:        octetString(0, 60).Draw(t, "system name"),
			SystemDescription: octetString(0, 60).Draw(t, "system description"),
			Capabilities: frame.SystemCapabilities{
				Supported: frame.Capabilities(rapid.Uint16().Draw(t, "supported")),
				Enabled:   frame.Capabilities(rapid.Uint16().Draw(t, "enabled")),
			},
			Management:     list(t, "management", managements()),
			Organizational: list(t, "organizational", organizationals()),
			Unknown:        list(t, "unknown", unknowns()),
		}
	})
}

func list[T any](t *rapid.T, label string, elements *rapid.Generator[T]) []T {
	drawn := rapid.SliceOfN(elements, 0, 3).Draw(t, label)
	if len(drawn) == 0 {
		return nil
	}
	return drawn
}

func managements() *rapid.Generator[frame.ManagementAddress] {
	return rapid.Custom(func(t *rapid.T) frame.ManagementAddress {
		return frame.ManagementAddress{
			Family:           rapid.Uint8().Draw(t, "family"),
			Address:          octetString(1, 31).Draw(t, "address"),
			InterfaceSubtype: frame.InterfaceSubtype(rapid.Uint8().Draw(t, "interface subtype")),
			Interface:        rapid.Uint32().Draw(t, "interface"),
			OID:              octetString(0, 20).Draw(t, "OID"),
		}
	})
}

func organizationals() *rapid.Generator[frame.Organizational] {
	return rapid.Custom(func(t *rapid.T) frame.Organizational {
		oui := rapid.SampledFrom([]frame.OUI{frame.OUI8021(), frame.OUI8023(), {0xaa, 0xbb, 0xcc}}).Draw(t, "OUI")
		return frame.Organizational{
			OUI:     oui,
			Subtype: rapid.Uint8Max(8).Draw(t, "subtype"),
			Value:   octetString(0, 40).Draw(t, "value"),
		}
	})
}

func unknowns() *rapid.Generator[frame.TLV] {
	return rapid.Custom(func(t *rapid.T) frame.TLV {
		return frame.TLV{
			Type:  frame.Type(rapid.Uint8Range(9, 126).Draw(t, "type")),
			Value: octetString(0, 40).Draw(t, "value"),
		}
	})
}
