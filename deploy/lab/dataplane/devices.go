package dataplane

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// Kind of a device.
type Kind string

// Kinds. Ports are made by whoever plugs in cables, all others by this package.
const (
	Port     Kind = "port"
	Bridge   Kind = "bridge"
	VLAN     Kind = "vlan"
	VRF      Kind = "vrf"
	VXLAN    Kind = "vxlan"
	Loopback Kind = "dummy"
)

// bridge is the name of the one bridge (sonic-swss cfgmgr/vlanmgr.cpp).
const bridge = "Bridge"

// Device is a network device as it is or is to be.
type Device struct {
	Kind Kind
	// ID is the VLAN id, the VNI, or the VRF's table, of which a wanted VRF has
	// none.
	ID int
	// Local is a VXLAN device's own address.
	Local netip.Addr
	// Up is the administrative state.
	Up bool
	// MTU in bytes, without the Ethernet header.
	MTU int
	// MAC address, or "" where any will do.
	MAC string
	// Master is the bridge or VRF that the device is in.
	Master string
	// Routed says that IP packets that come in are forwarded, and that the device
	// has IPv6.
	Routed bool
	// Gleans says that answers nobody asked for tell of neighbours (grat_arp).
	Gleans bool
	// Addresses in rising order, without link-local ones of IPv6.
	Addresses []netip.Prefix
	// VLANs of a port of the bridge, or of the bridge itself. True is untagged,
	// both ways.
	VLANs map[int]bool
	// Learns says that a port of the bridge learns MAC addresses.
	Learns bool
	// Stations are the bridge's own MAC addresses besides its first, by VLAN.
	Stations map[int]string
	// halfRouted is neither routed nor not, as the kernel makes devices.
	halfRouted bool
}

// Devices are devices by name.
type Devices map[string]Device

// Names in rising order.
func (d Devices) Names() []string { return slices.Sorted(maps.Keys(d)) }

// String has a line for each device.
func (d Devices) String() string {
	var b strings.Builder
	for _, name := range d.Names() {
		fmt.Fprintf(&b, "%s %v\n", name, d[name])
	}
	return b.String()
}

// String is the device without its name: "vlan 100 up mtu 9100 …".
func (d Device) String() string {
	words := []string{string(d.Kind)}
	add := func(is bool, format string, args ...any) {
		if is {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(d.ID != 0, "%d", d.ID)
	add(d.Local.IsValid(), "local %v", d.Local)
	add(d.Up, "up")
	add(!d.Up, "down")
	add(d.MTU != 0, "mtu %d", d.MTU)
	add(d.MAC != "", "mac %s", d.MAC)
	add(d.Master != "", "in %s", d.Master)
	add(d.Master == bridge && !d.Learns, "learning off")
	add(d.Routed, "routed")
	add(d.Gleans, "gleans")
	for _, address := range d.Addresses {
		add(true, "%v", address)
	}
	for _, id := range slices.Sorted(maps.Keys(d.VLANs)) {
		add(true, "%s", membership(id, d.VLANs[id]))
	}
	for _, id := range slices.Sorted(maps.Keys(d.Stations)) {
		add(true, "station %s vlan %d", d.Stations[id], id)
	}
	return strings.Join(words, " ")
}

func membership(id int, untagged bool) string {
	if untagged {
		return fmt.Sprintf("vlan %d untagged", id)
	}
	return fmt.Sprintf("vlan %d", id)
}
