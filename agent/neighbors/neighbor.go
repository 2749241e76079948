package neighbors

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/switchlet/switchlet/api/neighbor"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/lldp/frame"
)

// Bounds of the API.
const (
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
	return neighbor.Fit(v1alpha1.LLDPNeighbor{
		Port:             port,
		ChassisIDSubtype: chassisSubtype(row[remChassisSubtype]), ChassisID: row[remChassis],
		PortIDSubtype: portSubtype(row[remPortSubtype]), PortID: row[remPort],
		PortDescription: row[remPortDescription], SystemName: row[remSystemName],
	})
}

// chassisSubtype is the word for a number of IEEE 802.1AB-2016, table 8-2; none
// for one that is reserved.
func chassisSubtype(number string) v1alpha1.ChassisIDSubtype {
	return neighbor.ChassisSubtype(frame.ChassisSubtype(subtype(number)))
}

// portSubtype is the word for a number of table 8-3.
func portSubtype(number string) v1alpha1.PortIDSubtype {
	return neighbor.PortSubtype(frame.PortSubtype(subtype(number)))
}

// subtype is a number as lldp_syncd writes it; 0, which is reserved, for what is none.
func subtype(number string) uint8 {
	n, err := strconv.ParseUint(number, 10, 8)
	if err != nil {
		return 0
	}
	return uint8(n)
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
