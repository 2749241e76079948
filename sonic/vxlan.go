package sonic

import (
	"net/netip"
	"strconv"
)

// Tables of sonic-vxlan.yang.
const (
	TableTunnel    = "VXLAN_TUNNEL"
	TableNVO       = "VXLAN_EVPN_NVO"
	TableTunnelMap = "VXLAN_TUNNEL_MAP"
)

// Fields of sonic-vxlan.yang.
const (
	fieldSourceIP   = "src_ip"
	fieldSourceVTEP = "source_vtep"
	fieldVLAN       = "vlan"
)

// maxTunnels is the max-elements of VXLAN_TUNNEL in sonic-vxlan.yang.
const maxTunnels = 2

// Tunnel is a row of VXLAN_TUNNEL: a tunnel endpoint (sonic-vxlan.yang).
// vxlanmgrd knows no change of it.
type Tunnel struct {
	// Name has at most 10 bytes and no "Vrf" in it: vxlanmgrd names devices
	// <name>-<vlan id>, and orchagent looks for "Vrf" in the keys of maps.
	Name string
	// Source is the address of the endpoint.
	Source netip.Addr
}

// Row is the tunnel as CONFIG_DB has it.
func (t Tunnel) Row() Row {
	return Row{Key{TableTunnel, t.Name}, Fields{{fieldSourceIP, t.Source.String()}}}
}

// NVO is a row of VXLAN_EVPN_NVO, of which a switch has one at most: it makes
// EVPN use a tunnel (sonic-vxlan.yang).
type NVO struct {
	Name string
	// Tunnel is the name of the tunnel endpoint.
	Tunnel string
}

// Row is the NVO as CONFIG_DB has it.
func (n NVO) Row() Row {
	return Row{Key{TableNVO, n.Name}, Fields{{fieldSourceVTEP, n.Tunnel}}}
}

// TunnelMap is a row of VXLAN_TUNNEL_MAP: the VNI of a VLAN (sonic-vxlan.yang).
// A VLAN has one VNI and a VNI has one VLAN; orchagent drops a second one of
// either for good.
type TunnelMap struct {
	Tunnel string
	VLAN   int
	VNI    int
}

// Row is the map as CONFIG_DB has it. orchagent splits the key's last part at
// "_" into exactly three, the VNI second.
func (m TunnelMap) Row() Row {
	vlan, vni := VLANName(m.VLAN), strconv.Itoa(m.VNI)
	return Row{
		Key{TableTunnelMap, m.Tunnel + Separator + "map_" + vni + "_" + vlan},
		Fields{{fieldVLAN, vlan}, {fieldVNI, vni}},
	}
}

// ParseVNI is the number of a VNI from 1 to 2^24-1.
func ParseVNI(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 1 && n < 1<<24
}

// VNI is the VNI that a row of VRF or VXLAN_TUNNEL_MAP uses.
func (r Row) VNI() (int, bool) {
	if r.Key.Table != TableVRF && r.Key.Table != TableTunnelMap {
		return 0, false
	}
	return ParseVNI(r.Fields.value(fieldVNI))
}

// TunnelSource is the address that a row of VXLAN_TUNNEL starts from.
func (r Row) TunnelSource() (string, bool) {
	if r.Key.Table != TableTunnel {
		return "", false
	}
	return r.Fields.Get(fieldSourceIP)
}
