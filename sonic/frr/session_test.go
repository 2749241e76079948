package frr

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/frrtest"
)

// agent is what keeps the record between changes.
type agent struct {
	t     testing.TB
	s     *Session
	owned Tree
}

func newAgent(t testing.TB, shell Shell) *agent {
	return &agent{t: t, s: NewSession(shell, discard())}
}

func (a *agent) record(owned Tree) error {
	a.owned = owned
	return nil
}

// apply makes FRR what is wanted.
func (a *agent) apply(cfg *Config) Result {
	a.t.Helper()
	want, problems := Build(cfg)
	if len(problems) > 0 {
		a.t.Fatalf("problems: %+v", problems)
	}
	result, err := a.s.Apply(a.t.Context(), want, a.owned, a.record)
	if err != nil {
		a.t.Fatal(err)
	}
	a.owned = result.Owned
	return result
}

// converge wants no refusal, and a second time nothing to do.
func (a *agent) converge(cfg *Config) {
	a.t.Helper()
	result := a.apply(cfg)
	for i, r := range result.Refused {
		if a.t.Errorf("refused: %s: %s", r.Command, r.Answer); i == 10 {
			a.t.Fatalf("and %d more", len(result.Refused)-i)
		}
	}
	for _, c := range result.Conflicts {
		a.t.Errorf("conflict: %+v", c)
	}
	if again := a.apply(cfg); again.Sent != 0 {
		a.t.Errorf("%d commands sent again", again.Sent)
	}
}

// shells are both ways to the same FRR.
func shells(r *router) map[string]Shell {
	return map[string]Shell{"sockets": Sockets{Dir: r.Dir}, "vtysh": r.vtysh()}
}

func TestLifeOfALeaf(t *testing.T) { frrtest.OnEach(t, testLifeOfALeaf) }

