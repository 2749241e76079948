package sonic

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tenant is a VPC with one subnet on a leaf, as rows.
type tenant struct {
	l3vni, l3vlan, vni, vlan int
	ports                    []VLANMember
	sag                      bool
}

// leaf is the wanted rows of a leaf.
func leaf(tenants ...tenant) DB {
	vtep := netip.MustParseAddr("10.255.0.1")
	db := DB{}
	db.Add(Loopback{"Loopback1", vtep}.Rows()...)
	db.Add(Tunnel{"switchlet", vtep}.Row(), NVO{"switchlet", "switchlet"}.Row())
	for _, t := range tenants {
		vrf := VRFName(t.l3vni)
		db.Add(VRF{vrf, t.l3vni}.Row(), VLAN{t.l3vlan, "l3"}.Row(), TunnelMap{"switchlet", t.l3vlan, t.l3vni}.Row())
		db.Add(VLANInterface{VLAN: t.l3vlan, VRF: vrf}.Rows()...)
		db.Add(VLAN{t.vlan, "web"}.Row(), TunnelMap{"switchlet", t.vlan, t.vni}.Row())
		svi := VLANInterface{
			VLAN: t.vlan, VRF: vrf, AnycastGateway: t.sag,
			Addresses: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 1, byte(t.vlan), 1}), 24)},
		}
		if t.sag {
			db.Add(AnycastGateway{"00:00:5e:00:01:01"}.Row())
		} else {
			svi.MACAddress = "00:00:5e:00:01:01"
		}
		db.Add(svi.Rows()...)
		for _, port := range t.ports {
			db.Add(port.Row())
		}
	}
	return db
}

// parse reads rows as DB.String writes them.
func parse(t interface{ Fatalf(string, ...any) }, text string) DB {
	db := DB{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		key, ok := ParseKey(words[0])
		if !ok {
			t.Fatalf("%q is no row", line)
		}
		var pairs []string
		for _, word := range words[1:] {
			name, value, _ := strings.Cut(word, "=")
			pairs = append(pairs, name, value)
		}
		db[key] = NewFields(pairs...)
	}
	return db
}

func merge(dbs ...DB) DB {
	all := DB{}
	for _, db := range dbs {
		for key, fields := range db {
			all[key] = fields
		}
	}
	return all
}

// ours is a ledger in which every field of the rows is the agent's.
func ours(db DB) Ledger {
	ledger := Ledger{}
	for key, fields := range db {
		ledger[key] = fields.Names()
	}
	return ledger
}

const ports = "PORT|Ethernet0\nPORT|Ethernet4\nPORTCHANNEL|PortChannel0001 admin_status=up\n"

func blue() tenant {
	return tenant{l3vni: 20001, l3vlan: 3001, vni: 10100, vlan: 100, ports: []VLANMember{{100, "Ethernet0", false}}}
}

// transition is a way from some rows to others.
type transition struct {
	name     string
	from, to DB
	hand     string // rows changed by hand since
	want     string // the plan
}

func TestPlans(t *testing.T) {
	for _, test := range slices.Concat(lifeOfAVPC(), changes(), changesByHand()) {
		t.Run(test.name, func(t *testing.T) {
			have := merge(parse(t, ports), test.from, parse(t, test.hand))
			plan := Diff(have, test.to, ours(test.from))
			if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), plan.String()); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			if len(plan.Conflicts) > 0 {
				t.Errorf("conflicts: %+v", plan.Conflicts)
			}
		})
	}
}

