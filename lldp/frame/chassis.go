package frame

import (
	"fmt"
	"net"
	"net/netip"
)

// ChassisSubtype says what a chassis ID is (IEEE 802.1AB-2016, table 8-2).
type ChassisSubtype uint8

// The kinds of chassis IDs. The numbers are those of the wire and of SONiC's
// LLDP_ENTRY_TABLE (lldp_rem_chassis_id_subtype).
const (
	_ ChassisSubtype = iota
	ChassisComponent
	ChassisInterfaceAlias
	ChassisPortComponent
	ChassisMACAddress
	ChassisNetworkAddress
	ChassisInterfaceName
	ChassisLocal
)

// ChassisID names a device.
type ChassisID struct {
	Subtype ChassisSubtype
	// ID is 1 to 255 octets as on the wire: for ChassisMACAddress the six of the
	// address, for ChassisNetworkAddress an IANA address family and the address.
	ID string
}

// ChassisByName is a chassis ID that is a name which the device has been given.
func ChassisByName(name string) ChassisID { return ChassisID{ChassisLocal, name} }

// ChassisByMAC is a chassis ID that is a MAC address of the device.
func ChassisByMAC(mac net.HardwareAddr) ChassisID { return ChassisID{ChassisMACAddress, string(mac)} }

// ChassisByAddr is a chassis ID that is an IP address of the device.
func ChassisByAddr(addr netip.Addr) ChassisID {
	f, octets := family(addr)
	return ChassisID{ChassisNetworkAddress, string([]byte{f}) + octets}
}

// MAC is the address of a chassis ID that is a MAC address.
func (c ChassisID) MAC() (net.HardwareAddr, bool) {
	if c.Subtype != ChassisMACAddress {
		return nil, false
	}
	return parseMAC(c.ID)
}

// Addr is the address of a chassis ID that is an IP address.
func (c ChassisID) Addr() (netip.Addr, bool) {
	if c.Subtype != ChassisNetworkAddress || c.ID == "" {
		return netip.Addr{}, false
	}
	return parseAddress(c.ID[0], c.ID[1:])
}

// String shows the ID: an address as it is usually written, a name as it is.
func (c ChassisID) String() string {
	return showID(c.ID, c.Subtype == ChassisMACAddress, c.Subtype == ChassisNetworkAddress)
}

// showID is the text of a chassis or port ID.
func showID(id string, mac, address bool) string {
	if mac {
		if hardware, ok := parseMAC(id); ok {
			return hardware.String()
		}
		return hexText(id)
	}
	if address {
		if id != "" {
			if ip, ok := parseAddress(id[0], id[1:]); ok {
				return ip.String()
			}
		}
		return hexText(id)
	}
	return Text(id)
}

// checkID is what the standard asks of chassis and port IDs that are sent.
func checkID(t Type, subtype uint8, id string) error {
	if len(id) == 0 || len(id) > maxText {
		return fmt.Errorf("%v %q has %d octets; it has to have 1 to %d", t, id, len(id), maxText)
	}
	if subtype == 0 {
		return fmt.Errorf("%v %q has no subtype", t, id)
	}
	return nil
}

// appendID makes the TLV of a chassis or port ID.
func appendID(b []byte, t Type, subtype uint8, id string) []byte {
	b = appendHeader(b, t, 1+len(id))
	return append(append(b, subtype), id...)
}

// parseID is the reverse of appendID.
func parseID(tlv TLV) (subtype uint8, id string, err error) {
	if len(tlv.Value) < 2 || len(tlv.Value) > 1+maxText {
		return 0, "", fmt.Errorf("%w: the %v TLV has %d octets; it has to have 2 to %d", ErrMalformed, tlv.Type, len(tlv.Value), 1+maxText)
	}
	if tlv.Value[0] == 0 {
		return 0, "", fmt.Errorf("%w: the %v TLV has subtype 0", ErrMalformed, tlv.Type)
	}
	return tlv.Value[0], tlv.Value[1:], nil
}
