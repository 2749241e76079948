package frr

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// configs draws models of a leaf, from a small world, so that two of them have
// much in common.
func configs() *rapid.Generator[*Config] {
	return rapid.Custom(func(t *rapid.T) *Config {
		cfg := leaf(0)
		cfg.VRFs = drawVRFs(t)
		drawImports(t, cfg)
		if rapid.Bool().Draw(t, "prefixes") {
			cfg.PrefixLists = prefixes()
			cfg.RouteMaps[0].Entries[0].MatchPrefixes4 = "P4"
		}
		cfg.RouteMaps[1].Entries[0].Deny = rapid.Bool().Draw(t, "deny")
		if rapid.Bool().Draw(t, "source") {
			sourced(cfg)
		}
		drawUnderlay(t, cfg)
		return cfg
	})
}

func drawUnderlay(t *rapid.T, cfg *Config) {
	if rapid.IntRange(0, 9).Draw(t, "no underlay") == 0 {
		cfg.BGP, cfg.VRFs = nil, nil
		return
	}
	b := cfg.BGP
	b.ASN = rapid.SampledFrom([]uint32{65001, 65001, 65001, 65002}).Draw(t, "asn")
	b.GracefulShutdown = rapid.Bool().Draw(t, "drained")
	b.GracefulRestart = rapid.SampledFrom([]*GracefulRestart{nil, {PreserveForwarding: true}, {DeferSeconds: 30, NoNotification: true}}).Draw(t, "restart")
	second := b.Groups[0]
	second.Name, second.BFD, second.IPv6 = "OTHER", false, second.IPv4
	second.HoldSeconds = rapid.SampledFrom([]int{9, 30}).Draw(t, "hold")
	b.Groups = append(b.Groups, second)[:rapid.IntRange(1, 2).Draw(t, "groups")]
	b.Peers = nil
	for i := range 3 {
		if rapid.Bool().Draw(t, "peer") {
			peer := Peer{Interface: fmt.Sprintf("Ethernet%d", 4*i), Group: rapid.SampledFrom(b.Groups).Draw(t, "group").Name}
			peer.Description = rapid.SampledFrom([]string{"", "to spine"}).Draw(t, "description")
			b.Peers = append(b.Peers, peer)
		}
	}
	if rapid.Bool().Draw(t, "numbered") {
		b.Peers = append(b.Peers, numbered())
	}
}

func drawVRFs(t *rapid.T) []VRF {
	var vrfs []VRF
	vnis := rapid.Permutation([]int{20001, 20002, 20003, 20004}).Draw(t, "vnis")
	for i, vni := range vnis {
		if rapid.Bool().Draw(t, "no vrf") {
			continue
		}
		v := tenant(i)
		v.VNI = vni
		v.RD = rapid.SampledFrom([]string{"", v.RD, "10.255.0.1:77"}).Draw(t, "rd")
		v.Import = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"65000:1", "65000:2", "65000:3"}), 0, 3, rapid.ID).Draw(t, "import")
		if rapid.Bool().Draw(t, "map") {
			v.IPv4.ConnectedMap = "SWITCHLET-ALL"
		}
		if rapid.Bool().Draw(t, "no ipv6") {
			v.IPv6 = nil
		}
		vrfs = append(vrfs, v)
	}
	return vrfs
}

// drawImports has some VRFs take routes over from others, by one of two route maps.
func drawImports(t *rapid.T, cfg *Config) {
	for i := range cfg.VRFs {
		for _, u := range []*Unicast{cfg.VRFs[i].IPv4, cfg.VRFs[i].IPv6} {
			for j := range cfg.VRFs {
				if u != nil && i != j && rapid.IntRange(0, 2).Draw(t, "import") == 0 {
					u.Imports = append(u.Imports, VRFImport{Owner: "VPCPeering a/b", VRF: cfg.VRFs[j].Name})
					u.ImportMap = rapid.SampledFrom([]string{"SWITCHLET-IMPORT-1", "SWITCHLET-IMPORT-2"}).Draw(t, "import map")
				}
			}
		}
	}
	for _, name := range []string{"SWITCHLET-IMPORT-1", "SWITCHLET-IMPORT-2"} {
		cfg.RouteMaps = append(cfg.RouteMaps, RouteMap{Name: name, Entries: []RouteMapEntry{{Sequence: 10, MatchSourceVRF: "Vrf20001", MatchPrefixes4: "P4", NoAdvertise: true}}})
	}
}

