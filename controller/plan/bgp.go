package plan

import (
	"net/netip"
	"slices"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// bgp is what a Switch says of BGP, and the uplinks that were found beside it. A
// switch that says nothing and has no uplink has none: its FRR is left alone.
// The router id is the address of the VTEP, which is unlike any other's; a
// switch without one has no router id yet.
func (u uplinks) bgp(in Inputs, sw *v1alpha1.Switch, vtep netip.Addr) *v1alpha1.BGPConfig {
	config := &v1alpha1.BGPConfig{}
	switch {
	case sw.Spec.BGP != nil:
		config.BGP = *sw.Spec.BGP.DeepCopy()
	case len(u.found) == 0:
		return nil
	default:
		if config.ASN = asnOf(in, sw); config.ASN == 0 { // as it was
			config.ASN = in.Configs[sw.Name].Spec.BGP.ASN
		}
	}
	for _, c := range u.found {
		if !slices.Contains(config.Uplinks, c.Port) && len(config.Uplinks) < maxUplinks {
			config.Uplinks = append(config.Uplinks, c.Port)
		}
	}
	if vtep.Is4() {
		config.RouterID = vtep.String()
	}
	return config
}
