// Package lldpsyncd stands in for lldp_syncd of SONiC's docker-lldp: it asks
// lldpd for its neighbours now and then and writes them to APPL_DB, with the
// names and values of sonic-dbsyncd (src/lldp_syncd/daemon.py).
package lldpsyncd

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/lldpcli"
)

// Keys in APPL_DB.
const (
	entryTable   = "LLDP_ENTRY_TABLE:"
	localChassis = "LLDP_LOC_CHASSIS"
)

// timeMark is the field that changes all the time: the age in seconds.
const timeMark = "lldp_rem_time_mark"

// Rows are rows of APPL_DB: key, field, value.
type Rows map[string]map[string]string

// rowsOf are the rows of neighbours. Of several neighbours on a port the last
// one counts. Only ports have rows, and the management port.
func rowsOf(neighbors []lldpcli.Interface) Rows {
	name := regexp.MustCompile(`^(Ethernet(-BP)?[0-9]+|eth0)$`)
	rows := Rows{}
	for _, n := range neighbors {
		if name.MatchString(n.Name) {
			rows[entryTable+n.Name] = entry(n)
		}
	}
	return rows
}

// entry is the row of a neighbour.
func entry(n lldpcli.Interface) map[string]string {
	row := map[string]string{
		"lldp_rem_port_id_subtype": portSubtype(n.Port.ID.Type),
		"lldp_rem_port_id":         n.Port.ID.Value,
		"lldp_rem_port_desc":       n.Port.Description,
		"lldp_rem_index":           n.RID,
		timeMark:                   strconv.Itoa(int(n.Age / time.Second)),
	}
	describe(row, "lldp_rem_", n.Chassis)
	return row
}

// chassisRow is the row of LLDP_LOC_CHASSIS.
func chassisRow(c lldpcli.Chassis) map[string]string {
	row := map[string]string{}
	describe(row, "lldp_loc_", c)
	return row
}

// describe adds what a chassis says of itself. If its id is of a kind that
// lldp_syncd does not know, that leaves all but the capabilities empty.
func describe(row map[string]string, prefix string, c lldpcli.Chassis) {
	row[prefix+"sys_cap_supported"] = capabilities(c.Capabilities, false)
	row[prefix+"sys_cap_enabled"] = capabilities(c.Capabilities, true)
	if chassisSubtype(c.ID.Type) == "" {
		c = lldpcli.Chassis{}
	}
	row[prefix+"chassis_id_subtype"] = chassisSubtype(c.ID.Type)
	row[prefix+"chassis_id"] = c.ID.Value
	row[prefix+"sys_name"] = c.Name
	row[prefix+"sys_desc"] = c.Description
	row[prefix+"man_addr"] = strings.Join(c.Management, ",")
}

// portSubtype is the number of a port id's type (IEEE 802.1AB-2016, table 8-3);
// empty for one that lldpd does not name.
func portSubtype(kind string) string {
	return map[string]string{"ifalias": "1", "mac": "3", "ip": "4", "ifname": "5", "local": "7"}[kind]
}

// chassisSubtype is the number of a chassis id's type (table 8-2).
func chassisSubtype(kind string) string {
	return map[string]string{"ifalias": "2", "mac": "4", "ip": "5", "ifname": "6", "local": "7"}[kind]
}

// capabilities are the bits of SNMP's LldpSystemCapabilitiesMap, in hexadecimal:
// of what a system can do, or of what it does.
func capabilities(list []lldpcli.Capability, enabled bool) string {
	if len(list) == 0 {
		return ""
	}
	bits := map[string]int{
		"other": 0x80, "repeater": 0x40, "bridge": 0x20, "wlan": 0x10, "router": 0x08, "tel": 0x04, "docsis": 0x02, "station": 0x01,
	}
	all := 0
	for _, c := range list {
		if c.Enabled || !enabled {
			all |= bits[strings.ToLower(c.Type)]
		}
	}
	return fmt.Sprintf("%02X 00", all)
}
