package swss

import (
	"encoding/json"
	"net"
	"net/netip"
)

func (o *orchagent) setGateway(_ string, row Row) bool {
	o.gatewayMAC = row["gateway_mac"]
	return true
}

func (o *orchagent) delGateway(string) bool {
	o.gatewayMAC = ""
	return true
}

// switchGateway switches the anycast gateway of an interface. The first one of
// a VRF brings the route to the gateway's link-local address, the last one that
// is switched off takes it away.
func (o *orchagent) switchGateway(made *interfaceObject, on bool) {
	if made.anycast == on {
		return
	}
	made.anycast = on
	vrf := o.vrfs[made.vrf]
	if vrf == nil {
		return
	}
	if on {
		vrf.users++
	} else {
		vrf.users--
	}
	switch {
	case vrf.users == 1 && vrf.route == "" && o.gatewayMAC != "":
		vrf.route = o.routeKey(vrf)
		o.d.db.set(AsicDB, vrf.route, Row{"SAI_ROUTE_ENTRY_ATTR_PACKET_ACTION": "SAI_PACKET_ACTION_FORWARD"})
	case vrf.users == 0 && !vrf.leaked && vrf.route != "":
		o.d.db.del(AsicDB, vrf.route)
		vrf.route = ""
	}
}

// leak is what orchagent does when an interface goes whose gateway is on: it
// forgets the route, and SAI never lets the VRF go.
func (o *orchagent) leak(made *interfaceObject) {
	if vrf := o.vrfs[made.vrf]; vrf != nil {
		vrf.users--
		vrf.leaked = true
	}
}

func (o *orchagent) routeKey(vrf *vrfObject) string {
	entry := struct {
		Dest   string `json:"dest"`
		Switch string `json:"switch_id"`
		VR     string `json:"vr"`
	}{linkLocal(o.gatewayMAC) + "/128", "oid:0x21000000000000", vrf.oid}
	text, err := json.Marshal(entry)
	if err != nil {
		panic("swss: three strings that cannot be JSON: " + err.Error())
	}
	return "ASIC_STATE:SAI_OBJECT_TYPE_ROUTE_ENTRY:" + string(text)
}

// linkLocal is the link-local IPv6 address of a MAC address (RFC 4291,
// appendix A).
func linkLocal(mac string) string {
	m, err := net.ParseMAC(mac)
	if err != nil || len(m) != 6 {
		return "fe80::"
	}
	return netip.AddrFrom16([16]byte{
		0: 0xfe, 1: 0x80, 8: m[0] ^ 2, 9: m[1], 10: m[2], 11: 0xff, 12: 0xfe, 13: m[3], 14: m[4], 15: m[5],
	}).String()
}
