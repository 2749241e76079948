package render

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/frr"
)

// Names of what is not a tenant's in FRR.
const (
	peerGroup   = "SWITCHLET"
	mapLoopback = "SWITCHLET-LOOPBACK"
	mapAll      = "SWITCHLET-ALL"
)

// Values that are the same on every switch.
const (
	// targetAS begins the route target of a VRF on all switches; the VNI follows
	// (RFC 8365, section 5.1.2.1). Those that FRR makes of itself begin with the
	// switch's ASN. That is another one on each switch, and not every router
	// looks at the VNI alone; of an ASN of four bytes it is a half.
	targetAS = 65000
	// firstRD is what the VLAN id of a VRF is added to for its route
	// distinguisher (RFC 4364, section 4.2), which ends at 65535. FRR counts from
	// 1 for those that it makes itself, of the L2 VNIs.
	firstRD = 60000
	// Seconds of BGP sessions: a neighbour that is gone is noticed within 9, and
	// called again after 10.
	keepalive, hold, connect = 3, 9, 10
	// deferral is longer than a neighbour that is there needs, in seconds. A switch whose
	// bgpd starts while a neighbour is away has no routes for so long.
	deferral = 30
	maxPaths = 64
)

// BGP gives what a spec says to FRR, and nothing if there is no bgp in it. Of
// the VRFs those have their part for which wanted says so. The owners in it are
// for Owner to read. A VRF takes over nothing from one that has no part. The error wraps ErrInvalidSpec if bgp as a whole is of no
// use: what FRR has had better stay then.
func BGP(spec *v1alpha1.SwitchConfigSpec, box Box, wanted func(*v1alpha1.VRFConfig) bool) (*frr.Config, error) {
	cfg := &frr.Config{Owner: box.self().String(), SONiC: true}
	if spec.BGP == nil {
		return cfg, nil
	}
	routerID, err := netip.ParseAddr(spec.BGP.RouterID)
	if err != nil || !routerID.Is4() {
		return nil, fmt.Errorf("%w: %w", ErrInvalidSpec, noRouterID(spec, box))
	}
	if spec.BGP.ASN < 1 || spec.BGP.ASN >= 1<<32 {
		return nil, fmt.Errorf("%w: spec.bgp.asn is %d: it must be from 1 to 4294967295", ErrInvalidSpec, spec.BGP.ASN)
	}
	cfg.RouteMaps = []frr.RouteMap{
		{Name: mapLoopback, Entries: []frr.RouteMapEntry{{Sequence: 10, MatchInterface: loopback}}},
		{Name: mapAll, Entries: []frr.RouteMapEntry{{Sequence: 10}}},
	}
	peers, err := peers(spec.BGP)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidSpec, err)
	}
	cfg.BGP = underlay(uint32(spec.BGP.ASN), routerID, peers)
	cfg.BGP.GracefulShutdown = box.Draining
	for i := range spec.VRFs {
		if wanted(&spec.VRFs[i]) {
			cfg.VRFs = append(cfg.VRFs, vrfOfFRR(&spec.VRFs[i], routerID))
		}
	}
	addImports(cfg, spec)
	return cfg, nil
}

func noRouterID(spec *v1alpha1.SwitchConfigSpec, box Box) error {
	if spec.BGP.RouterID == "" {
		return fmt.Errorf("spec.bgp.routerID is empty: switch %s has no VTEP address yet. A leaf gets one from the Fabric's pool; for another switch make an Allocation of pool VTEP with the Switch as its holder", box.Name)
	}
	return fmt.Errorf("spec.bgp.routerID is %q: it must be an IPv4 address", spec.BGP.RouterID)
}

// underlay is the instance that all neighbours are in. Only the address of the
// tunnel endpoint is advertised: the links have none.
func underlay(asn uint32, routerID netip.Addr, peers []frr.Peer) *frr.BGP {
	all := &frr.Policy{In: mapAll, Out: mapAll}
	unicast := &frr.Unicast{Connected: true, ConnectedMap: mapLoopback, MaxPaths: maxPaths}
	return &frr.BGP{
		ASN: asn, RouterID: routerID, MultipathRelax: true, EVPN: true,
		// What the ASIC forwards outlives the bgp container: neighbours go on using it while
		// that is replaced. FRR 10.7 does so with EVPN routes, too; 8.4 does not. A switch
		// that falls silent is no restart: it may forward nothing.
		GracefulRestart: &frr.GracefulRestart{DeferSeconds: deferral, PreserveForwarding: true, NoNotification: true},

		IPv4: unicast, IPv6: unicast,
		Groups: []frr.PeerGroup{{
			Name: peerGroup, RemoteAS: "external", ExtendedNexthop: true,
			KeepaliveSeconds: keepalive, HoldSeconds: hold, ConnectSeconds: connect,
			IPv4: all, IPv6: all, EVPN: all,
		}},
		Peers: peers,
	}
}

func peers(bgp *v1alpha1.BGPConfig) ([]frr.Peer, error) {
	var all []frr.Peer
	for _, uplink := range bgp.Uplinks {
		all = append(all, frr.Peer{Interface: uplink, Group: peerGroup})
	}
	for i, n := range bgp.Neighbors {
		address, err := netip.ParseAddr(n.Address)
		if err != nil {
			return nil, fmt.Errorf("spec.bgp.neighbors[%d].address is %q: it must be an IP address", i, n.Address)
		}
		all = append(all, frr.Peer{Address: address, Group: peerGroup, Description: n.Description})
	}
	return all, nil
}

// vrfOfFRR advertises the networks of a VRF, with their gateways, as EVPN type 5
// routes (RFC 9136).
func vrfOfFRR(vrf *v1alpha1.VRFConfig, routerID netip.Addr) frr.VRF {
	target := []string{fmt.Sprintf("%d:%d", targetAS, vrf.VNI)}
	connected := &frr.Unicast{Connected: true}
	return frr.VRF{
		Owner: vrf.Owner.String(), Name: sonic.VRFName(int(vrf.VNI)), VNI: int(vrf.VNI), RouterID: routerID,
		IPv4: connected, IPv6: connected,
		RD: routerID.String() + ":" + strconv.Itoa(firstRD+int(vrf.VLAN)), Import: target, Export: target,
	}
}
