package neighbors

import (
	"cmp"
	"net"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Bounds of the API. No text of LLDP but one may be longer than maxText octets
// (IEEE 802.1AB-2016, clause 8.5).
const (
	maxText    = 255
	maxPort    = 15
	maxPerPort = 8
	maxTotal   = 1024
)

// Fields of LLDP_ENTRY_TABLE in APPL_DB (sonic-dbsyncd, lldp_syncd/daemon.py).
const (
	remChassisSubtype  = "lldp_rem_chassis_id_subtype"
	remChassis         = "lldp_rem_chassis_id"
	remPortSubtype     = "lldp_rem_port_id_subtype"
	remPort            = "lldp_rem_port_id"
	remPortDescription = "lldp_rem_port_desc"
	remSystemName      = "lldp_rem_sys_name"
)

// parseEntry reads the row of a port in LLDP_ENTRY_TABLE. It reports false for
// one that does not say who is heard: lldp_syncd writes a row field by field.
func parseEntry(port string, row map[string]string) (v1alpha1.LLDPNeighbor, bool) {
	if row[remChassisSubtype] == "" || row[remPortSubtype] == "" {
		return v1alpha1.LLDPNeighbor{}, false
	}
	return showable(v1alpha1.LLDPNeighbor{
		Port:             port,
		ChassisIDSubtype: chassisSubtype(row[remChassisSubtype]), ChassisID: row[remChassis],
		PortIDSubtype: portSubtype(row[remPortSubtype]), PortID: row[remPort],
		PortDescription: row[remPortDescription], SystemName: row[remSystemName],
	})
}

// chassisSubtype is the word for a number of IEEE 802.1AB-2016, table 8-2; none
// for one that is reserved.
func chassisSubtype(number string) v1alpha1.ChassisIDSubtype {
	return map[string]v1alpha1.ChassisIDSubtype{
		"1": v1alpha1.ChassisComponent, "2": v1alpha1.ChassisInterfaceAlias, "3": v1alpha1.ChassisPortComponent,
		"4": v1alpha1.ChassisMACAddress, "5": v1alpha1.ChassisNetworkAddress, "6": v1alpha1.ChassisInterfaceName,
		"7": v1alpha1.ChassisLocal,
	}[number]
}

// portSubtype is the word for a number of table 8-3.
func portSubtype(number string) v1alpha1.PortIDSubtype {
	return map[string]v1alpha1.PortIDSubtype{
		"1": v1alpha1.PortInterfaceAlias, "2": v1alpha1.PortComponent, "3": v1alpha1.PortMACAddress,
		"4": v1alpha1.PortNetworkAddress, "5": v1alpha1.PortInterfaceName, "6": v1alpha1.PortAgentCircuitID,
		"7": v1alpha1.PortLocal,
	}[number]
}

// showable makes what came from outside fit the API. It reports false if
// something is missing that says who it is.
func showable(n v1alpha1.LLDPNeighbor) (v1alpha1.LLDPNeighbor, bool) {
	n.ChassisID = cleanID(string(n.ChassisIDSubtype), n.ChassisID)
	n.PortID = cleanID(string(n.PortIDSubtype), n.PortID)
	n.PortDescription, n.SystemName = clean(n.PortDescription), clean(n.SystemName)
	return n, n.ChassisID != "" && n.PortID != "" && n.Port != "" && len(n.Port) <= maxPort && clean(n.Port) == n.Port
}

// identity is what tells neighbours from each other: the port, and what IEEE
// 802.1AB calls the MSAP identifier.
func identity(n v1alpha1.LLDPNeighbor) v1alpha1.LLDPNeighbor {
	n.PortDescription, n.SystemName, n.Stale = "", "", false
	return n
}

// compareIDs orders the neighbours on a port.
func compareIDs(a, b v1alpha1.LLDPNeighbor) int {
	return cmp.Or(
		strings.Compare(a.ChassisID, b.ChassisID), strings.Compare(a.PortID, b.PortID),
		cmp.Compare(a.ChassisIDSubtype, b.ChassisIDSubtype), cmp.Compare(a.PortIDSubtype, b.PortIDSubtype),
	)
}

// poorer reports whether the same is said of a neighbour as before, only less.
func poorer(now, before v1alpha1.LLDPNeighbor) bool {
	description := now.PortDescription == "" && before.PortDescription != ""
	name := now.SystemName == "" && before.SystemName != ""
	return (description || name) &&
		(description || now.PortDescription == before.PortDescription) && (name || now.SystemName == before.SystemName)
}

// cleanID is clean for an id; addresses have one form only.
func cleanID(subtype, id string) string {
	id = clean(id)
	switch subtype {
	case string(v1alpha1.ChassisMACAddress):
		if mac, err := net.ParseMAC(id); err == nil {
			return mac.String()
		}
	case string(v1alpha1.ChassisNetworkAddress):
		if address, err := netip.ParseAddr(id); err == nil && address.Zone() == "" {
			return address.String()
		}
	}
	return id
}

// clean takes from a text what cannot be shown, such as control characters and
// what is not UTF-8, and cuts it to its bound.
func clean(s string) string {
	s = s[:min(len(s), 4*maxText)] // a megabyte is not read to its end
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if len(s) > maxText {
		end := maxText
		for !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	return strings.TrimSpace(s)
}