func lifeOfAVPC() []transition {
	sag := blue()
	sag.sag = true
	return []transition{
		{name: "nothing to do", from: leaf(blue()), to: leaf(blue())},
		{name: "first VPC", from: leaf(), to: leaf(blue()), want: `
HSET VLAN|Vlan100 description web vlanid 100
HSET VLAN|Vlan3001 description l3 vlanid 3001

HSET VXLAN_TUNNEL_MAP|switchlet|map_10100_Vlan100 vlan Vlan100 vni 10100
HSET VXLAN_TUNNEL_MAP|switchlet|map_20001_Vlan3001 vlan Vlan3001 vni 20001

HSET VRF|Vrf20001 vni 20001

HSET VLAN_INTERFACE|Vlan100 mac_addr 00:00:5e:00:01:01 vrf_name Vrf20001
HSET VLAN_INTERFACE|Vlan3001 vrf_name Vrf20001

HSET VLAN_INTERFACE|Vlan100|10.1.100.1/24 NULL NULL
HSET VLAN_MEMBER|Vlan100|Ethernet0 tagging_mode tagged
`},
		{name: "last VPC, anycast gateway", from: leaf(sag), to: leaf(), want: `
WAIT A LITTLE APPL_DB VLAN_TABLE:Vlan100
WAIT A LITTLE APPL_DB VLAN_TABLE:Vlan3001
WAIT A LITTLE STATE_DB INTERFACE_TABLE|Vlan100
WAIT A LITTLE STATE_DB INTERFACE_TABLE|Vlan100|10.1.100.1/24
WAIT A LITTLE STATE_DB INTERFACE_TABLE|Vlan3001
WAIT A LITTLE STATE_DB VLAN_MEMBER_TABLE|Vlan100|Ethernet0
WAIT A LITTLE STATE_DB VRF_OBJECT_TABLE|Vrf20001
WAIT A LITTLE APPL_DB VXLAN_TUNNEL_MAP_TABLE:switchlet:map_10100_Vlan100
WAIT A LITTLE APPL_DB VXLAN_TUNNEL_MAP_TABLE:switchlet:map_20001_Vlan3001

HSET VLAN_INTERFACE|Vlan100 static_anycast_gateway false
HSET VRF|Vrf20001 vni 0
WAIT APPL_DB INTF_TABLE:Vlan100 static_anycast_gateway=false
WAIT APPL_DB VXLAN_VRF_TABLE:switchlet:evpn_map_20001_Vrf20001 to go

DEL VLAN_INTERFACE|Vlan100|10.1.100.1/24
WAIT STATE_DB INTERFACE_TABLE|Vlan100|10.1.100.1/24 to go

DEL VLAN_INTERFACE|Vlan100
DEL VLAN_INTERFACE|Vlan3001
WAIT STATE_DB INTERFACE_TABLE|Vlan100 to go
WAIT STATE_DB INTERFACE_TABLE|Vlan3001 to go

DEL VRF|Vrf20001
WAIT STATE_DB VRF_OBJECT_TABLE|Vrf20001 to go

DEL VLAN_MEMBER|Vlan100|Ethernet0
DEL VXLAN_TUNNEL_MAP|switchlet|map_10100_Vlan100
DEL VXLAN_TUNNEL_MAP|switchlet|map_20001_Vlan3001
WAIT STATE_DB VLAN_MEMBER_TABLE|Vlan100|Ethernet0 to go
WAIT APPL_DB VXLAN_TUNNEL_MAP_TABLE:switchlet:map_10100_Vlan100 to go
WAIT APPL_DB VXLAN_TUNNEL_MAP_TABLE:switchlet:map_20001_Vlan3001 to go

DEL SAG|GLOBAL
DEL VLAN|Vlan100
DEL VLAN|Vlan3001
WAIT APPL_DB VLAN_TABLE:Vlan100 to go
WAIT APPL_DB VLAN_TABLE:Vlan3001 to go
`},
	}
}

