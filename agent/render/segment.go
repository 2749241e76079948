package render

import (
	"net/netip"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// segment renders a subnet, whole or not at all: half a subnet would look as if
// it worked.
func (r *renderer) segment(s *v1alpha1.SegmentConfig) {
	if !r.vrfs[s.VRF] {
		r.problem(s.Owner, ReasonInvalidValue, "Subnet %s is in VRF %d, which spec.vrfs of SwitchConfig %s does not have. The controller has to compile it again.",
			s.Subnet, s.VRF, r.box.Name)
		return
	}
	gateway, ok := r.gateway(s)
	if !ok {
		return
	}
	vlan := int(s.VLAN)
	r.add(s.Owner,
		sonic.VLAN{ID: vlan, Description: description(s.Owner.Namespace, s.Owner.Name, s.Subnet)}.Row(),
		sonic.TunnelMap{Tunnel: tunnel, VLAN: vlan, VNI: int(s.VNI)}.Row())
	r.add(s.Owner, gateway...)
	for i := range s.Ports {
		r.port(s, &s.Ports[i])
	}
}

// gateway renders the routed interface of a subnet with gateways.
func (r *renderer) gateway(s *v1alpha1.SegmentConfig) ([]sonic.Row, bool) {
	if len(s.Gateways) == 0 {
		return nil, true
	}
	svi := sonic.VLANInterface{VLAN: int(s.VLAN), VRF: sonic.VRFName(int(s.VRF)), GratuitousARP: true}
	for _, gateway := range s.Gateways {
		prefix, err := netip.ParsePrefix(gateway)
		if err != nil || prefix.Addr().Zone() != "" {
			r.problem(s.Owner, ReasonInvalidValue, "Gateway %q of subnet %s is not an address with prefix length such as 10.1.0.1/24. Correct the subnet's gateways.",
				gateway, s.Subnet)
			return nil, false
		}
		svi.Addresses = append(svi.Addresses, prefix)
	}
	if r.mac == "" {
		r.problem(s.Owner, ReasonInvalidValue, "Subnet %s has a gateway, and spec.anycastMAC of SwitchConfig %s is empty. Set anycastMAC in the Fabric.",
			s.Subnet, r.box.Name)
		return nil, false
	}
	switch r.box.Gateway {
	case v1alpha1.GatewayMACAddress:
		svi.MACAddress = r.mac
	case v1alpha1.GatewayStaticAnycastGateway:
		svi.AnycastGateway = true
		r.add(r.box.self(), sonic.AnycastGateway{MACAddress: r.mac}.Row())
	default:
		r.problem(s.Owner, ReasonGatewayUnsupported, "Subnet %s has a gateway, and the SONiC of switch %s knows neither VLAN_INTERFACE.mac_addr nor a static anycast gateway. Upgrade the switch to 202505 or later, or attach the subnet elsewhere.",
			s.Subnet, r.box.Name)
		return nil, false
	}
	return svi.Rows(), true
}

func (r *renderer) port(s *v1alpha1.SegmentConfig, p *v1alpha1.SegmentPort) {
	if !validPort(p.Name) {
		r.problem(p.Owner, ReasonInvalidValue, "Port %q of switch %s for subnet %s is not the name of a port. Names are those of status.ports of the Switch.",
			p.Name, r.box.Name, s.Subnet)
		return
	}
	r.add(p.Owner, sonic.VLANMember{VLAN: int(s.VLAN), Port: p.Name, Untagged: p.Mode == v1alpha1.ModeNative}.Row())
}

// validPort keeps a port's name from being more than one part of a key. Linux
// takes names of up to 15 bytes.
func validPort(name string) bool {
	for _, c := range []byte(name) {
		alphanumeric := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !alphanumeric && c != '-' && c != '_' {
			return false
		}
	}
	return name != "" && len(name) <= 15
}
