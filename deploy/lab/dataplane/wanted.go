package dataplane

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

const (
	// defaultMTU of ports, VLANs and the bridge (sonic-swss cfgmgr/portmgr.h,
	// vlanmgr.cpp).
	defaultMTU = 9100
	// loopbackMTU (sonic-swss cfgmgr/intfmgr.cpp).
	loopbackMTU = 65536
	// What VXLAN puts around an Ethernet frame, whose own header is not counted
	// in its MTU: Ethernet, VXLAN, UDP, and IPv4 or IPv6 (RFC 7348, section 5).
	overhead4, overhead6 = 14 + 8 + 8 + 20, 14 + 8 + 8 + 40
	// noMAC in APPL_DB stands for the switch's own.
	noMAC = "00:00:00:00:00:00"
)

// Wanted are the devices that the daemons' rows stand for on a switch with a MAC
// address. Ports are among them whether they have a cable or not.
func Wanted(appl, state Rows, mac string) Devices {
	w := &wanted{tables: newTables(appl, state), mac: mac, devices: Devices{}}
	if len(w.appl["PORT_TABLE"]) == 0 {
		return w.devices // no daemon runs
	}
	w.bridge()
	w.ports()
	w.vlans()
	w.members()
	w.vrfs()
	w.tunnels()
	w.interfaces()
	w.prefixes()
	w.transits()
	w.stations()
	return w.devices
}

type wanted struct {
	tables
	mac     string
	devices Devices
}

// change changes a device that is wanted.
func (w *wanted) change(name string, change func(*Device)) {
	d := w.devices[name]
	change(&d)
	w.devices[name] = d
}

func (w *wanted) bridge() {
	w.devices[bridge] = Device{Kind: Bridge, Up: true, MTU: defaultMTU, MAC: w.mac, VLANs: map[int]bool{}, Stations: map[int]string{}}
}

func (w *wanted) ports() {
	for name, row := range w.appl["PORT_TABLE"] {
		w.devices[name] = Device{Kind: Port, Up: up(row, "down"), MTU: mtu(row)}
	}
}

func (w *wanted) vlans() {
	for name, row := range w.appl["VLAN_TABLE"] {
		id, ok := w.vlan(name)
		if !ok {
			continue
		}
		w.devices[name] = Device{
			Kind: VLAN, ID: id, Up: up(row, "up"), MTU: min(mtu(row), defaultMTU), MAC: cmp.Or(row["mac"], w.mac),
		}
		w.devices[bridge].VLANs[id] = false
	}
}

// members puts ports into the bridge. A port without VLANs is not in it.
func (w *wanted) members() {
	for key, row := range w.appl["VLAN_MEMBER_TABLE"] {
		vlan, port, _ := strings.Cut(key, ":")
		id, ok := w.vlan(vlan)
		if !ok || w.devices[port].Kind != Port || !w.done("VLAN_MEMBER_TABLE", vlan, port) {
			continue
		}
		w.change(port, func(d *Device) {
			d.Master, d.Learns = bridge, true
			if d.VLANs == nil {
				d.VLANs = map[int]bool{}
			}
			d.VLANs[id] = row["tagging_mode"] != "tagged"
		})
	}
}

func (w *wanted) vrfs() {
	for name := range w.appl["VRF_TABLE"] {
		if w.vrf(name) {
			w.devices[name] = Device{Kind: VRF, Up: true, Routed: true}
		}
	}
}

// tunnels makes a device for each VNI. Its name is vxlanmgrd's.
func (w *wanted) tunnels() {
	for key, row := range w.appl["VXLAN_TUNNEL_MAP_TABLE"] {
		tunnel, _, _ := strings.Cut(key, ":")
		id, ok := w.vlan(row["vlan"])
		vni, err := strconv.Atoi(row["vni"])
		local, bad := netip.ParseAddr(w.appl["VXLAN_TUNNEL_TABLE"][tunnel]["src_ip"])
		if !ok || err != nil || bad != nil || !w.done("SUPPRESS_VLAN_NEIGH_TABLE", row["vlan"]) {
			continue
		}
		w.devices[fmt.Sprintf("%s-%d", tunnel, id)] = Device{
			Kind: VXLAN, ID: vni, Local: local, Up: true, MTU: w.tunnelMTU(local), Master: bridge, VLANs: map[int]bool{id: true},
		}
	}
}

