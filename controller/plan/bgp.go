package plan

import (
	"net/netip"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// bgp is what a Switch says of BGP, with the switch's VTEP as the router id: it
// is unlike any other's. A switch without one has no router id yet.
func bgp(sw *v1alpha1.Switch, vtep netip.Addr) *v1alpha1.BGPConfig {
	if sw.Spec.BGP == nil {
		return nil
	}
	config := &v1alpha1.BGPConfig{BGP: *sw.Spec.BGP.DeepCopy()}
	if vtep.Is4() {
		config.RouterID = vtep.String()
	}
	return config
}