// foreigners are statements of an operator and of bgpcfgd, as FRR writes them.
func foreigners() []string {
	return []string{
		"route-map RM_SET_SRC permit 10\n set src 10.0.0.1\nexit\nip protocol bgp route-map RM_SET_SRC\n",
		"ip prefix-list OPERATOR seq 5 permit 192.0.2.0/24\n",
		"vrf Vrf20001\n ip route 192.0.2.0/24 Null0\nexit-vrf\n",
		"router bgp 65001\n neighbor 192.0.2.1 remote-as 64512\n !\n address-family ipv4 unicast\n  neighbor 192.0.2.1 activate\n exit-address-family\nexit\n",
		"router bgp 65001\n neighbor Ethernet4 password secret\nexit\n",
		"router bgp 65001\n bgp router-id 192.0.2.9\nexit\n",
		"router bgp 65001 vrf Vrf20002\n neighbor 192.0.2.2 remote-as 64513\nexit\n",
		"route-map SWITCHLET-ALL permit 10\n set metric 5\nexit\n",
		"interface Ethernet4\n description by hand\nexit\n",
		"router bgp 65001 vrf Vrf20001\n address-family ipv4 unicast\n  import vrf route-map OPERATOR\n exit-address-family\nexit\n",
	}
}

// TestAnyChange takes a simulated FRR from any model to any other one, among
// statements of others.
func TestAnyChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var foreign Tree
		for _, text := range foreigners() {
			if rapid.IntRange(0, 3).Draw(t, "foreign") == 0 {
				foreign = Merge(foreign, parse(t, text))
			}
		}
		s := simulator{tree: clone(foreign)}
		var owned Tree
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			want := build(t, configs().Draw(t, "config"))
			plan := Delta(s.tree, want, owned)
			if err := s.run(plan.Commands); err != nil && len(foreign) == 0 {
				t.Fatalf("%v\nplan:\n%s", err, plan.String())
			}
			owned = common(plan.Own, s.tree)
			if lost := missing(foreign, s.tree); lost != "" {
				t.Fatalf("%q of somebody else's is gone\nplan:\n%s", lost, plan.String())
			}
			if len(foreign) > 0 {
				continue
			}
			if again := Delta(s.tree, want, owned); !again.Empty() || len(again.Conflicts) > 0 {
				t.Fatalf("not done after\n%s\nleft:\n%s%v", plan.String(), again.String(), again.Conflicts)
			}
			if lost := missing(want, s.tree); lost != "" {
				t.Fatalf("%q is not there after\n%s", lost, plan.String())
			}
		}
		plan := Delta(s.tree, nil, owned)
		if err := s.run(plan.Commands); err != nil {
			t.Fatalf("%v\nplan:\n%s", err, plan.String())
		}
		if left := missing(full(s.tree), foreign); left != "" && len(plan.Conflicts) == 0 {
			t.Fatalf("%q is left over; plan:\n%s", left, plan.String())
		}
	})
}

// missing is a statement of a that b lacks.
func missing(a, b Tree) string {
	for _, node := range a {
		there := b.find(node.Line)
		if there == nil {
			return node.Line
		}
		if line := missing(node.Inside, there.Inside); line != "" {
			return line
		}
	}
	return ""
}

