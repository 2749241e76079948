package neighbors

import (
	"strings"
	"unicode/utf8"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/lldp/frame"
	"github.com/switchlet/switchlet/lldp/wire"
)

// Bounds of the API.
const (
	maxText   = 255
	maxPerNIC = 8
	maxTotal  = 1024
)

// show is a neighbour as the API has it. It reports false for one whose ids have
// nothing in them that can be shown.
func show(n wire.Neighbor) (v1alpha1.LLDPNeighbor, bool) {
	shown := v1alpha1.LLDPNeighbor{
		Port:             n.Interface,
		ChassisIDSubtype: chassisSubtype(n.Frame.ChassisID.Subtype), ChassisID: text(n.Frame.ChassisID.String()),
		PortIDSubtype: portSubtype(n.Frame.PortID.Subtype), PortID: text(n.Frame.PortID.String()),
		PortDescription: text(frame.Text(n.Frame.PortDescription)), SystemName: text(frame.Text(n.Frame.SystemName)),
		Stale: n.Stale,
	}
	return shown, shown.ChassisID != "" && shown.PortID != ""
}

// chassisSubtype is the API's word; none for a subtype that is reserved.
func chassisSubtype(s frame.ChassisSubtype) v1alpha1.ChassisIDSubtype {
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

// portSubtype is the API's word; none for a subtype that is reserved.
func portSubtype(s frame.PortSubtype) v1alpha1.PortIDSubtype {
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

// text cuts what may be shown to the API's bound, at the end of a character.
func text(s string) string {
	if len(s) > maxText {
		end := maxText
		for !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	return strings.TrimSpace(s)
}
