package frame

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// InterfaceSubtype says what the interface number of a management address counts
// (IEEE 802.1AB-2016, 8.5.9.5).
type InterfaceSubtype uint8

// The kinds of interface numbers.
const (
	InterfaceUnknown InterfaceSubtype = 1 + iota
	InterfaceIndex
	InterfacePort
)

const (
	maxAddress = 31
	maxOID     = 128
)

// ManagementAddress is one under which a device is managed.
type ManagementAddress struct {
	// Family is IANA's address family: 1 IPv4, 2 IPv6, 6 MAC.
	Family uint8
	// Address is 1 to 31 octets.
	Address string
	// Interface is where the address is: a number of the given kind.
	InterfaceSubtype InterfaceSubtype
	Interface        uint32
	// OID of the hardware or protocol, in ASN.1 encoding, at most 128 octets;
	// mostly empty.
	OID string
}

// ManagedAt is the management address of an IP address on the interface with the
// given index; 0 if it is on none.
func ManagedAt(addr netip.Addr, ifindex uint32) ManagementAddress {
	m := ManagementAddress{InterfaceSubtype: InterfaceUnknown}
	m.Family, m.Address = family(addr)
	if ifindex != 0 {
		m.InterfaceSubtype, m.Interface = InterfaceIndex, ifindex
	}
	return m
}

// Addr is the address if it is an IP address.
func (m ManagementAddress) Addr() (netip.Addr, bool) { return parseAddress(m.Family, m.Address) }

// String is the address as it is usually written.
func (m ManagementAddress) String() string {
	if addr, ok := m.Addr(); ok {
		return addr.String()
	}
	if mac, ok := parseMAC(m.Address); ok && m.Family == familyMAC {
		return mac.String()
	}
	return hexText(m.Address)
}

func (m ManagementAddress) check() error {
	if len(m.Address) == 0 || len(m.Address) > maxAddress {
		return fmt.Errorf("management address %v has %d octets; it has to have 1 to %d", m, len(m.Address), maxAddress)
	}
	if len(m.OID) > maxOID {
		return fmt.Errorf("the OID of management address %v has %d octets; at most %d can be sent", m, len(m.OID), maxOID)
	}
	return nil
}

// append makes the TLV: length of family and address, family, address, kind and
// number of the interface, length of the OID, OID.
func (m ManagementAddress) append(b []byte) []byte {
	b = appendHeader(b, TypeManagementAddress, 1+1+len(m.Address)+1+4+1+len(m.OID))
	b = append(b, byte(1+len(m.Address)), m.Family)
	b = append(append(b, m.Address...), byte(m.InterfaceSubtype))
	b = append(binary.BigEndian.AppendUint32(b, m.Interface), byte(len(m.OID)))
	return append(b, m.OID...)
}

// parseManagement is the reverse of append. The length of the OID may be missing:
// lldpd does not ask for it either.
func parseManagement(value string) (m ManagementAddress, ok bool) {
	if len(value) == 0 {
		return m, false
	}
	length, rest := int(value[0]), value[1:]
	if length < 2 || length > 1+maxAddress || len(rest) < length+5 {
		return m, false
	}
	m.Family, m.Address = rest[0], rest[1:length]
	m.InterfaceSubtype, m.Interface = InterfaceSubtype(rest[length]), uint32At(rest, length+1)
	if rest = rest[length+5:]; len(rest) == 0 {
		return m, true
	}
	if length, rest = int(rest[0]), rest[1:]; length > maxOID || length > len(rest) {
		return m, false
	}
	m.OID = rest[:length]
	return m, true
}
