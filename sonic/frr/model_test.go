package frr

import (
	"fmt"
	"net/netip"
)

// leaf is what a leaf with two uplinks and some tenants says to FRR.
func leaf(tenants int) *Config {
	vtep := netip.MustParseAddr("10.255.0.1")
	policy := &Policy{In: "SWITCHLET-ALL", Out: "SWITCHLET-ALL"}
	cfg := &Config{
		Owner: "fabric",
		SONiC: true,
		RouteMaps: []RouteMap{
			{Name: "SWITCHLET-LOOPBACK", Entries: []RouteMapEntry{{Sequence: 10, MatchInterface: "Loopback1"}}},
			{Name: "SWITCHLET-ALL", Entries: []RouteMapEntry{{Sequence: 10}}},
		},
		BGP: &BGP{
			ASN: 4200000001, RouterID: vtep, MultipathRelax: true, EVPN: true,
			Groups: []PeerGroup{{
				Name: "SWITCHLET", RemoteAS: "external", KeepaliveSeconds: 3, HoldSeconds: 9, BFD: true, ExtendedNexthop: true,
				IPv4: policy, EVPN: policy,
			}},
			Peers: []Peer{{Interface: "Ethernet0", Group: "SWITCHLET"}, {Interface: "Ethernet4", Group: "SWITCHLET"}},
			IPv4:  &Unicast{Connected: true, ConnectedMap: "SWITCHLET-LOOPBACK", MaxPaths: 64},
		},
	}
	for i := range tenants {
		cfg.VRFs = append(cfg.VRFs, tenant(i))
	}
	return cfg
}

// tenant is the VRF of one VPC.
func tenant(i int) VRF {
	vni := 20001 + i
	return VRF{
		Owner: fmt.Sprintf("VPC tenant%d/web", i), Name: fmt.Sprintf("Vrf%d", vni), VNI: vni,
		RouterID: netip.MustParseAddr("10.255.0.1"),
		IPv4:     &Unicast{Connected: true, MaxPaths: 64}, IPv6: &Unicast{Connected: true, MaxPaths: 64},
		RD:     fmt.Sprintf("10.255.0.1:%d", i+1),
		Import: []string{fmt.Sprintf("65000:%d", vni)}, Export: []string{fmt.Sprintf("65000:%d", vni)},
	}
}

func numbered() Peer {
	return Peer{Address: netip.MustParseAddr("10.1.0.0"), Group: "SWITCHLET", Description: "spine2"}
}

func sourced(c *Config) {
	c.RouteMaps = append(c.RouteMaps, RouteMap{Name: "SOURCE4", Entries: []RouteMapEntry{{Sequence: 10, SetSource: c.BGP.RouterID}}})
	c.Source4 = "SOURCE4"
}

func prefixes() []PrefixList {
	return []PrefixList{
		{Name: "P4", Entries: []PrefixEntry{{Sequence: 5, Prefix: netip.MustParsePrefix("10.0.0.0/8"), MaxLength: 32}, {Sequence: 10, Deny: true, Prefix: netip.MustParsePrefix("0.0.0.0/0")}}},
		{Name: "P6", IPv6: true, Entries: []PrefixEntry{{Sequence: 5, Prefix: netip.MustParsePrefix("fd00::/8"), MaxLength: 128}}},
	}
}
