package probe

import (
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/sonic"
)

// ports are what CONFIG_DB says of the ports of a switch.
type ports struct {
	all    []string        // every port, in rising order
	routed []string        // ports and port channels with an interface of their own, in rising order
	vlans  map[string]bool // ports that are in a VLAN
}

func portsOf(rows sonic.DB) ports {
	p := ports{vlans: map[string]bool{}}
	routed := map[string]bool{}
	for key := range rows {
		first, rest, _ := strings.Cut(key.Name, sonic.Separator)
		switch key.Table {
		case sonic.TablePort:
			p.all = append(p.all, key.Name)
		case sonic.TableInterface, sonic.TablePortChannelInterface:
			routed[first] = true
		case sonic.TableVLANMember:
			p.vlans[rest] = true
		}
	}
	slices.Sort(p.all)
	p.routed = slices.Sorted(maps.Keys(routed))
	return p
}

// Fields of APPL_DB's LLDP_ENTRY_TABLE (sonic-dbsyncd, lldp_syncd/daemon.py).
const (
	lldpChassis      = "lldp_rem_chassis_id"
	lldpSystemName   = "lldp_rem_sys_name"
	lldpDescription  = "lldp_rem_sys_desc"
	lldpCapabilities = "lldp_rem_sys_cap_enabled"
)

// Bits of the first of the two octets, in hexadecimal, of the capabilities
// (IEEE 802.1AB, clause 8.5.8; in the order of SNMP's BITS, RFC 2578).
const (
	capBridge = 0x20
	capRouter = 0x08
)

// switchNeighbors are the ports behind which there is another switch. A server
// that routes for its virtual machines says that it is bridge and router too;
// its port is in VLANs.
func (p ports) switchNeighbors(entries map[string]map[string]string) []string {
	var names []string
	for _, port := range p.all {
		entry, ok := entries[port]
		if !ok {
			continue
		}
		if strings.Contains(entry[lldpDescription], "SONiC") || forwards(entry[lldpCapabilities]) && !p.vlans[port] {
			names = append(names, port)
		}
	}
	return names
}

func forwards(capabilities string) bool {
	first, _, _ := strings.Cut(capabilities, " ")
	octets, err := hex.DecodeString(first)
	return err == nil && len(octets) > 0 && octets[0]&capBridge != 0 && octets[0]&capRouter != 0
}

// uplinks are the ports and port channels that carry the fabric: those that are
// routed, and those with a switch behind them.
func (p ports) uplinks(neighbors []string) []string {
	all := slices.Concat(p.routed, neighbors)
	slices.Sort(all)
	return slices.Compact(all)
}
