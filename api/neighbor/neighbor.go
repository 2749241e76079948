// Package neighbor makes of what is heard by LLDP what the API says of a neighbour. What
// comes from the other end of a cable is nobody's to trust: it is made to fit.
package neighbor

import (
	"net"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/lldp/frame"
)

// Bounds of the API, in octets. No text of LLDP but one may be longer than maxText
// (IEEE 802.1AB-2016, clause 8.5).
const (
	maxText = 255
	maxPort = 15
)

// Of is who sent a frame that came to a port or NIC. It reports false for one whose ids
// have nothing in them that can be shown.
func Of(port string, f frame.Frame) (v1alpha1.LLDPNeighbor, bool) {
	return Fit(v1alpha1.LLDPNeighbor{
		Port:             port,
		ChassisIDSubtype: ChassisSubtype(f.ChassisID.Subtype), ChassisID: f.ChassisID.String(),
		PortIDSubtype: PortSubtype(f.PortID.Subtype), PortID: f.PortID.String(),
		PortDescription: f.PortDescription, SystemName: f.SystemName,
	})
}

// ChassisSubtype is the API's word; none for a subtype that is reserved.
func ChassisSubtype(s frame.ChassisSubtype) v1alpha1.ChassisIDSubtype {
	return map[frame.ChassisSubtype]v1alpha1.ChassisIDSubtype{
		frame.ChassisComponent:      v1alpha1.ChassisComponent,
		frame.ChassisInterfaceAlias: v1alpha1.ChassisInterfaceAlias,
		frame.ChassisPortComponent:  v1alpha1.ChassisPortComponent,
		frame.ChassisMACAddress:     v1alpha1.ChassisMACAddress,
		frame.ChassisNetworkAddress: v1alpha1.ChassisNetworkAddress,
		frame.ChassisInterfaceName:  v1alpha1.ChassisInterfaceName,
		frame.ChassisLocal:          v1alpha1.ChassisLocal,
	}[s]
}

// PortSubtype is the API's word; none for a subtype that is reserved.
func PortSubtype(s frame.PortSubtype) v1alpha1.PortIDSubtype {
	return map[frame.PortSubtype]v1alpha1.PortIDSubtype{
		frame.PortInterfaceAlias: v1alpha1.PortInterfaceAlias,
		frame.PortComponent:      v1alpha1.PortComponent,
		frame.PortMACAddress:     v1alpha1.PortMACAddress,
		frame.PortNetworkAddress: v1alpha1.PortNetworkAddress,
		frame.PortInterfaceName:  v1alpha1.PortInterfaceName,
		frame.PortAgentCircuitID: v1alpha1.PortAgentCircuitID,
		frame.PortLocal:          v1alpha1.PortLocal,
	}[s]
}

// Fit makes what came from outside fit the API. It reports false if
// something is missing that says who it is.
func Fit(n v1alpha1.LLDPNeighbor) (v1alpha1.LLDPNeighbor, bool) {
	n.ChassisID = ID(string(n.ChassisIDSubtype), n.ChassisID)
	n.PortID = ID(string(n.PortIDSubtype), n.PortID)
	n.PortDescription, n.SystemName = Text(n.PortDescription), Text(n.SystemName)
	return n, n.ChassisID != "" && n.PortID != "" && n.Port != "" && len(n.Port) <= maxPort && Text(n.Port) == n.Port
}

// ID is Text for an id; addresses have one form only.
func ID(subtype, id string) string {
	id = Text(id)
	switch subtype {
	case string(v1alpha1.ChassisMACAddress):
		if mac, err := net.ParseMAC(id); err == nil {
			return mac.String()
		}
	case string(v1alpha1.ChassisNetworkAddress):
		if address, err := netip.ParseAddr(id); err == nil && address.Zone() == "" {
			return address.String()
		}
	}
	return id
}

// Text takes from a text what cannot be shown, such as control characters and
// what is not UTF-8, and cuts it to its bound.
func Text(s string) string {
	s = s[:min(len(s), 4*maxText)] // a megabyte is not read to its end
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if len(s) > maxText {
		end := maxText
		for !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	return strings.TrimSpace(s)
}
