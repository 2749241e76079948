package frr

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/deploy/lab/frrtest"
)

func TestSessionsStay(t *testing.T) { frrtest.OnEach(t, testSessionsStay) }

// testSessionsStay has two switches come together over an unnumbered link, by
// what is rendered, and gives one of them a tenant more.
func testSessionsStay(t *testing.T, frr frrtest.Release) {
	left, right := start(t, frr), start(t, frr)
	ip(t, "-n", left.namespace, "link", "add", "Ethernet0", "type", "veth", "peer", "name", "Ethernet0", "netns", right.namespace)
	ip(t, "-n", left.namespace, "link", "set", "Ethernet0", "up")
	ip(t, "-n", right.namespace, "link", "set", "Ethernet0", "up")
	ip(t, "-n", right.namespace, "link", "add", "Loopback1", "type", "veth", "peer", "name", "other") // no dummy is needed for that
	ip(t, "-n", right.namespace, "link", "set", "other", "up")
	ip(t, "-n", right.namespace, "link", "set", "Loopback1", "up")
	ip(t, "-n", right.namespace, "address", "add", "10.255.0.2/32", "dev", "Loopback1")
	a, b := newAgent(t, Sockets{Dir: left.Dir}), newAgent(t, Sockets{Dir: right.Dir})
	a.converge(end(1, 3))
	b.converge(end(2, 3))
	before := a.established()
	for a.session().Up == before.Up {
		time.Sleep(10 * time.Millisecond) // FRR counts seconds
	}
	a.converge(end(1, 4))
	a.converge(end(1, 2))
	after := a.session()
	if !after.Established() || after.EstablishedCount != before.EstablishedCount || after.Up <= before.Up {
		t.Errorf("before: %+v, after: %+v", before, after)
	}
	a.installed(1)
	vnis, err := a.s.VNIs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(vnis) != 2 || vnis[0].VNI != 20001 || !vnis[0].L3 {
		t.Errorf("VNIs: %+v", vnis)
	}
}

// end is one of two switches, with one uplink.
func end(number byte, tenants int) *Config {
	cfg := leaf(tenants)
	cfg.BGP.ASN = 65000 + uint32(number)
	cfg.BGP.RouterID = netip.AddrFrom4([4]byte{10, 255, 0, number})
	cfg.BGP.Peers = cfg.BGP.Peers[:1]
	cfg.BGP.Groups[0].ConnectSeconds = 1
	cfg.BGP.Groups[0].BFD = false // needs a kernel with BFD's ports free; it is not what is tested
	return cfg
}

