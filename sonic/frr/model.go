package frr

import "net/netip"

// Config is everything that Switchlet says to the FRR of one switch.
type Config struct {
	// Owner of what is not a tenant's. Owners are opaque: they come back with
	// what FRR refuses.
	Owner string `json:"owner,omitempty"`
	// SONiC adds the lines that SONiC's start script of the bgp container
	// wants in frr.conf.
	SONiC       bool         `json:"sonic,omitempty"`
	PrefixLists []PrefixList `json:"prefixLists,omitempty"`
	RouteMaps   []RouteMap   `json:"routeMaps,omitempty"`
	// Source4 and Source6 name the route maps that set the source address of
	// routes learnt by BGP (ip protocol bgp route-map). SONiC's bgpcfgd sets
	// its own, RM_SET_SRC, from Loopback0: leave them empty next to it.
	Source4 string `json:"source4,omitempty"`
	Source6 string `json:"source6,omitempty"`
	// BGP is the underlay; nil for none.
	BGP *BGP `json:"bgp,omitempty"`
	// VRFs of tenants. They need BGP.
	VRFs []VRF `json:"vrfs,omitempty"`
}

// BGP is the instance of the default VRF.
type BGP struct {
	ASN      uint32     `json:"asn"`
	RouterID netip.Addr `json:"routerID"`
	// MultipathRelax spreads over paths of different, equally long AS paths,
	// as a Clos fabric with an ASN for each switch needs.
	MultipathRelax bool `json:"multipathRelax,omitempty"`
	// GracefulRestart is RFC 4724; nil leaves FRR's default, helper only.
	GracefulRestart *GracefulRestart `json:"gracefulRestart,omitempty"`
	// GracefulShutdown asks the neighbours to move traffic away (RFC 8326).
	GracefulShutdown bool        `json:"gracefulShutdown,omitempty"`
	Groups           []PeerGroup `json:"groups"`
	Peers            []Peer      `json:"peers,omitempty"`
	IPv4             *Unicast    `json:"ipv4,omitempty"`
	IPv6             *Unicast    `json:"ipv6,omitempty"`
	EVPN             bool        `json:"evpn,omitempty"`
}

// GracefulRestart says how a restart of bgpd keeps the traffic. Zero is FRR's
// default. FRR takes a change over when a session is next established.
type GracefulRestart struct {
	RestartSeconds int `json:"restartSeconds,omitempty"`
	StaleSeconds   int `json:"staleSeconds,omitempty"`
	// DeferSeconds is for how long a bgpd that has just started waits for neighbours that
	// do not come before it chooses routes. FRR's default is minutes.
	DeferSeconds int `json:"deferSeconds,omitempty"`
	// PreserveForwarding says to the neighbours that the ASIC goes on.
	PreserveForwarding bool `json:"preserveForwarding,omitempty"`
	// NoNotification leaves RFC 8538 out: a session that a NOTIFICATION ends, as when
	// nothing is heard for the hold time, is no restart. FRR has it in since 8.3.
	NoNotification bool `json:"noNotification,omitempty"`
}

// PeerGroup is what neighbours have in common.
type PeerGroup struct {
	Name string `json:"name"`
	// RemoteAS is external, internal or a number.
	RemoteAS string `json:"remoteAS"`
	// Description is free text of one line.
	Description string `json:"description,omitempty"`
	// Timers in seconds; zero is FRR's default.
	KeepaliveSeconds int `json:"keepaliveSeconds,omitempty"`
	HoldSeconds      int `json:"holdSeconds,omitempty"`
	ConnectSeconds   int `json:"connectSeconds,omitempty"`
	// BFD tears a session down when BFD (RFC 5880) loses the neighbour. It
	// needs bfdd, which SONiC runs in all modes but split ones with old images.
	BFD bool `json:"bfd,omitempty"`
	// ExtendedNexthop carries IPv4 routes over IPv6 next hops (RFC 8950), which
	// unnumbered links need.
	ExtendedNexthop bool `json:"extendedNexthop,omitempty"`
	// IPv4, IPv6 and EVPN say what the neighbours exchange; nil is nothing.
	IPv4 *Policy `json:"ipv4,omitempty"`
	IPv6 *Policy `json:"ipv6,omitempty"`
	EVPN *Policy `json:"evpn,omitempty"`
}