// testLifeOfALeaf takes a real FRR from nothing to a leaf with 20 tenants, through
// changes, and back to nothing.
func testLifeOfALeaf(t *testing.T, frr frrtest.Release) {
	r := start(t, frr)
	for name, shell := range shells(r) {
		t.Run(name, func(t *testing.T) {
			a := newAgent(t, shell)
			before, err := a.s.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			a.converge(leaf(20))
			changes := leafChanges()
			if name == "vtysh" {
				changes = changes[:4] // a quarter of a second each
			}
			for _, change := range changes {
				cfg := leaf(20)
				change.make(cfg)
				t.Logf("%s", change.name)
				a.converge(cfg)
				a.converge(leaf(20))
			}
			a.converge(leaf(3))
			a.converge(&Config{})
			after, err := a.s.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if after.String() != before.String() {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		})
	}
}

type leafChange struct {
	name string
	make func(*Config)
}

func leafChanges() []leafChange {
	return []leafChange{
		{"described", func(c *Config) { c.BGP.Peers[0].Description = strings.Repeat("to spine1 port Ethernet8 ", 3) + "12345" }},
		{"no underlay", func(c *Config) { c.BGP, c.VRFs = nil, nil }},
		{"another VNI", func(c *Config) { c.VRFs[3].VNI = 30003 }},
		{"two VRFs swap their VNIs", func(c *Config) { c.VRFs[1].VNI, c.VRFs[2].VNI = c.VRFs[2].VNI, c.VRFs[1].VNI }},
		{"another RD", func(c *Config) { c.VRFs[4].RD = "10.255.0.1:999" }},
		{"other route targets", func(c *Config) { c.VRFs[5].Import = []string{"65000:1", "65000:2"} }},
		{"IPv4 only", func(c *Config) { c.VRFs[6].IPv6 = nil }},
		{"a route map for connected routes", func(c *Config) { c.VRFs[7].IPv4.ConnectedMap = "SWITCHLET-LOOPBACK" }},
		{"routes of two other VRFs", func(c *Config) { takeOver(c, "SWITCHLET-1", "Vrf20002", "Vrf20003") }},
		{"routes of another VRF by another route map", func(c *Config) { takeOver(c, "SWITCHLET-2", "Vrf20003") }},
		{"fewer paths", func(c *Config) { c.VRFs[7].IPv4.MaxPaths = 8 }},
		{"as many paths as is FRR's default", func(c *Config) { c.VRFs[7].IPv4.MaxPaths = 256 }},
		{"another ASN", func(c *Config) { c.BGP.ASN = 65001 }},
		{"another router id", func(c *Config) { c.BGP.RouterID = c.BGP.RouterID.Next() }},
		{"drained", func(c *Config) { c.BGP.GracefulShutdown = true }},
		{"other timers", func(c *Config) { c.BGP.Groups[0].HoldSeconds, c.BGP.Groups[0].ConnectSeconds = 30, 5 }},
		{"no BFD", func(c *Config) { c.BGP.Groups[0].BFD = false }},
		{"one uplink", func(c *Config) { c.BGP.Peers = c.BGP.Peers[:1] }},
		{"an uplink with addresses", func(c *Config) { c.BGP.Peers[1] = numbered() }},
		{"a peer group of another name", func(c *Config) {
			c.BGP.Groups[0].Name, c.BGP.Peers[0].Group, c.BGP.Peers[1].Group = "OTHER", "OTHER", "OTHER"
		}},
		{"another route map for a session", func(c *Config) { c.BGP.Groups[0].IPv4 = &Policy{In: "SWITCHLET-ALL", Out: "SWITCHLET-LOOPBACK"} }},
		{"IPv6 too", func(c *Config) { c.BGP.Groups[0].IPv6 = c.BGP.Groups[0].IPv4; c.BGP.IPv6 = &Unicast{Connected: true} }},
		{"graceful restart", func(c *Config) {
			c.BGP.GracefulRestart = &GracefulRestart{RestartSeconds: 240, StaleSeconds: 500, DeferSeconds: 30, PreserveForwarding: true, NoNotification: true}
		}},
		{"an AS number for the neighbours", func(c *Config) { c.BGP.Groups[0].RemoteAS = "65100" }},
		{"a source address", sourced},
		{"a rule that denies", func(c *Config) { c.RouteMaps[0].Entries[0].Deny = true }},
		{"a prefix list", func(c *Config) { c.PrefixLists = prefixes(); c.RouteMaps[0].Entries[0].MatchPrefixes4 = "P4" }},
	}
}

// takeOver has the first VRF take routes of others over.
func takeOver(c *Config, name string, from ...string) {
	c.PrefixLists = append(c.PrefixLists, prefixes()...)
	m := RouteMap{Name: name}
	for i, vrf := range from {
		m.Entries = append(m.Entries, RouteMapEntry{Sequence: 10 * (i + 1), MatchSourceVRF: vrf, MatchPrefixes4: "P4", NoAdvertise: true})
		c.VRFs[0].IPv4.Imports = append(c.VRFs[0].IPv4.Imports, VRFImport{VRF: vrf})
	}
	c.RouteMaps, c.VRFs[0].IPv4.ImportMap = append(c.RouteMaps, m), name
}

func TestAnyChangeOfFRR(t *testing.T) { frrtest.OnEach(t, testAnyChangeOfFRR) }

// testAnyChangeOfFRR takes a real FRR from any model to any other one.
func testAnyChangeOfFRR(t *testing.T, frr frrtest.Release) {
	r := start(t, frr)
	a := newAgent(t, Sockets{Dir: r.Dir})
	before, err := a.s.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for seed := range 40 {
		cfg := configs().Example(seed)
		if a.converge(cfg); t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, build(t, cfg))
		}
	}
	a.converge(&Config{})
	after, err := a.s.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if after.String() != before.String() {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestBoot(t *testing.T) { frrtest.OnEach(t, testBoot) }

// testBoot has FRR read the frr.conf that is rendered; then there is nothing
// left to say but what FRR does not show.
func testBoot(t *testing.T, frr frrtest.Release) {
	r := start(t, frr)
	cfg := leaf(5)
	cfg.SONiC = false // Debian's zebra has no FPM of SONiC's
	cfg.BGP.GracefulRestart = &GracefulRestart{PreserveForwarding: true}
	want := build(t, cfg)
	name := filepath.Join(r.Dir, "frr.conf")
	if _, err := WriteFile(name, File(cfg, want)); err != nil {
		t.Fatal(err)
	}
	if out, err := r.exec(t.Context(), r.vtysh().argv("-f", name), ""); err != nil || out.Status != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	a := newAgent(t, Sockets{Dir: r.Dir})
	have, err := a.s.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	plan := Delta(have, want, Adopt(have, want))
	for _, c := range plan.Commands {
		if !hides(c.Line) {
			t.Errorf("left to say: %s", c)
		}
	}
	a.owned = Adopt(have, want)
	a.converge(cfg)
	a.converge(&Config{})
}

func TestRefused(t *testing.T) { frrtest.OnEach(t, testRefused) }

// testRefused has FRR refuse what one tenant wants; the other tenant gets all.
func testRefused(t *testing.T, frr frrtest.Release) {
	r := start(t, frr)
	for name, shell := range shells(r) {
		t.Run(name, func(t *testing.T) {
			if out, err := r.exec(t.Context(), r.vtysh().argv("-c", "conf t", "-c", "vrf operator", "-c", "vni 20001"), ""); err != nil || out.Status != 0 {
				t.Fatalf("%+v, %v", out, err)
			}
			a := newAgent(t, shell)
			result := a.apply(leaf(2))
			if len(result.Refused) != 1 {
				t.Fatalf("refused: %+v", result.Refused)
			}
			refused := result.Refused[0]
			if refused.Owner != "VPC tenant0/web" || refused.Line != "vni 20001" || !slices.Equal(refused.Context, []string{"vrf Vrf20001"}) {
				t.Errorf("refused: %+v", refused)
			}
			eight, ten := "VNI 20001 is already configured as L3-VNI", "Failed to create cfgdata: vni 20001 is already mapped to another vrf"
			if !strings.HasSuffix(refused.Answer, eight) && refused.Answer != ten {
				t.Errorf("answer: %s", refused.Answer)
			}
			a.converge(&Config{})
		})
	}
}

func TestRefusedFile(t *testing.T) { frrtest.OnEach(t, testRefusedFile) }

// testRefusedFile has FRR read a frr.conf of which it refuses a line. What mgmtd keeps of
// that is nothing to what comes next.
func testRefusedFile(t *testing.T, frr frrtest.Release) {
	r := start(t, frr)
	for name, shell := range shells(r) {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(r.Dir, "frr.conf")
			text := "vrf operator1\n vni 900\nexit-vrf\nvrf operator2\n vni 900\nexit-vrf\nvrf operator3\n vni 901\nexit-vrf\n"
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if out, err := r.exec(t.Context(), r.vtysh().argv("-f", file), ""); err != nil || !strings.Contains(out.Stdout+out.Stderr, "Configuration failed") {
				t.Fatalf("%+v, %v", out, err)
			}
			a := newAgent(t, shell)
			a.converge(leaf(2))
			a.converge(&Config{})
		})
	}
}

