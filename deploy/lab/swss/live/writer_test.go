package live_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// marker is a row of a daemon that is waited for to come or to go.
type marker struct {
	db, key      string
	gone         bool
	field, value string
}

func comes(db, key string) marker { return marker{db: db, key: key} }
func goes(db, key string) marker  { return marker{db: db, key: key, gone: true} }

// await waits for markers by keyspace events, as a writer on a switch does.
func (l *lab) await(markers ...marker) {
	l.Helper()
	for _, m := range markers {
		id := l.db[m.db].Options().DB
		sub := l.db[m.db].Subscribe(l.Context(), fmt.Sprintf("__keyspace@%d__:%s", id, m.key))
		if _, err := sub.Receive(l.Context()); err != nil {
			l.Fatal(err)
		}
		deadline := time.Now().Add(30 * time.Second)
		for !l.reached(m) {
			if _, err := sub.ReceiveTimeout(l.Context(), time.Until(deadline)); err != nil {
				l.Fatalf("%+v: %v\n%s", m, err, l.Dump())
			}
		}
		l.must(sub.Close())
	}
}

func (l *lab) reached(m marker) bool {
	l.Helper()
	row, err := l.db[m.db].HGetAll(l.Context(), m.key).Result()
	l.must(err)
	if m.field != "" {
		return row[m.field] == m.value
	}
	return m.gone == (len(row) == 0)
}

// write carries out commands in one pipeline: "KEY field=value …" sets a row,
// "-KEY" deletes one.
func (l *lab) write(lines ...string) {
	l.Helper()
	_, err := l.config().Pipelined(l.Context(), func(p redis.Pipeliner) error {
		for _, line := range lines {
			words := strings.Fields(line)
			if key, gone := strings.CutPrefix(words[0], "-"); gone {
				p.Del(l.Context(), key)
				continue
			}
			var pairs []any
			for _, word := range words[1:] {
				name, value, _ := strings.Cut(word, "=")
				pairs = append(pairs, name, value)
			}
			if pairs == nil {
				pairs = []any{"NULL", "NULL"}
			}
			p.HSet(l.Context(), words[0], pairs...)
		}
		return nil
	})
	l.must(err)
}

// A writer that goes on as soon as it sees a step's marker in Redis makes no
// mistake, a hundred VPCs' lives long: a marker says what the next command
// needs.
func TestAWriterThatWaitsForMarkersMakesNoMistake(t *testing.T) {
	lives := 100
	if testing.Short() {
		lives = 10
	}
	l := start(t, swss.Config{Manager: time.Millisecond, Orchagent: 2 * time.Millisecond})
	const vlan, l3 = "Vlan100", "Vlan3001"
	l.write("SAG|GLOBAL gateway_mac=00:00:5e:00:01:01", "VXLAN_TUNNEL|vtep src_ip=10.0.0.1")
	l.await(comes(swss.ApplDB, "VXLAN_TUNNEL_TABLE:vtep"))
	l.write("VXLAN_EVPN_NVO|nvo source_vtep=vtep")
	l.await(comes(swss.ApplDB, "VXLAN_EVPN_NVO_TABLE:nvo"))
	l.quiet()
	before := l.dump()
	for range lives {
		l.write("VLAN|"+vlan+" vlanid=100", "VLAN|"+l3+" vlanid=3001",
			"VXLAN_TUNNEL_MAP|vtep|map_10100_Vlan100 vlan=Vlan100 vni=10100",
			"VXLAN_TUNNEL_MAP|vtep|map_5001_Vlan3001 vlan=Vlan3001 vni=5001",
			"VRF|Vrf1 vni=5001", "VLAN_INTERFACE|"+l3+" vrf_name=Vrf1",
			"VLAN_INTERFACE|"+vlan+" vrf_name=Vrf1 static_anycast_gateway=true", "VLAN_INTERFACE|"+vlan+"|10.1.0.1/24",
			"VLAN_MEMBER|"+vlan+"|Ethernet0 tagging_mode=tagged")
		l.await(comes(swss.StateDB, "VRF_OBJECT_TABLE|Vrf1"), comes(swss.ApplDB, "VXLAN_VRF_TABLE:vtep:evpn_map_5001_Vrf1"),
			comes(swss.StateDB, "INTERFACE_TABLE|"+vlan+"|10.1.0.1/24"), comes(swss.StateDB, "INTERFACE_TABLE|"+l3),
			comes(swss.StateDB, "VLAN_MEMBER_TABLE|"+vlan+"|Ethernet0"),
			marker{db: swss.ApplDB, key: "INTF_TABLE:" + vlan, field: "static_anycast_gateway", value: "true"})

		l.write("VLAN_INTERFACE|"+vlan+" static_anycast_gateway=false", "VRF|Vrf1 vni=0")
		l.await(marker{db: swss.ApplDB, key: "INTF_TABLE:" + vlan, field: "static_anycast_gateway", value: "false"},
			goes(swss.ApplDB, "VXLAN_VRF_TABLE:vtep:evpn_map_5001_Vrf1"))
		l.write("-VLAN_INTERFACE|" + vlan + "|10.1.0.1/24")
		l.await(goes(swss.StateDB, "INTERFACE_TABLE|"+vlan+"|10.1.0.1/24"))
		l.write("-VLAN_INTERFACE|"+vlan, "-VLAN_INTERFACE|"+l3)
		l.await(goes(swss.StateDB, "INTERFACE_TABLE|"+vlan), goes(swss.StateDB, "INTERFACE_TABLE|"+l3))
		l.write("-VRF|Vrf1")
		l.await(goes(swss.StateDB, "VRF_OBJECT_TABLE|Vrf1"))
		l.write("-VXLAN_TUNNEL_MAP|vtep|map_10100_Vlan100", "-VXLAN_TUNNEL_MAP|vtep|map_5001_Vlan3001", "-VLAN_MEMBER|"+vlan+"|Ethernet0")
		l.await(goes(swss.StateDB, "SUPPRESS_VLAN_NEIGH_TABLE|"+vlan), goes(swss.StateDB, "SUPPRESS_VLAN_NEIGH_TABLE|"+l3),
			goes(swss.StateDB, "VLAN_MEMBER_TABLE|"+vlan+"|Ethernet0"))
		l.write("-VLAN|"+vlan, "-VLAN|"+l3)
		l.await(goes(swss.StateDB, "VLAN_TABLE|"+vlan), goes(swss.StateDB, "VLAN_TABLE|"+l3))
	}
	l.quiet()
	l.checkMistakes("")
	if lines := l.Errors(); len(lines) > 0 {
		t.Errorf("errors: %q", lines[:min(5, len(lines))])
	}
	if after := l.dump(); after != before {
		t.Errorf("rows before:\n%s\nafter:\n%s", before, after)
	}
}