// full has the statements without contexts that are empty and say nothing.
func full(t Tree) Tree {
	t = clone(t)
	for i := range t {
		t[i].Inside = full(t[i].Inside)
	}
	return slices.DeleteFunc(t, func(n Node) bool { return grouping(n.Line) && len(n.Inside) == 0 })
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func parse(t fataler, text string) Tree {
	t.Helper()
	tree, err := Parse(text)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return tree
}

func build(t fataler, cfg *Config) Tree {
	t.Helper()
	tree, problems := Build(cfg)
	if len(problems) > 0 {
		t.Fatalf("problems: %+v", problems)
	}
	return tree
}

// TestWrittenIsRead reads back what is written.
func TestWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := build(t, configs().Draw(t, "config"))
		again := parse(t, want.String())
		if again.String() != want.String() {
			t.Fatalf("written:\n%s\nread:\n%s", want, again)
		}
	})
}

// TestRecordIsKept writes the record of what is owned as JSON, as the agent does.
func TestRecordIsKept(t *testing.T) {
	plan := Delta(parse(t, "router bgp 4200000001\n neighbor 192.0.2.1 remote-as 64512\n"), build(t, leaf(2)), nil)
	text, err := json.Marshal(plan.Own)
	if err != nil {
		t.Fatal(err)
	}
	var again Tree
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plan.Own, again); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if instance := again.find("router bgp 4200000001"); !instance.Shared || instance.Inside.find("neighbor 192.0.2.1 remote-as 64512") != nil {
		t.Errorf("an operator's instance is taken over:\n%s", again)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range foreigners() {
		f.Add(text)
	}
	tree, _ := Build(leaf(1))
	f.Add(tree.String())
	want := build(f, leaf(2))
	f.Fuzz(func(t *testing.T, text string) {
		have, err := Parse(text)
		if err != nil {
			return
		}
		plan := Delta(have, want, nil)
		if again := Delta(have, want, nil); again.String() != plan.String() {
			t.Error("the same input gives another plan")
		}
		for _, c := range Delta(have, nil, nil).Commands {
			t.Errorf("%s: nothing is owned", c)
		}
	})
}

// TestBadValues keeps what would be another command out of FRR's configuration.
func TestBadValues(t *testing.T) {
	bad := map[string]func(*Config){
		"VRF name":    func(c *Config) { c.VRFs[0].Name = "a\nno router bgp" },
		"long VRF":    func(c *Config) { c.VRFs[0].Name = "Vrf-that-is-too-long" },
		"VNI":         func(c *Config) { c.VRFs[0].VNI = 1 << 24 },
		"RD":          func(c *Config) { c.VRFs[0].RD = "70000:70000" },
		"RT":          func(c *Config) { c.VRFs[0].Import = []string{"65000:1 65000:2"} },
		"twice":       func(c *Config) { c.VRFs[0].VNI = c.VRFs[1].VNI; c.VRFs[0], c.VRFs[1] = c.VRFs[1], c.VRFs[0] },
		"description": func(c *Config) { c.BGP.Peers[0].Description = "a\r\nexit" },
		"interface":   func(c *Config) { c.BGP.Peers[0].Interface = "Ethernet0 peer-group X" },
		"both":        func(c *Config) { c.BGP.Peers[0].Address = netip.MustParseAddr("10.0.0.1") },
		"unjudged":    func(c *Config) { c.VRFs[0].IPv4.Imports = []VRFImport{{VRF: "Vrf20002"}} },
		"import":      func(c *Config) { c.VRFs[0].IPv4.Imports, c.VRFs[0].IPv4.ImportMap = []VRFImport{{VRF: "a b"}}, "M" },
		"no policy":   func(c *Config) { c.BGP.Groups[0].IPv4 = &Policy{In: "SWITCHLET-ALL"} },
		"timers":      func(c *Config) { c.BGP.Groups[0].HoldSeconds = 0 },
		"router id":   func(c *Config) { c.BGP.RouterID = netip.MustParseAddr("fd00::1") },
		"prefix":      func(c *Config) { c.PrefixLists = prefixes(); c.PrefixLists[0].IPv6 = true },
	}
	for name, spoil := range bad {
		t.Run(name, func(t *testing.T) {
			cfg := leaf(2)
			spoil(cfg)
			tree, problems := Build(cfg)
			if len(problems) != 1 {
				t.Fatalf("problems: %+v", problems)
			}
			if _, err := Parse(tree.String()); err != nil {
				t.Error(err)
			}
		})
	}
}
