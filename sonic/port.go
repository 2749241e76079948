package sonic

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Tables that say what an interface is and what it is used for.
const (
	TablePort                 = "PORT"
	TablePortChannel          = "PORTCHANNEL"
	TablePortChannelMember    = "PORTCHANNEL_MEMBER"
	TableInterface            = "INTERFACE"
	TablePortChannelInterface = "PORTCHANNEL_INTERFACE"
	TableMirrorSession        = "MIRROR_SESSION"
)

// Port is a physical port or a port channel as CONFIG_DB has it
// (sonic-port.yang, sonic-portchannel.yang).
type Port struct {
	Name    string
	Alias   string
	Speed   int // Mbit/s, 0 if not known
	AdminUp bool
	// PortChannel that the port is a member of.
	PortChannel string
	// Routed is the row that makes it a routed interface.
	Routed Key
	// NativeVLAN is the VLAN that is untagged on it, 0 if there is none.
	NativeVLAN int
}

// portKey is the row of a port or port channel.
func portKey(name string) Key {
	if strings.HasPrefix(name, "PortChannel") {
		return Key{TablePortChannel, name}
	}
	return Key{TablePort, name}
}

// memberPort is the row of the port that a VLAN_MEMBER row names.
func memberPort(key Key) (Key, bool) {
	_, port := key.split()
	return portKey(port), key.Table == TableVLANMember
}

// Ports are the physical ports and port channels of a switch, in natural order
// of their names. Rows for which skip is true do not count.
func Ports(db DB, skip func(Key) bool) []Port {
	ports := map[string]*Port{}
	for key, fields := range db {
		if key.Table == TablePort || key.Table == TablePortChannel {
			speed, _ := strconv.Atoi(fields.value("speed"))
			ports[key.Name] = &Port{
				Name: key.Name, Alias: fields.value("alias"),
				Speed: max(speed, 0), AdminUp: fields.value("admin_status") == "up",
			}
		}
	}
	for key, fields := range db {
		if !skip(key) {
			addUse(ports, key, fields)
		}
	}
	list := make([]Port, 0, len(ports))
	for _, port := range ports {
		list = append(list, *port)
	}
	slices.SortFunc(list, func(a, b Port) int { return compareNatural(a.Name, b.Name) })
	return list
}

func addUse(ports map[string]*Port, key Key, fields Fields) {
	first, rest := key.split()
	switch key.Table {
	case TablePortChannelMember:
		if p := ports[rest]; p != nil && (p.PortChannel == "" || first < p.PortChannel) {
			p.PortChannel = first
		}
	case TableInterface, TablePortChannelInterface:
		// The row without an address is the one to name; it comes first.
		if p := ports[first]; p != nil && (p.Routed == Key{} || key.Compare(p.Routed) < 0) {
			p.Routed = key
		}
	case TableVLANMember:
		id, ok := ParseVLANName(first)
		if p := ports[rest]; p != nil && ok && fields.value(taggingMode) == "untagged" && (p.NativeVLAN == 0 || id < p.NativeVLAN) {
			p.NativeVLAN = id
		}
	}
}

// compareNatural orders Ethernet8 before Ethernet16.
func compareNatural(a, b string) int {
	prefixA, numberA := cutNumber(a)
	prefixB, numberB := cutNumber(b)
	return cmp.Or(strings.Compare(prefixA, prefixB), cmp.Compare(numberA, numberB), strings.Compare(a, b))
}

func cutNumber(s string) (string, int) {
	prefix := strings.TrimRight(s, "0123456789")
	n, _ := strconv.Atoi(s[len(prefix):])
	return prefix, n
}
