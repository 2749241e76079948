package sonic

import "net/netip"

// TableSAG is the table of sonic-static-anycast-gateway.yang.
const TableSAG = "SAG"

// Fields of VLAN_INTERFACE and SAG.
const (
	fieldVRFName    = "vrf_name"
	fieldMACAddress = "mac_addr"
	fieldGratARP    = "grat_arp"
	fieldSAG        = "static_anycast_gateway"
	fieldGatewayMAC = "gateway_mac"
)

// VLANInterface is a row of VLAN_INTERFACE and those of its addresses: the
// routed interface of a VLAN (sonic-vlan.yang).
type VLANInterface struct {
	// VLAN is the id of the VLAN.
	VLAN int
	// VRF that it belongs to. Immutable: intfmgrd ignores a change in place.
	VRF string
	// MACAddress of the interface; empty for the switch's own. The same one on
	// every leaf makes an anycast gateway.
	MACAddress string
	// AnycastGateway makes it an anycast gateway with SAG|GLOBAL's address.
	AnycastGateway bool
	// GratuitousARP has the switch learn from ARP and ND answers that it did not ask
	// for (grat_arp). An anycast gateway needs it: what one leaf asks is answered to
	// the leaf that is nearest to the host, which has the same address.
	GratuitousARP bool
	// Addresses with prefix length.
	Addresses []netip.Prefix
}

// VLANInterfaceKey is the key of the interface of a VLAN.
func VLANInterfaceKey(vlan int) Key { return Key{TableVLANInterface, VLANName(vlan)} }

// Rows are the interface and its addresses as CONFIG_DB has them.
func (i VLANInterface) Rows() []Row {
	key := VLANInterfaceKey(i.VLAN)
	fields := make(Fields, 0, 3) // by name, in rising order
	if i.GratuitousARP {
		fields = append(fields, Field{fieldGratARP, "enabled"})
	}
	if i.MACAddress != "" {
		fields = append(fields, Field{fieldMACAddress, i.MACAddress})
	}
	if i.AnycastGateway {
		fields = append(fields, Field{fieldSAG, "true"})
	}
	if i.VRF != "" {
		fields = append(fields, Field{fieldVRFName, i.VRF})
	}
	rows := []Row{{key, fields}}
	for _, address := range i.Addresses {
		rows = append(rows, Row{Key{key.Table, key.Name + Separator + address.String()}, nil})
	}
	return rows
}

// AnycastGateway is the one row of SAG: the MAC address of every static
// anycast gateway of the switch (sonic-static-anycast-gateway.yang).
type AnycastGateway struct {
	MACAddress string
}

// Row is SAG|GLOBAL.
func (g AnycastGateway) Row() Row {
	return Row{sagKey(), Fields{{fieldGatewayMAC, g.MACAddress}}}
}

func sagKey() Key { return Key{TableSAG, "GLOBAL"} }

// Gateways says which ways to an anycast gateway a switch knows.
type Gateways struct {
	// MACAddress: VLAN_INTERFACE has the field mac_addr.
	MACAddress bool
	// StaticAnycastGateway: there is SAG, and VLAN_INTERFACE has the field
	// static_anycast_gateway.
	StaticAnycastGateway bool
}

// KnowsGateways finds out by the tables and fields that a switch's YANG models
// have.
func KnowsGateways(table func(string) bool, field func(Key, string) bool) Gateways {
	vlan := VLANInterfaceKey(2)
	return Gateways{
		MACAddress:           field(vlan, fieldMACAddress),
		StaticAnycastGateway: table(TableSAG) && field(vlan, fieldSAG),
	}
}
