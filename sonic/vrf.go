package sonic

import "strconv"

// TableVRF is the table of sonic-vrf.yang.
const TableVRF = "VRF"

// fieldVNI is the VNI of a VRF and of a tunnel map.
const fieldVNI = "vni"

// VRF is a row of VRF: a routing instance (sonic-vrf.yang).
type VRF struct {
	// Name begins with Vrf and has at most 15 bytes.
	Name string
	// VNI is the L3 VNI (RFC 9135). vrfmgrd changes it through 0 only, and a
	// VRF with a VNI stays half-made for as long as there is no VXLAN_EVPN_NVO.
	VNI int
}

// VRFName is the name of the VRF with an L3 VNI: Vrf20001.
func VRFName(vni int) string { return "Vrf" + strconv.Itoa(vni) }

// Row is the VRF as CONFIG_DB has it.
func (v VRF) Row() Row {
	return Row{Key{TableVRF, v.Name}, Fields{{fieldVNI, strconv.Itoa(v.VNI)}}}
}