func changes() []transition {
	native := blue()
	native.ports = []VLANMember{{100, "Ethernet0", true}}
	moved := blue()
	moved.l3vni, moved.l3vlan = 20002, 3002
	return []transition{
		{name: "tagged becomes untagged", from: leaf(blue()), to: leaf(native), want: `
WAIT A LITTLE STATE_DB VLAN_MEMBER_TABLE|Vlan100|Ethernet0

DEL VLAN_MEMBER|Vlan100|Ethernet0
WAIT STATE_DB VLAN_MEMBER_TABLE|Vlan100|Ethernet0 to go

HSET VLAN_MEMBER|Vlan100|Ethernet0 tagging_mode untagged
`},
		{name: "a VLAN goes over to another VRF", from: leaf(blue()), to: leaf(moved), want: `
WAIT A LITTLE APPL_DB VLAN_TABLE:Vlan3001
WAIT A LITTLE STATE_DB INTERFACE_TABLE|Vlan100
WAIT A LITTLE STATE_DB INTERFACE_TABLE|Vlan100|10.1.100.1/24
WAIT A LITTLE STATE_DB INTERFACE_TABLE|Vlan3001
WAIT A LITTLE STATE_DB VRF_OBJECT_TABLE|Vrf20001
WAIT A LITTLE APPL_DB VXLAN_TUNNEL_MAP_TABLE:switchlet:map_20001_Vlan3001

HSET VRF|Vrf20001 vni 0
WAIT APPL_DB VXLAN_VRF_TABLE:switchlet:evpn_map_20001_Vrf20001 to go

DEL VLAN_INTERFACE|Vlan100|10.1.100.1/24
WAIT STATE_DB INTERFACE_TABLE|Vlan100|10.1.100.1/24 to go

DEL VLAN_INTERFACE|Vlan100
DEL VLAN_INTERFACE|Vlan3001
WAIT STATE_DB INTERFACE_TABLE|Vlan100 to go
WAIT STATE_DB INTERFACE_TABLE|Vlan3001 to go

DEL VRF|Vrf20001
WAIT STATE_DB VRF_OBJECT_TABLE|Vrf20001 to go

DEL VXLAN_TUNNEL_MAP|switchlet|map_20001_Vlan3001
WAIT APPL_DB VXLAN_TUNNEL_MAP_TABLE:switchlet:map_20001_Vlan3001 to go

DEL VLAN|Vlan3001
WAIT APPL_DB VLAN_TABLE:Vlan3001 to go

HSET VLAN|Vlan3002 description l3 vlanid 3002

HSET VXLAN_TUNNEL_MAP|switchlet|map_20002_Vlan3002 vlan Vlan3002 vni 20002

HSET VRF|Vrf20002 vni 20002

HSET VLAN_INTERFACE|Vlan100 mac_addr 00:00:5e:00:01:01 vrf_name Vrf20002
HSET VLAN_INTERFACE|Vlan3002 vrf_name Vrf20002

HSET VLAN_INTERFACE|Vlan100|10.1.100.1/24 NULL NULL
`},
	}
}

func changesByHand() []transition {
	return []transition{
		{name: "a VRF's VNI was changed by hand", from: leaf(blue()), to: leaf(blue()), hand: "VRF|Vrf20001 vni=7", want: `
HSET VRF|Vrf20001 vni 0
WAIT APPL_DB VXLAN_VRF_TABLE:switchlet:evpn_map_7_Vrf20001 to go

HSET VRF|Vrf20001 vni 20001
`},
		{name: "a description was changed and a field added by hand", from: leaf(blue()), to: leaf(blue()),
			hand: "VLAN|Vlan100 description=mine vlanid=100 mtu=9000", want: `
HSET VLAN|Vlan100 description web
`},
	}
}

