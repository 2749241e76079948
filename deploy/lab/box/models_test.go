package box_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang"
)

// checker checks a box of a release by its own models.
func checker(t *testing.T, release box.Release) *yang.Checker {
	t.Helper()
	b := labtest.Box(t, box.Config{Release: release, NoDaemons: true})
	schema, err := yang.Load(b.YANGDir())
	if err != nil {
		t.Fatal(err)
	}
	if left := schema.Unchecked(); len(left) > 0 {
		t.Errorf("not checked: %q", left)
	}
	rows := sonic.DB{}
	for key, fields := range snapshot(t, b) {
		var pairs []string
		for name, value := range fields {
			pairs = append(pairs, name, value)
		}
		k, ok := sonic.ParseKey(key)
		if !ok {
			t.Fatalf("%q is no key", key)
		}
		rows[k] = sonic.NewFields(pairs...)
	}
	return yang.NewChecker(schema, rows)
}

// vpc is every kind of row that an agent writes, one VPC's; how its gateway is
// said depends on the release.
func vpc(release box.Release) sonic.DB {
	db := sonic.DB{}
	db.Add(sonic.Loopback{Name: "Loopback1", Address: netip.MustParseAddr("10.255.0.1")}.Rows()...)
	db.Add(sonic.Loopback{Name: "Loopback2", Address: netip.MustParseAddr("fd00::1")}.Rows()...)
	db.Add(
		sonic.Tunnel{Name: "switchlet", Source: netip.MustParseAddr("10.255.0.1")}.Row(),
		sonic.NVO{Name: "switchlet", Tunnel: "switchlet"}.Row(),
		sonic.VRF{Name: "Vrf20001", VNI: 20001}.Row(),
		sonic.VLAN{ID: 3001, Description: "switchlet tenant/blue"}.Row(),
		sonic.VLAN{ID: 100, Description: "switchlet tenant/blue/web"}.Row(),
		sonic.TunnelMap{Tunnel: "switchlet", VLAN: 3001, VNI: 20001}.Row(),
		sonic.TunnelMap{Tunnel: "switchlet", VLAN: 100, VNI: 10100}.Row(),
		sonic.VLANMember{VLAN: 100, Port: "Ethernet0"}.Row(),
		sonic.VLANMember{VLAN: 100, Port: "PortChannel0001"}.Row(),
	)
	db.Add(sonic.VLANInterface{VLAN: 3001, VRF: "Vrf20001"}.Rows()...)
	web := sonic.VLANInterface{VLAN: 100, VRF: "Vrf20001", Addresses: []netip.Prefix{
		netip.MustParsePrefix("10.1.0.1/24"), netip.MustParsePrefix("fd00:1::1/64"),
	}}
	switch release {
	case box.Release202405: // knows no anycast gateway
	case box.Release202505:
		web.MACAddress = "00:00:5e:00:01:01"
	case box.ReleaseMaster:
		web.AnycastGateway = true
		db.Add(sonic.AnycastGateway{MACAddress: "00:00:5e:00:01:01"}.Row())
	}
	db.Add(web.Rows()...)
	return db
}

func changes(db sonic.DB) []yang.Change {
	var list []yang.Change
	for key, fields := range db {
		list = append(list, yang.Change{Key: key, Fields: fields})
	}
	return list
}

// By its own models a fresh box is right, and so is what an agent adds.
func TestModelsAllowWhatIsThereAndWhatAnAgentWrites(t *testing.T) {
	for _, release := range []box.Release{box.Release202405, box.Release202505, box.ReleaseMaster} {
		t.Run(string(release), func(t *testing.T) {
			c := checker(t, release)
			for _, v := range c.Violations() {
				t.Errorf("fresh box: %s", v)
			}
			for _, v := range c.Check(changes(vpc(release))) {
				t.Errorf("with a VPC: %s", v)
			}
		})
	}
}

