package frr

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/frrtest"
)

// spoke is a router that advertises the addresses of its loopback.
func spoke(asn uint32, drained bool, interfaces ...string) *Config {
	all := &Policy{In: "ALL", Out: "ALL"}
	cfg := &Config{
		RouteMaps: []RouteMap{{Name: "ALL", Entries: []RouteMapEntry{{Sequence: 10}}}},
		BGP: &BGP{
			ASN: asn, RouterID: netip.AddrFrom4([4]byte{10, 255, 0, byte(asn)}), MultipathRelax: true, GracefulShutdown: drained,
			Groups: []PeerGroup{{Name: "SWITCHLET", RemoteAS: "external", ExtendedNexthop: true, KeepaliveSeconds: 1, HoldSeconds: 3, ConnectSeconds: 1, IPv4: all}},
			IPv4:   &Unicast{Connected: true},
		},
	}
	for _, name := range interfaces {
		cfg.BGP.Peers = append(cfg.BGP.Peers, Peer{Interface: name, Group: "SWITCHLET"})
	}
	return cfg
}

// says makes the real FRR what a Config says.
func (r *router) says(t *testing.T, cfg *Config, owned Tree) Tree {
	t.Helper()
	tree, problems := Build(cfg)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	result, err := NewSession(Sockets{Dir: r.Dir}, discard()).Apply(t.Context(), tree, owned, func(Tree) error { return nil })
	if err != nil || len(result.Refused) > 0 {
		t.Fatalf("%v, %+v", err, result.Refused)
	}
	return result.Owned
}

// pathsJSON is the answer to show bgp ipv4 unicast PREFIX json.
type pathsJSON struct {
	Paths []struct {
		ASPath struct {
			String string `json:"string"`
		} `json:"aspath"`
		LocalPreference int `json:"locPrf"`
		Best            struct {
			Overall   bool `json:"overall"`
			Multipath bool `json:"multipath"`
		} `json:"bestpath"`
		Multipath bool `json:"multipath"`
	} `json:"paths"`
}

// ways are the AS paths by which a router sends packets to an address.
func (r *router) ways(ctx context.Context, prefix string) (map[string]bool, error) {
	text, err := Sockets{Dir: r.Dir}.Show(ctx, "bgpd", "show bgp ipv4 unicast "+prefix+" json")
	if err != nil {
		return nil, err
	}
	var found pathsJSON
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	used := map[string]bool{}
	for _, p := range found.Paths {
		if p.Best.Overall || p.Multipath || p.Best.Multipath {
			used[p.ASPath.String] = true
		}
	}
	return used, nil
}

func TestGracefulShutdownMovesTraffic(t *testing.T) {
	frrtest.OnEach(t, testGracefulShutdownMovesTraffic)
}

// A spine that is drained keeps its sessions, and its neighbours send nothing its
// way as long as there is another one; when it is let back they use both.
func testGracefulShutdownMovesTraffic(t *testing.T, frr frrtest.Release) {
	leaf, one, two := start(t, frr), start(t, frr), start(t, frr)
	for i, spine := range []*router{one, two} {
		name := fmt.Sprintf("up%d", i+1)
		ip(t, "link", "add", name, "netns", leaf.namespace, "type", "veth", "peer", "name", "leaf", "netns", spine.namespace)
		ip(t, "-n", leaf.namespace, "link", "set", name, "up")
		ip(t, "-n", spine.namespace, "link", "set", "leaf", "up")
		ip(t, "-n", spine.namespace, "address", "add", "10.9.9.9/32", "dev", "lo")
	}
	leaf.says(t, spoke(1, false, "up1", "up2"), nil)
	owned := one.says(t, spoke(2, false, "leaf"), nil)
	two.says(t, spoke(3, false, "leaf"), nil)
	const both, only = "map[2:true 3:true]", "map[3:true]"
	becomes := func(what, want string) {
		t.Helper()
		begin := time.Now()
		for {
			used, err := leaf.ways(t.Context(), "10.9.9.9/32")
			if err == nil && fmt.Sprint(used) == want {
				t.Logf("%s after %v", what, time.Since(begin).Round(time.Millisecond))
				return
			}
			if time.Since(begin) > 40*time.Second {
				t.Fatalf("never: %s: the leaf uses %v (%v), want %s", what, used, err, want)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	becomes("both spines are used", both)
	owned = one.says(t, spoke(2, true, "leaf"), owned)
	becomes("the drained one is not", only)
	sessions, err := NewSession(Sockets{Dir: one.Dir}, discard()).Sessions(t.Context())
	if err != nil || len(sessions) != 1 || !sessions[0].Established() || sessions[0].EstablishedCount != 1 {
		t.Errorf("sessions of the drained one: %+v, %v", sessions, err)
	}
	one.says(t, spoke(2, false, "leaf"), owned)
	becomes("both are used again", both)
}
