package frame

import (
	"encoding/binary"
	"fmt"
)

// Type of a TLV (IEEE 802.1AB-2016, table 8-1). 9 to 126 are reserved.
type Type uint8

// The types of the basic management set, and of organisations' own TLVs.
const (
	TypeEnd                Type = 0
	TypeChassisID          Type = 1
	TypePortID             Type = 2
	TypeTTL                Type = 3
	TypePortDescription    Type = 4
	TypeSystemName         Type = 5
	TypeSystemDescription  Type = 6
	TypeSystemCapabilities Type = 7
	TypeManagementAddress  Type = 8
	TypeOrganizational     Type = 127
)

const (
	headerSize = 2
	// maxValue is the longest value that the 9 bits of a length can say.
	maxValue = 1<<9 - 1
	// MaxSize is the longest LLDPDU in octets: what an Ethernet frame carries.
	MaxSize = 1500
)

func (t Type) String() string {
	switch t {
	case TypeEnd:
		return "End"
	case TypeChassisID:
		return "Chassis ID"
	case TypePortID:
		return "Port ID"
	case TypeTTL:
		return "TTL"
	case TypePortDescription:
		return "Port Description"
	case TypeSystemName:
		return "System Name"
	case TypeSystemDescription:
		return "System Description"
	case TypeSystemCapabilities:
		return "System Capabilities"
	case TypeManagementAddress:
		return "Management Address"
	case TypeOrganizational:
		return "Organizational"
	default:
		return fmt.Sprintf("type %d", uint8(t))
	}
}

// single says whether an LLDPDU may have at most one TLV of a type.
func (t Type) single() bool { return t >= TypeChassisID && t <= TypeSystemCapabilities }

// reserved says whether the standard gives a type no meaning yet.
func (t Type) reserved() bool { return t > TypeManagementAddress && t < TypeOrganizational }

// TLV is one that this package does not look into.
type TLV struct {
	Type  Type
	Value string // at most 511 octets
}

// appendHeader starts a TLV whose value, of at most maxValue octets, follows.
func appendHeader(b []byte, t Type, length int) []byte {
	return binary.BigEndian.AppendUint16(b, uint16(t)<<9|uint16(length))
}

func appendTLV(b []byte, t Type, value string) []byte {
	return append(appendHeader(b, t, len(value)), value...)
}

// cutTLV splits the first TLV off.
func cutTLV(pdu string) (tlv TLV, rest string, err error) {
	if len(pdu) < headerSize {
		return TLV{}, "", fmt.Errorf("%w: it ends without an End TLV", ErrMalformed)
	}
	header := uint16(pdu[0])<<8 | uint16(pdu[1])
	tlv.Type = Type(header >> 9)
	length := int(header & maxValue)
	if rest = pdu[headerSize:]; length > len(rest) {
		return TLV{}, "", fmt.Errorf("%w: the %v TLV says it has %d octets, and %d are left", ErrMalformed, tlv.Type, length, len(rest))
	}
	tlv.Value = rest[:length]
	return tlv, rest[length:], nil
}
