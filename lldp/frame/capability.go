package frame

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Capabilities is a set of what a device can be (IEEE 802.1AB-2016, table 8-4).
type Capabilities uint16

// The members of the set.
const (
	Other Capabilities = 1 << iota
	Repeater
	Bridge
	WLANAccessPoint
	Router
	Telephone
	DOCSIS
	Station
	CVLAN
	SVLAN
	TwoPortMACRelay
)

// SystemCapabilities are those of a device, and those of them that are in use.
// None at all is the same as no such TLV.
type SystemCapabilities struct{ Supported, Enabled Capabilities }

const capabilitiesSize = 4

func (c Capabilities) String() string {
	names := [...]string{"Other", "Repeater", "Bridge", "WLANAccessPoint", "Router", "Telephone", "DOCSIS", "Station", "CVLAN", "SVLAN", "TwoPortMACRelay"}
	var set []string
	for bit := range 16 {
		switch {
		case c>>bit&1 == 0:
		case bit < len(names):
			set = append(set, names[bit])
		default:
			set = append(set, fmt.Sprintf("bit %d", bit))
		}
	}
	return strings.Join(set, ",")
}

func (s SystemCapabilities) append(b []byte) []byte {
	b = appendHeader(b, TypeSystemCapabilities, capabilitiesSize)
	b = binary.BigEndian.AppendUint16(b, uint16(s.Supported))
	return binary.BigEndian.AppendUint16(b, uint16(s.Enabled))
}

func parseCapabilities(value string) (SystemCapabilities, bool) {
	if len(value) < capabilitiesSize {
		return SystemCapabilities{}, false
	}
	return SystemCapabilities{Supported: Capabilities(uint16At(value, 0)), Enabled: Capabilities(uint16At(value, 2))}, true
}

// uint16At reads two octets, which have to be there.
func uint16At(s string, i int) uint16 { return uint16(s[i])<<8 | uint16(s[i+1]) }

// uint32At reads four octets, which have to be there.
func uint32At(s string, i int) uint32 {
	return uint32(uint16At(s, i))<<16 | uint32(uint16At(s, i+2))
}
