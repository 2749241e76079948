package frame

import (
	"net"
	"net/netip"
)

// PortSubtype says what a port ID is (IEEE 802.1AB-2016, table 8-3). The numbers
// are not those of chassis IDs.
type PortSubtype uint8

// The kinds of port IDs. The numbers are those of the wire and of SONiC's
// LLDP_ENTRY_TABLE (lldp_rem_port_id_subtype). SONiC's own switches send PortLocal
// with the alias of the port, not its name in SONiC.
const (
	_ PortSubtype = iota
	PortInterfaceAlias
	PortComponent
	PortMACAddress
	PortNetworkAddress
	PortInterfaceName
	PortAgentCircuitID
	PortLocal
)

// PortID names a port of a device.
type PortID struct {
	Subtype PortSubtype
	// ID is 1 to 255 octets as on the wire; see ChassisID.
	ID string
}

// PortByName is a port ID that is the name of an interface.
func PortByName(name string) PortID { return PortID{PortInterfaceName, name} }

// PortByMAC is a port ID that is the MAC address of the port.
func PortByMAC(mac net.HardwareAddr) PortID { return PortID{PortMACAddress, string(mac)} }

// MAC is the address of a port ID that is a MAC address.
func (p PortID) MAC() (net.HardwareAddr, bool) {
	if p.Subtype != PortMACAddress {
		return nil, false
	}
	return parseMAC(p.ID)
}

// Addr is the address of a port ID that is an IP address.
func (p PortID) Addr() (netip.Addr, bool) {
	if p.Subtype != PortNetworkAddress || p.ID == "" {
		return netip.Addr{}, false
	}
	return parseAddress(p.ID[0], p.ID[1:])
}

// String shows the ID: an address as it is usually written, a name as it is.
func (p PortID) String() string {
	return showID(p.ID, p.Subtype == PortMACAddress, p.Subtype == PortNetworkAddress)
}