func TestConflicts(t *testing.T) {
	untagged := blue()
	untagged.ports = []VLANMember{{100, "Ethernet0", true}}
	for _, test := range []struct {
		name     string
		from, to DB
		hand     string
		want     []string // conflicts
		written  []string // keys that are written all the same
		kept     []string // keys of ours that stay
	}{
		{name: "the VLAN is somebody's", from: leaf(), to: leaf(blue()), hand: "VLAN|Vlan100 vlanid=100",
			want: []string{
				"foreign row VLAN|Vlan100 by VLAN|Vlan100",
				"blocked VLAN_INTERFACE|Vlan100 by VLAN|Vlan100",
				"blocked VLAN_INTERFACE|Vlan100|10.1.100.1/24 by VLAN|Vlan100",
				"blocked VLAN_MEMBER|Vlan100|Ethernet0 by VLAN|Vlan100",
				"blocked VXLAN_TUNNEL_MAP|switchlet|map_10100_Vlan100 by VLAN|Vlan100",
			},
			written: []string{"VLAN|Vlan3001", "VXLAN_TUNNEL_MAP|switchlet|map_20001_Vlan3001", "VRF|Vrf20001", "VLAN_INTERFACE|Vlan3001"}},
		{name: "the interface is somebody's: ports would be in the default VRF", from: leaf(), to: leaf(blue()),
			hand: "VLAN_INTERFACE|Vlan100",
			want: []string{
				"foreign row VLAN_INTERFACE|Vlan100 by VLAN_INTERFACE|Vlan100",
				"blocked VLAN_INTERFACE|Vlan100|10.1.100.1/24 by VLAN_INTERFACE|Vlan100",
				"blocked VLAN_MEMBER|Vlan100|Ethernet0 by VLAN_INTERFACE|Vlan100",
			},
			written: []string{"VLAN|Vlan100", "VLAN|Vlan3001", "VXLAN_TUNNEL_MAP|switchlet|map_10100_Vlan100",
				"VXLAN_TUNNEL_MAP|switchlet|map_20001_Vlan3001", "VRF|Vrf20001", "VLAN_INTERFACE|Vlan3001"}},
		{name: "another NVO", from: DB{}, to: leaf(), hand: "VXLAN_TUNNEL|vtep src_ip=10.0.0.9\nVXLAN_EVPN_NVO|evpn source_vtep=vtep",
			want:    []string{"taken VXLAN_EVPN_NVO|switchlet by VXLAN_EVPN_NVO|evpn (the one VXLAN_EVPN_NVO of a switch)"},
			written: []string{"LOOPBACK_INTERFACE|Loopback1", "LOOPBACK_INTERFACE|Loopback1|10.255.0.1/32", "VXLAN_TUNNEL|switchlet"}},
		{name: "a routed port", from: leaf(blue()).without("VLAN_MEMBER|Vlan100|Ethernet0"), to: leaf(blue()), hand: "INTERFACE|Ethernet0",
			want: []string{"taken VLAN_MEMBER|Vlan100|Ethernet0 by INTERFACE|Ethernet0 (the port Ethernet0)"}},
		{name: "a second untagged VLAN", from: leaf(untagged).without("VLAN_MEMBER|Vlan100|Ethernet0"), to: leaf(untagged),
			hand: "VLAN_MEMBER|Vlan10|Ethernet0 tagging_mode=untagged",
			want: []string{"taken VLAN_MEMBER|Vlan100|Ethernet0 by VLAN_MEMBER|Vlan10|Ethernet0 (the untagged VLAN of port Ethernet0)"}},
		{name: "a port that is not there", from: leaf(blue()).without("VLAN_MEMBER|Vlan100|Ethernet0"),
			to:   leaf(tenant{20001, 3001, 10100, 100, []VLANMember{{100, "Ethernet8", false}}, false}),
			want: []string{"missing row VLAN_MEMBER|Vlan100|Ethernet8 by PORT|Ethernet8"}},
		{name: "somebody's member on our VLAN", from: leaf(blue()), to: leaf(), hand: "VLAN_MEMBER|Vlan100|Ethernet4 tagging_mode=tagged",
			want: []string{"in use VLAN|Vlan100 by VLAN_MEMBER|Vlan100|Ethernet4"}, kept: []string{"VLAN|Vlan100"}},
		{name: "somebody's address on our interface", from: leaf(blue()), to: leaf(), hand: "VLAN_INTERFACE|Vlan100|192.0.2.1/24",
			want: []string{"in use VLAN_INTERFACE|Vlan100 by VLAN_INTERFACE|Vlan100|192.0.2.1/24"},
			kept: []string{"VLAN|Vlan100", "VLAN_INTERFACE|Vlan100", "VRF|Vrf20001", "VXLAN_TUNNEL_MAP|switchlet|map_20001_Vlan3001", "VLAN|Vlan3001"}},
		{name: "somebody's field on our interface", from: leaf(blue()), to: leaf(), hand: "VLAN_INTERFACE|Vlan3001 vrf_name=Vrf20001 proxy_arp=enabled",
			want: []string{"in use VLAN_INTERFACE|Vlan3001 by VLAN_INTERFACE|Vlan3001 (proxy_arp)"},
			kept: []string{"VLAN|Vlan3001", "VLAN_INTERFACE|Vlan3001", "VRF|Vrf20001", "VXLAN_TUNNEL_MAP|switchlet|map_20001_Vlan3001"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			hand := parse(t, test.hand)
			have := merge(parse(t, ports), test.from, hand)
			plan := Diff(have, test.to, ours(test.from))
			if diff := cmp.Diff(test.want, conflictTexts(plan)); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
			var written []string
			for _, stage := range plan.Stages {
				for _, c := range stage.Commands {
					if c.Op.Makes() {
						written = append(written, c.Key.String())
					}
				}
			}
			if diff := cmp.Diff(test.written, written); diff != "" {
				t.Errorf("written (-want +got):\n%s\n%s", diff, plan)
			}
			after := merge(have)
			for _, stage := range plan.Stages {
				after.Apply(stage.Commands...)
			}
			for _, key := range test.kept {
				if k, _ := ParseKey(key); after[k] == nil {
					t.Errorf("%s is gone", key)
				}
			}
		})
	}
}

