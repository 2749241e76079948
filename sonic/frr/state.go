package frr

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Neighbor is a session of BGP as bgpd sees it, in one address family.
type Neighbor struct {
	VRF string // "default" for the underlay's
	// Family in FRR's words: ipv4Unicast, ipv6Unicast, l2VpnEvpn.
	Family string
	// Name is the interface of an unnumbered neighbour, or the address.
	Name     string
	RemoteAS uint32
	// State in FRR's words: Idle, Connect, Active, OpenSent, OpenConfirm,
	// Established; Idle (Admin) for a session that is shut down.
	State string
	// Up is for how long the session has been in this state.
	Up time.Duration
	// EstablishedCount is how often the session came up, since bgpd started.
	EstablishedCount int
	// Received and Sent are numbers of prefixes.
	Received, Sent int
}

// Established reports whether routes are exchanged.
func (n Neighbor) Established() bool { return n.State == "Established" }

// Sessions are the sessions of all VRFs, in order of VRF, family and name.
func (s *Session) Sessions(ctx context.Context) ([]Neighbor, error) {
	const command = "show bgp vrf all summary json"
	text, err := s.shell.Show(ctx, "bgpd", command)
	if err != nil {
		return nil, err
	}
	sessions, err := parseSessions(text)
	if err != nil {
		return nil, fmt.Errorf("FRR's bgpd: %q: %w", command, err)
	}
	return sessions, nil
}

// instanceJSON is an instance of show bgp vrf all summary json, by family. What
// is no family has other JSON.
type instanceJSON map[string]json.RawMessage

type familyJSON struct {
	Peers map[string]peerJSON `json:"peers"`
}

type peerJSON struct {
	RemoteAS    uint32 `json:"remoteAs"`
	UptimeMsec  int64  `json:"peerUptimeMsec"`
	Received    int    `json:"pfxRcd"`
	Sent        int    `json:"pfxSnt"`
	State       string `json:"state"`
	Established int    `json:"connectionsEstablished"`
}

func parseSessions(text string) ([]Neighbor, error) {
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return nil, nil // bgpd says in words that it has no instance
	}
	var instances map[string]instanceJSON
	if err := json.Unmarshal([]byte(text), &instances); err != nil {
		return nil, err
	}
	var all []Neighbor
	for vrf, families := range instances {
		for name, raw := range families {
			var family familyJSON
			if len(raw) == 0 || raw[0] != '{' {
				continue
			}
			if err := json.Unmarshal(raw, &family); err != nil {
				return nil, fmt.Errorf("VRF %s, %s: %w", vrf, name, err)
			}
			for peer, p := range family.Peers {
				all = append(all, Neighbor{
					VRF: vrf, Family: name, Name: peer, RemoteAS: p.RemoteAS, State: p.State,
					Up: time.Duration(p.UptimeMsec) * time.Millisecond, EstablishedCount: p.Established,
					Received: p.Received, Sent: p.Sent,
				})
			}
		}
	}
	slices.SortFunc(all, func(a, b Neighbor) int {
		return cmp.Or(strings.Compare(a.VRF, b.VRF), strings.Compare(a.Family, b.Family), strings.Compare(a.Name, b.Name))
	})
	return all, nil
}

// VNI is a VXLAN network as zebra sees it.
type VNI struct {
	VNI int
	// L3 tells the VNI of a VRF from that of a VLAN.
	L3 bool
	// VRF that it belongs to; "Unknown" while the kernel does not have it.
	VRF string
	// Interface is the VXLAN device; "None" while there is none.
	Interface string
	// MACs, Neighbors and RemoteVTEPs are numbers. An L3 VNI has no remote VTEPs.
	MACs, Neighbors, RemoteVTEPs int
}

// VNIs that zebra knows, in rising order.
func (s *Session) VNIs(ctx context.Context) ([]VNI, error) {
	const command = "show evpn vni json"
	text, err := s.shell.Show(ctx, "zebra", command)
	if err != nil {
		return nil, err
	}
	vnis, err := parseVNIs(text)
	if err != nil {
		return nil, fmt.Errorf("FRR's zebra: %q: %w", command, err)
	}
	return vnis, nil
}

// vniJSON is an entry of show evpn vni json.
type vniJSON struct {
	VNI         int    `json:"vni"`
	Type        string `json:"type"`
	Interface   string `json:"vxlanIf"`
	MACs        int    `json:"numMacs"`
	Neighbors   int    `json:"numArpNd"`
	RemoteVTEPs any    `json:"numRemoteVteps"` // "n/a" for an L3 VNI
	VRF         string `json:"tenantVrf"`
}

func parseVNIs(text string) ([]VNI, error) {
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return nil, nil // zebra says nothing while EVPN is off
	}
	var entries map[string]vniJSON
	if err := json.Unmarshal([]byte(text), &entries); err != nil {
		return nil, err
	}
	all := make([]VNI, 0, len(entries))
	for _, e := range entries {
		vni := VNI{VNI: e.VNI, L3: e.Type == "L3", VRF: e.VRF, Interface: e.Interface, MACs: e.MACs, Neighbors: e.Neighbors}
		if n, ok := e.RemoteVTEPs.(float64); ok {
			vni.RemoteVTEPs = int(n)
		}
		all = append(all, vni)
	}
	slices.SortFunc(all, func(a, b VNI) int { return cmp.Compare(a.VNI, b.VNI) })
	return all, nil
}

// Routes is how many routes of BGP's zebra has installed, in all VRFs and of both families.
// A bgpd that has its sessions and all routes, and a zebra that knows none of them, forward
// nothing.
func (s *Session) Routes(ctx context.Context) (int, error) {
	all := 0
	for _, command := range []string{"show ip route vrf all summary json", "show ipv6 route vrf all summary json"} {
		text, err := s.shell.Show(ctx, "zebra", command)
		if err != nil {
			return 0, err
		}
		n, err := parseRoutes(text)
		if err != nil {
			return 0, fmt.Errorf("FRR's zebra: %q: %w", command, err)
		}
		all += n
	}
	return all, nil
}

// parseRoutes reads a summary for each VRF: one after the other, or, as FRR 10 has them,
// by the VRFs' names.
func parseRoutes(text string) (n int, err error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	for {
		var answer json.RawMessage
		switch err := decoder.Decode(&answer); {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return 0, err
		}
		summaries := map[string]routesJSON{}
		if err := json.Unmarshal(answer, &summaries); err != nil {
			var summary routesJSON
			if err := json.Unmarshal(answer, &summary); err != nil {
				return 0, err
			}
			summaries = map[string]routesJSON{"": summary}
		}
		for _, summary := range summaries {
			n += summary.installed()
		}
	}
}

// routesJSON is the summary of a VRF.
type routesJSON struct {
	Routes []struct {
		FIB  int    `json:"fib"`
		Type string `json:"type"`
	} `json:"routes"`
}

// installed is how many routes of BGP's the kernel was given.
func (s routesJSON) installed() (n int) {
	for _, r := range s.Routes {
		if r.Type == "ebgp" || r.Type == "ibgp" {
			n += r.FIB
		}
	}
	return n
}