// session is the one with the other switch, for IPv4.
func (a *agent) session() Neighbor {
	a.t.Helper()
	sessions, err := a.s.Sessions(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	for _, s := range sessions {
		if s.VRF == "default" && s.Family == "ipv4Unicast" && s.Name == "Ethernet0" {
			return s
		}
	}
	a.t.Fatalf("sessions: %+v", sessions)
	return Neighbor{}
}

// installed waits until zebra has so many routes of BGP's.
func (a *agent) installed(want int) {
	a.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		n, err := a.s.Routes(a.t.Context())
		if err != nil || n == want {
			if err != nil {
				a.t.Fatal(err)
			}
			return
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("%d routes are installed, want %d", n, want)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// established waits until the session is up.
func (a *agent) established() Neighbor {
	a.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		s := a.session()
		if s.Established() {
			return s
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("the session does not come up: %+v", s)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestOthersStay(t *testing.T) { frrtest.OnEach(t, testOthersStay) }

// testOthersStay changes a real FRR in which an operator and bgpcfgd have
// statements of their own, also in Switchlet's contexts.
func testOthersStay(t *testing.T, frr frrtest.Release) {
	r := start(t, frr)
	a := newAgent(t, Sockets{Dir: r.Dir})
	want := leaf(3)
	want.BGP.ASN = 65001
	a.converge(want)
	r.hand(t, `
ip prefix-list OPERATOR seq 5 permit 192.0.2.0/24
route-map RM_SET_SRC permit 10
 set src 10.0.0.1
exit
ip protocol bgp route-map RM_SET_SRC
vrf Vrf20001
 ip route 192.0.2.0/24 Null0
exit-vrf
router bgp 65001
 neighbor 192.0.2.1 remote-as 64512
 neighbor Ethernet4 password secret
 address-family ipv4 unicast
  neighbor 192.0.2.1 activate
 exit-address-family
exit
router bgp 65001 vrf Vrf20002
 neighbor 192.0.2.2 remote-as 64513
exit
`)
	others := parse(t, strings.Join([]string{
		"ip prefix-list OPERATOR seq 5 permit 192.0.2.0/24", "route-map RM_SET_SRC permit 10", " set src 10.0.0.1", "ip protocol bgp route-map RM_SET_SRC",
		"vrf Vrf20001", " ip route 192.0.2.0/24 Null0",
		"router bgp 65001", " neighbor 192.0.2.1 remote-as 64512", " neighbor Ethernet4 password secret", " address-family ipv4 unicast", "  neighbor 192.0.2.1 activate",
		"router bgp 65001 vrf Vrf20002", " neighbor 192.0.2.2 remote-as 64513",
	}, "\n"))
	for _, cfg := range []*Config{want, {}} {
		result := a.apply(cfg)
		for _, refused := range result.Refused {
			t.Errorf("refused: %s: %s", refused.Command, refused.Answer)
		}
		have, err := a.s.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if lost := missing(others, have); lost != "" {
			t.Errorf("%q is gone from\n%s", lost, have)
		}
	}
}

// hand changes FRR as an operator does.
func (r *router) hand(t testing.TB, text string) {
	t.Helper()
	out, err := r.exec(t.Context(), r.vtysh().argv(), "configure terminal\n"+text)
	if err != nil || out.Status != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
}

func TestRestart(t *testing.T) { frrtest.OnEach(t, testRestart) }

// testRestart takes up the work after the agent and its record are lost, and
// after FRR came back with an old frr.conf.
func testRestart(t *testing.T, frr frrtest.Release) {
	r := start(t, frr)
	newAgent(t, Sockets{Dir: r.Dir}).converge(leaf(2))
	a := newAgent(t, Sockets{Dir: r.Dir})
	have, err := a.s.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a.owned = Adopt(have, build(t, leaf(2)))
	if result := a.apply(leaf(2)); result.Sent > 5 {
		t.Errorf("%d commands, of which only what FRR does not show may be sent again", result.Sent)
	}
	r.hand(t, "router bgp 4200000001 vrf Vrf20001\n address-family l2vpn evpn\n  no rd 10.255.0.1:1\n exit-address-family\nexit\n")
	if result := a.apply(leaf(2)); result.Sent != 1 {
		t.Errorf("%d commands for one line that was taken away", result.Sent)
	}
	a.converge(&Config{})
}

func TestOneDaemonRestarts(t *testing.T) { frrtest.OnEach(t, testOneDaemonRestarts) }

// testOneDaemonRestarts ends each daemon alone, which may be by the hand of an operator.
// The next change brings back what it had, also what others have too.
func testOneDaemonRestarts(t *testing.T, frr frrtest.Release) {
	r := start(t, frr)
	a := newAgent(t, Sockets{Dir: r.Dir})
	cfg := leaf(2)
	cfg.PrefixLists = prefixes()
	cfg.RouteMaps[0].Entries[0].MatchPrefixes4 = "P4"
	a.converge(cfg)
	before := r.bgpd(t)
	for _, daemon := range slices.Backward(r.Daemons) { // bgpd while others have all
		r.Stop(t, daemon)
		r.Router.Start(t, daemon)
		a.converge(cfg)
		if diff := cmp.Diff(before, r.bgpd(t)); diff != "" {
			t.Errorf("bgpd after a restart of %s (-want +got):\n%s", daemon, diff)
		}
	}
}

// bgpd is what that daemon itself has, in any order. VRFs are others' to know.
func (r *router) bgpd(t *testing.T) map[string]bool {
	t.Helper()
	text, err := Sockets{Dir: r.Dir}.Show(t.Context(), "bgpd", "show running-config")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, node := range parse(t, text) {
		if kindOf(node.Line) != kindVRF {
			all[Tree{node}.String()] = true
		}
	}
	return all
}