// A row stays because another one refers to it: whose that is makes a difference to whoever
// reads of it.
func TestRowThatIsHeld(t *testing.T) {
	vlan, vrf := VLAN{100, "web"}.Row(), VRF{"Vrf1", 1}.Row()
	have := DB{}
	have.Add(vlan, vrf)
	stuck := Stuck{vrf.Key: {Fields: vrf.Fields, User: vlan.Key}}
	for _, test := range []struct {
		owned   Ledger
		leaving bool
	}{{ours(have), true}, {Ledger{vrf.Key: nil}, false}} {
		want := []Conflict{{Kind: InUse, Key: vrf.Key, Other: vlan.Key, Leaving: test.leaving}}
		if diff := cmp.Diff(want, DiffAround(stuck, have, DB{}, test.owned).Conflicts); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

// A row of the agent's that somebody added a field to loses the agent's fields
// only, where what is left still says something true.
func TestRowWithAForeignFieldLosesOnlyOurs(t *testing.T) {
	have := merge(parse(t, ports), leaf(blue()), parse(t, "VLAN|Vlan100 description=web vlanid=100 mtu=9000"))
	plan := Diff(have, leaf(), ours(leaf(blue())))
	for _, stage := range plan.Stages {
		have.Apply(stage.Commands...)
	}
	if got := have[VLANKey(100)]; cmp.Diff(NewFields("mtu", "9000"), got) != "" {
		t.Errorf("VLAN|Vlan100 is %v, want mtu=9000 alone", got)
	}
	if len(plan.Conflicts) > 0 {
		t.Errorf("conflicts: %v", conflictTexts(plan))
	}
}

// Without a record, rows that are as wanted are taken as ours; a loopback
// without an address of its own stays whose it is.
func TestAdopt(t *testing.T) {
	want := leaf(blue())
	have := merge(parse(t, ports), want, parse(t, "VLAN|Vlan100 vlanid=100 description=mine"))
	ledger := Adopt(have, want)
	for key := range want {
		adopted := key != VLANKey(100) && key != Key{TableLoopback, "Loopback1"}
		if ledger.Has(key) != adopted {
			t.Errorf("%s adopted: %v, want %v", key, ledger.Has(key), adopted)
		}
	}
}

func (db DB) without(keys ...string) DB {
	rest := merge(db)
	for _, key := range keys {
		k, _ := ParseKey(key)
		delete(rest, k)
	}
	return rest
}

func conflictTexts(p Plan) []string {
	kinds := map[ConflictKind]string{ForeignRow: "foreign row", ForeignField: "foreign field", Taken: "taken",
		MissingRow: "missing row", InUse: "in use", Blocked: "blocked"}
	var texts []string
	for _, blocked := range []bool{false, true} {
		for _, c := range p.Conflicts {
			if (c.Kind == Blocked) != blocked {
				continue
			}
			text := fmt.Sprintf("%s %s by %s", kinds[c.Kind], c.Key, c.Other)
			if c.Detail != "" {
				text += " (" + c.Detail + ")"
			}
			texts = append(texts, text)
		}
	}
	return texts
}