// Policy names the route maps of a session. Both are needed: without a policy
// FRR exchanges nothing over eBGP (RFC 8212).
type Policy struct {
	In  string `json:"in"`
	Out string `json:"out"`
}

// Peer is a neighbour: on an interface (unnumbered) or with an address.
type Peer struct {
	Interface   string     `json:"interface,omitempty"`
	Address     netip.Addr `json:"address,omitzero"`
	Group       string     `json:"group"`
	Description string     `json:"description,omitempty"`
}

// Unicast is an address family of an instance.
type Unicast struct {
	// Connected takes the routes of the interfaces into BGP.
	Connected bool `json:"connected,omitempty"`
	// ConnectedMap names the route map that chooses them; empty takes all.
	ConnectedMap string `json:"connectedMap,omitempty"`
	// MaxPaths of equal cost over eBGP; zero is FRR's default.
	MaxPaths int `json:"maxPaths,omitempty"`
	// Imports are the VRFs whose routes are taken over as far as the route map
	// ImportMap permits. It has to be given: nothing is taken over unjudged.
	Imports   []VRFImport `json:"imports,omitempty"`
	ImportMap string      `json:"importMap,omitempty"`
}

// VRFImport names a VRF whose routes another one takes over.
type VRFImport struct {
	Owner string `json:"owner,omitempty"`
	VRF   string `json:"vrf"`
}

// VRF is a tenant's routing instance on this switch.
type VRF struct {
	Owner string `json:"owner,omitempty"`
	Name  string `json:"name"`
	// VNI is the L3 VNI.
	VNI int `json:"vni"`
	// RouterID of the instance; FRR finds one in the VRF's interfaces if it
	// has none, so give the switch's.
	RouterID netip.Addr `json:"routerID,omitzero"`
	// IPv4 and IPv6 routes; nil for none. What the VRF has of a family is
	// advertised as EVPN type 5 routes.
	IPv4 *Unicast `json:"ipv4,omitempty"`
	IPv6 *Unicast `json:"ipv6,omitempty"`
	// RD is the route distinguisher, as 10.255.0.1:3001; FRR makes one of the
	// router id if it is empty.
	RD string `json:"rd,omitempty"`
	// Import and Export are route targets, as 65000:53001; FRR makes them of
	// ASN and VNI if there are none, which does not fit an ASN for each switch.
	Import []string `json:"import,omitempty"`
	Export []string `json:"export,omitempty"`
}

// RouteMap is a list of rules, each with its number.
type RouteMap struct {
	Owner   string          `json:"owner,omitempty"`
	Name    string          `json:"name"`
	Entries []RouteMapEntry `json:"entries"`
}

// RouteMapEntry matches routes and says what becomes of them. One without a
// match matches all.
type RouteMapEntry struct {
	Sequence int  `json:"sequence"`
	Deny     bool `json:"deny,omitempty"`
	// MatchInterface is the interface of the next hop.
	MatchInterface string `json:"matchInterface,omitempty"`
	// MatchSourceVRF is the VRF that a route is taken over from.
	MatchSourceVRF string `json:"matchSourceVRF,omitempty"`
	// MatchPrefixes4 and MatchPrefixes6 name prefix lists.
	MatchPrefixes4 string `json:"matchPrefixes4,omitempty"`
	MatchPrefixes6 string `json:"matchPrefixes6,omitempty"`
	// SetSource is the source address of packets sent by such a route.
	SetSource netip.Addr `json:"setSource,omitzero"`
	// NoAdvertise keeps a route from being told to any neighbour (RFC 1997).
	NoAdvertise bool `json:"noAdvertise,omitempty"`
}

// PrefixList is a list of networks, all of one family.
type PrefixList struct {
	Owner   string        `json:"owner,omitempty"`
	Name    string        `json:"name"`
	IPv6    bool          `json:"ipv6,omitempty"`
	Entries []PrefixEntry `json:"entries"`
}

// PrefixEntry matches a network, and with MaxLength those within it up to that
// prefix length.
type PrefixEntry struct {
	Sequence  int          `json:"sequence"`
	Deny      bool         `json:"deny,omitempty"`
	Prefix    netip.Prefix `json:"prefix"`
	MaxLength int          `json:"maxLength,omitempty"`
}