func TestOthersInTheWay(t *testing.T) { frrtest.OnEach(t, testOthersInTheWay) }

// testOthersInTheWay has somebody else's route distinguisher in the way of ours,
// which is said as soon as that is gone: one that FRR does not show for this
// reason is not one that it took without a word.
func testOthersInTheWay(t *testing.T, frr frrtest.Release) {
	r := start(t, frr)
	a := newAgent(t, Sockets{Dir: r.Dir})
	a.converge(leaf(1))
	theirs := func(line string) {
		t.Helper()
		words := []string{"-c", "conf t", "-c", "router bgp 4200000001 vrf Vrf20001", "-c", "address-family l2vpn evpn", "-c", line}
		if out, err := r.exec(t.Context(), r.vtysh().argv(words...), ""); err != nil || out.Status != 0 {
			t.Fatalf("%+v, %v", out, err)
		}
	}
	theirs("rd 10.9.9.9:9")
	if result := a.apply(leaf(1)); len(result.Conflicts) != 1 || !strings.HasPrefix(result.Conflicts[0].Line, "rd ") {
		t.Fatalf("conflicts: %+v", result.Conflicts)
	}
	changed := leaf(1)
	changed.BGP.Groups[0].KeepaliveSeconds = 2 // something else to do meanwhile
	a.apply(changed)
	theirs("no rd 10.9.9.9:9")
	if result := a.apply(changed); result.Sent == 0 || len(result.Conflicts) != 0 {
		t.Errorf("sent %d, conflicts %+v", result.Sent, result.Conflicts)
	}
}