// tunnelMTU is what fits into the ports that lead to other switches: those with a
// router interface in the default VRF.
func (w *wanted) tunnelMTU(local netip.Addr) int {
	least := defaultMTU
	for name, row := range w.appl["INTF_TABLE"] {
		if port, ok := w.appl["PORT_TABLE"][name]; ok && row["vrf_name"] == "" {
			least = min(least, mtu(port))
		}
	}
	if local.Is6() {
		return least - overhead6
	}
	return least - overhead4
}

// interfaces makes ports, VLANs and loopbacks routed.
func (w *wanted) interfaces() {
	for name, row := range w.appl["INTF_TABLE"] {
		if strings.Contains(name, ":") || !w.done("INTERFACE_TABLE", name) {
			continue
		}
		if strings.HasPrefix(name, "Loopback") {
			w.devices[name] = Device{Kind: Loopback, Up: up(row, "up"), MTU: loopbackMTU}
		}
		d, ok := w.devices[name]
		vrf := row["vrf_name"]
		if !ok || d.Master != "" || vrf != "" && !w.vrf(vrf) {
			continue
		}
		d.Master, d.Routed, d.Gleans = vrf, true, row["grat_arp"] == "enabled"
		if mac := row["mac_addr"]; mac != "" && mac != noMAC && d.Kind == VLAN {
			d.MAC = strings.ToLower(mac)
		}
		w.devices[name] = d
	}
}

func (w *wanted) prefixes() {
	for key := range w.appl["INTF_TABLE"] {
		name, text, _ := strings.Cut(key, ":")
		address, ok := prefix(text)
		if !ok || !w.devices[name].Routed || !w.done("INTERFACE_TABLE", name, text) {
			continue
		}
		w.change(name, func(d *Device) {
			d.Addresses = append(d.Addresses, address)
			slices.SortFunc(d.Addresses, netip.Prefix.Compare)
		})
	}
}

// transits takes interfaces of a VRF down that have no address while their VLAN's
// VNI is not the VRF's: they have nothing to forward.
func (w *wanted) transits() {
	vniOf := map[string]string{} // VLAN → VNI
	for _, row := range w.appl["VXLAN_TUNNEL_MAP_TABLE"] {
		vniOf[row["vlan"]] = row["vni"]
	}
	vrfOf := map[string]string{} // VNI → VRF
	for _, row := range w.appl["VXLAN_VRF_TABLE"] {
		vrfOf[row["vni"]] = row["vrf"]
	}
	for name, d := range w.devices {
		if d.Kind == VLAN && d.Master != "" && len(d.Addresses) == 0 && vrfOf[vniOf[name]] != d.Master {
			w.change(name, func(d *Device) { d.Up = false })
		}
	}
}

// stations tells the bridge which MAC addresses are the switch's own.
func (w *wanted) stations() {
	stations := w.devices[bridge].Stations
	for d := range maps.Values(w.devices) {
		if d.Kind == VLAN && d.MAC != w.mac {
			stations[d.ID] = d.MAC
		}
	}
}

// oid is the identifier that a port has in COUNTERS_DB.
func oid(port string) string {
	n, err := strconv.ParseUint(strings.TrimPrefix(port, portPrefix), 10, 32)
	if err != nil {
		n = 0
	}
	const typePort = 1 // saitypes.h: SAI_OBJECT_TYPE_PORT
	return fmt.Sprintf("oid:0x%x", uint64(typePort)<<48|(n+2))
}

// portPrefix begins the names of ports.
const portPrefix = "Ethernet"
