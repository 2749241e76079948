package render

import (
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// vrf renders a VRF and the VLAN, the map and the interface that stand for its
// L3 VNI.
func (r *renderer) vrf(vrf *v1alpha1.VRFConfig) {
	vni, vlan := int(vrf.VNI), int(vrf.VLAN)
	name := sonic.VRFName(vni)
	r.vrfs[vrf.VNI] = true
	r.add(vrf.Owner,
		sonic.VLAN{ID: vlan, Description: description(vrf.Owner.Namespace, vrf.Owner.Name)}.Row(),
		sonic.TunnelMap{Tunnel: tunnel, VLAN: vlan, VNI: vni}.Row(),
		sonic.VRF{Name: name, VNI: vni}.Row())
	r.add(vrf.Owner, sonic.VLANInterface{VLAN: vlan, VRF: name}.Rows()...)
}