// What SONiC's models refuse, the lab's do too.
func TestModelsRefuse(t *testing.T) {
	c := checker(t, box.ReleaseMaster)
	if v := c.Commit(changes(vpc(box.ReleaseMaster))); len(v) > 0 {
		t.Fatal(v)
	}
	for _, test := range []struct {
		row  string // key and fields
		rule yang.Rule
	}{
		{"VLAN|Vlan1 vlanid=1", yang.Pattern},
		{"VLAN|Vlan200 vlanid=201", yang.Must},
		{"VLAN|Vlan200 vlanid=200 tenant=blue", yang.UnknownField},
		{"VLAN_MEMBER|Vlan200|Ethernet0 tagging_mode=tagged", yang.LeafRef},
		{"VLAN_MEMBER|Vlan100|Ethernet1 tagging_mode=tagged", yang.LeafRef},
		{"VLAN_MEMBER|Vlan100|Ethernet4 NULL=NULL", yang.Mandatory},
		{"VLAN_MEMBER|Vlan100|Ethernet4 tagging_mode=native", yang.Enum},
		{"VLAN_MEMBER|Vlan100|Ethernet112 tagging_mode=tagged", yang.Must},  // in a port channel
		{"VLAN_MEMBER|Vlan100|Ethernet120 tagging_mode=tagged", yang.Must},  // routed
		{"VLAN_MEMBER|Vlan100|Ethernet16 tagging_mode=untagged", yang.Must}, // untagged already
		{"VLAN_INTERFACE|Vlan10 vrf_name=Vrf1", yang.LeafRef},
		{"VLAN_INTERFACE|Vlan10 mac_addr=00:00:5e:00:01", yang.Pattern},
		{"VLAN_INTERFACE|Vlan11|10.11.0.1/24 NULL=NULL", yang.Must}, // no row Vlan11
		{"VLAN_INTERFACE|Vlan10|10.11.0.1/24 family=IPv6", yang.Must},
		{"VRF|blue vni=5", yang.Pattern},
		{"VRF|Vrf2 vni=16777216", yang.Range},
		{"VXLAN_TUNNEL|a src_ip=10.0.0.256", yang.Pattern},
		{"VXLAN_TUNNEL_MAP|a|map_1_Vlan10 vlan=Vlan10 vni=1", yang.LeafRef},
		{"VXLAN_TUNNEL_MAP|switchlet|map_0_Vlan10 vlan=Vlan10 vni=0", yang.Range},
		{"VXLAN_TUNNEL_MAP|switchlet|map_1_Vlan10 vlan=Vlan10", yang.Mandatory},
		{"VXLAN_EVPN_NVO|second source_vtep=switchlet", yang.MaxElements},
		{"LOOPBACK_INTERFACE|Loopback3|10.0.0.1/32 NULL=NULL", yang.LeafRef},
		{"SAG|LOCAL gateway_mac=00:00:5e:00:01:01", yang.Pattern},
		{"-SAG|GLOBAL", yang.Must}, // a gateway needs it
		{"-VXLAN_TUNNEL|switchlet", yang.LeafRef},
		{"-VRF|Vrf20001", yang.LeafRef},
	} {
		t.Run(test.row, func(t *testing.T) {
			var rules []string
			for _, v := range c.Check([]yang.Change{parse(t, test.row)}) {
				rules = append(rules, v.Rule.String())
			}
			if !strings.Contains(strings.Join(rules, " "), test.rule.String()) {
				t.Errorf("rules that are violated: %q, want %s among them", rules, test.rule)
			}
		})
	}
}

// parse reads a row as a test writes it: with - before the key it is to go.
func parse(t *testing.T, text string) yang.Change {
	t.Helper()
	words := strings.Fields(text)
	name, gone := strings.CutPrefix(words[0], "-")
	key, ok := sonic.ParseKey(name)
	if !ok {
		t.Fatalf("%q is no key", name)
	}
	var pairs []string
	for _, word := range words[1:] {
		field, value, _ := strings.Cut(word, "=")
		pairs = append(pairs, field, value)
	}
	return yang.Change{Key: key, Gone: gone, Fields: sonic.NewFields(pairs...)}
}
