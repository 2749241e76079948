package live_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// vlans is how many VLANs the large leaf has.
const vlans = 2000

// writeLeaf writes a leaf of many VLANs in a good order, each with a map, a VRF
// of its own, an interface with a prefix, and a member: 14,000 rows.
func writeLeaf(l *lab) {
	l.Helper()
	ctx := l.Context()
	table := func(write func(p redis.Pipeliner, i int)) {
		_, err := l.config().Pipelined(ctx, func(p redis.Pipeliner) error {
			for i := range vlans {
				write(p, i)
			}
			return nil
		})
		l.must(err)
	}
	l.must(l.config().HSet(ctx, "VXLAN_TUNNEL|vtep", "src_ip", "10.0.0.1").Err())
	l.must(l.config().HSet(ctx, "VXLAN_EVPN_NVO|nvo", "source_vtep", "vtep").Err())
	vlan := func(i int) string { return fmt.Sprintf("Vlan%d", 100+i) }
	table(func(p redis.Pipeliner, i int) { p.HSet(ctx, "VLAN|"+vlan(i), "vlanid", 100+i) })
	table(func(p redis.Pipeliner, i int) {
		p.HSet(ctx, fmt.Sprintf("VXLAN_TUNNEL_MAP|vtep|map_%d_%s", 10000+i, vlan(i)), "vlan", vlan(i), "vni", 10000+i)
	})
	table(func(p redis.Pipeliner, i int) { p.HSet(ctx, fmt.Sprintf("VRF|Vrf%d", i), "vni", 10000+i) })
	table(func(p redis.Pipeliner, i int) {
		p.HSet(ctx, "VLAN_INTERFACE|"+vlan(i), "vrf_name", fmt.Sprintf("Vrf%d", i), "mac_addr", "00:00:5e:00:01:01")
	})
	table(func(p redis.Pipeliner, i int) {
		p.HSet(ctx, fmt.Sprintf("VLAN_INTERFACE|%s|10.%d.%d.1/24", vlan(i), i/250, i%250), "NULL", "NULL")
	})
	table(func(p redis.Pipeliner, i int) {
		p.HSet(ctx, "VLAN_MEMBER|"+vlan(i)+"|Ethernet0", "tagging_mode", "tagged")
	})
	table(func(p redis.Pipeliner, i int) {
		p.HSet(ctx, "VLAN_MEMBER|"+vlan(i)+"|Ethernet4", "tagging_mode", "tagged")
	})
}

func TestALeafWithManyVLANs(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	l := start(t, swss.Config{})
	began := time.Now()
	writeLeaf(l)
	written := time.Since(began)
	l.quiet()
	t.Logf("%d rows written in %v, followed %v later", 7*vlans+2, written, time.Since(began)-written)
	// Each VRF's VNI is that of its VLAN: two entries of the ASIC in place of one.
	if got := len(l.row(swss.StateDB, fmt.Sprintf("INTERFACE_TABLE|Vlan%d", 100+vlans-1))); got == 0 {
		t.Error("the last VLAN has no interface")
	}
	l.checkMistakes("")
	if time.Since(began) > 20*time.Second {
		t.Errorf("following %d rows took %v", 7*vlans, time.Since(began))
	}
	began = time.Now()
	l.must(l.Start(t.Context()))
	l.quiet()
	t.Logf("restart: %v", time.Since(began))
}
