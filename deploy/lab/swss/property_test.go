package swss_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// ports is what no script touches.
const ports = `
DEVICE_METADATA|localhost mac=52:54:00:aa:00:01
PORT|Ethernet0 admin_status=up
PORT|Ethernet4 admin_status=up
`

// stages are rows that scripts are made of, each stage needing those before.
// The fields that are drawn stand in braces.
func stages() [][]string {
	return [][]string{
		{"SAG|GLOBAL gateway_mac=00:00:5e:00:01:01", "VXLAN_TUNNEL|vtep src_ip=10.255.0.1"},
		{"VXLAN_EVPN_NVO|nvo source_vtep=vtep"},
		{"VLAN|Vlan100 vlanid=100", "VLAN|Vlan200 vlanid=200", "VLAN|Vlan3001 vlanid=3001", "VLAN|Vlan3002 vlanid=3002"},
		{
			"VLAN_MEMBER|Vlan100|Ethernet0 tagging_mode=tagged", "VLAN_MEMBER|Vlan200|Ethernet0 tagging_mode=tagged",
			"VLAN_MEMBER|Vlan200|Ethernet4 tagging_mode=untagged",
		},
		{
			"VXLAN_TUNNEL_MAP|vtep|map_10100_Vlan100 vlan=Vlan100 vni=10100", "VXLAN_TUNNEL_MAP|vtep|map_10200_Vlan200 vlan=Vlan200 vni=10200",
			"VXLAN_TUNNEL_MAP|vtep|map_5001_Vlan3001 vlan=Vlan3001 vni=5001", "VXLAN_TUNNEL_MAP|vtep|map_5002_Vlan3002 vlan=Vlan3002 vni=5002",
		},
		{"VRF|Vrf1 vni=5001", "VRF|Vrf2 vni=5002"},
		{
			"VLAN_INTERFACE|Vlan100 vrf_name=Vrf1 static_anycast_gateway=true", "VLAN_INTERFACE|Vlan200 vrf_name=Vrf2 mac_addr=00:00:5e:00:01:01",
			"VLAN_INTERFACE|Vlan3001 vrf_name=Vrf1", "VLAN_INTERFACE|Vlan3002 vrf_name=Vrf2",
		},
		{"VLAN_INTERFACE|Vlan100|10.1.0.1/24", "VLAN_INTERFACE|Vlan100|2001:db8::1/64", "VLAN_INTERFACE|Vlan200|10.2.0.1/24"},
	}
}

// drawRig has daemons of any delays and of any order between tables.
func drawRig(t *rapid.T, tb testing.TB) *rig {
	delay := rapid.SampledFrom([]time.Duration{0, 50 * time.Millisecond, 150 * time.Millisecond})
	seed := rapid.Uint64().Draw(t, "seed")
	r := newRig(tb, swss.Config{
		Manager: delay.Draw(t, "manager"), Orchagent: delay.Draw(t, "orchagent"), Rand: rand.New(rand.NewPCG(seed, 0)),
	})
	r.boot(ports)
	return r
}

func (r *rig) run(t *rapid.T, line string) {
	t.Helper()
	if err := r.do(line); err != nil {
		t.Fatal(err)
	}
}

// build sets some of the rows, each with all that it needs, in a good order;
// within a stage in any. Tables have no order, so a row may be set in the same
// burst as what it needs, but after it.
func (r *rig) build(t *rapid.T, chosen map[string]bool, wait bool) {
	for _, stage := range stages() {
		for _, row := range rapid.Permutation(stage).Draw(t, "order") {
			key, _, _ := strings.Cut(row, " ")
			if chosen[key] && r.Row(key) == nil {
				r.run(t, "HSET "+row)
			}
		}
		if wait {
			r.settle()
		}
	}
}

// drawRows chooses rows and what they need.
func drawRows(t *rapid.T, label string) map[string]bool {
	fields := map[string]string{}
	for _, row := range slices.Concat(stages()...) {
		key, rest, _ := strings.Cut(row, " ")
		fields[key] = rest
	}
	chosen := map[string]bool{}
	var add func(key string)
	add = func(key string) {
		if chosen[key] {
			return
		}
		chosen[key] = true
		for other := range fields {
			if stageOf(other) < stageOf(key) && refers(key, fields[key], other) {
				add(other)
			}
		}
	}
	for _, key := range rapid.SliceOfN(rapid.SampledFrom(slices.Sorted(maps.Keys(fields))), 0, 12).Draw(t, label) {
		add(key)
	}
	return chosen
}

// refers reports whether a row names another, or needs it without a name.
func refers(key, fields, other string) bool {
	words := strings.FieldsFunc(key+" "+fields, func(c rune) bool { return strings.ContainsRune("|= ", c) })
	_, name, _ := strings.Cut(other, "|")
	vni, isVRF := strings.CutPrefix(fields, "vni=")
	return slices.Contains(words, name) ||
		other == "SAG|GLOBAL" && strings.Contains(fields, "static_anycast") ||
		strings.HasPrefix(other, "VXLAN_EVPN_NVO|") && (isVRF || strings.HasPrefix(key, "VXLAN_TUNNEL_MAP|")) ||
		isVRF && strings.Contains(other, "map_"+vni+"_")
}

func stageOf(key string) int {
	return slices.IndexFunc(stages(), func(stage []string) bool {
		return slices.ContainsFunc(stage, func(row string) bool { return strings.HasPrefix(row, key+" ") || row == key })
	})
}

// demolish deletes all rows but those of ports and some that stay, in the good
// order and waiting for each step.
func (r *rig) demolish(t *rapid.T, stay map[string]bool) {
	goes := func(prefix string) []string {
		var keys []string
		for _, key := range r.Keys() {
			if strings.HasPrefix(key, prefix+"|") && !stay[key] {
				keys = append(keys, key)
			}
		}
		return keys
	}
	for _, key := range goes("VLAN_INTERFACE") {
		if r.Row(key)["static_anycast_gateway"] == "true" {
			r.run(t, "HSET "+key+" static_anycast_gateway=false")
		}
	}
	for _, key := range goes("VRF") {
		if vni := r.Row(key)["vni"]; vni != "" && vni != "0" {
			r.run(t, "HSET "+key+" vni=0")
		}
	}
	r.settle()
	for _, more := range []bool{true, false} {
		for _, key := range goes("VLAN_INTERFACE") {
			if more == (strings.Count(key, "|") == 2) {
				r.run(t, "DEL "+key)
			}
		}
		r.settle()
	}
	for _, table := range []string{"VRF", "VXLAN_TUNNEL_MAP", "VLAN_MEMBER", "VLAN", "VXLAN_EVPN_NVO", "VXLAN_TUNNEL", "SAG"} {
		for _, key := range goes(table) {
			r.run(t, "DEL "+key)
		}
		r.settle()
	}
}

// Whoever creates in order and deletes in order, waiting, makes no mistake and
// causes no error, whatever the delays and the order between tables; and the
// rows of the daemons are those of the last state, whatever was before, also
// after a restart. Who does
// not wait when creating makes no mistake either, but may cause an error line
// (vxlanmgrd hears of the NVO before the tunnel).
func TestAGoodWriterMakesNoMistake(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := drawRig(rt, t)
		last := map[string]bool{}
		for i := range rapid.IntRange(1, 3).Draw(rt, "states") {
			last = drawRows(rt, fmt.Sprintf("state %d", i))
			r.demolish(rt, last)
			wait := rapid.Bool().Draw(rt, "wait between stages")
			r.build(rt, last, wait)
			r.settle()
			if m := r.Mistakes(); len(m) > 0 {
				rt.Fatalf("state %d: mistakes\n%s", i, swss.Report(m))
			}
			if lines := r.Errors(); wait && len(lines) > 0 {
				rt.Fatalf("state %d: errors %q", i, lines)
			}
			r.Forget()
		}
		r.Stop()
		r.start()
		fresh := newRig(t, swss.Config{})
		fresh.boot(ports)
		fresh.build(rt, last, true)
		if diff := cmp.Diff(withoutOIDs(fresh.Dump()), withoutOIDs(r.Dump())); diff != "" {
			rt.Fatalf("rows (-made at once +by way of other states):\n%s", diff)
		}
	})
}

// withoutOIDs is a dump whose objects have no numbers.
func withoutOIDs(dump string) []string {
	var lines []string
	for line := range strings.Lines(dump) {
		for _, word := range strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" =:\"\n", c) }) {
			if strings.HasPrefix(word, "0x") {
				line = strings.ReplaceAll(line, word, "N")
			}
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// However badly somebody wrote: when all is deleted in the good order, nothing
// is left, unless a gateway leaked, which only a restart heals, or a VRF with a
// VNI waits for an NVO.
func TestDeletingAllInOrderLeavesNothing(t *testing.T) {
	rows := slices.Concat(stages()...)
	rapid.Check(t, func(rt *rapid.T) {
		r := drawRig(rt, t)
		start := r.Dump()
		for range rapid.IntRange(0, 40).Draw(rt, "commands") {
			row := rapid.SampledFrom(rows).Draw(rt, "row")
			key, _, _ := strings.Cut(row, " ")
			switch rapid.IntRange(0, 5).Draw(rt, "command") {
			case 0, 1:
				r.run(rt, "HSET "+row)
			case 2:
				r.run(rt, "DEL "+key)
			case 3:
				for _, name := range slices.Sorted(maps.Keys(r.Row(key))) {
					r.run(rt, "HDEL "+key+" "+name)
					break
				}
			case 4:
				r.run(rt, fmt.Sprintf("advance %dms", rapid.IntRange(0, 1500).Draw(rt, "time")))
			case 5:
				r.settle()
			}
		}
		if len(r.Mistakes()) > 0 { // without an NVO a VRF with a VNI cannot even be deleted
			r.run(rt, "HSET VXLAN_TUNNEL|vtep src_ip=10.255.0.1")
			r.run(rt, "HSET VXLAN_EVPN_NVO|nvo source_vtep=vtep")
		}
		r.settle()
		r.demolish(rt, nil)
		if r.Counts()[swss.Leak] > 0 {
			r.Stop()
			r.start()
		}
		if diff := cmp.Diff(start, r.Dump()); diff != "" {
			rt.Fatalf("rows (-at the start +in the end):\n%s\nmistakes on the way:\n%s", diff, swss.Report(r.Mistakes()))
		}
	})
}

// BenchmarkTransition is a VPC with three subnets, 50 rows, that comes and goes
// on a leaf that has no other.
func BenchmarkTransition(b *testing.B) {
	r := newRig(b, swss.Config{})
	r.boot(ports)
	var create, remove []string
	line := func(key, fields string) {
		create, remove = append(create, "HSET "+key+" "+fields), append(remove, "DEL "+key)
	}
	line("VXLAN_TUNNEL|vtep", "src_ip=10.255.0.1")
	line("VXLAN_EVPN_NVO|nvo", "source_vtep=vtep")
	for i := range 8 {
		vlan := fmt.Sprintf("Vlan%d", 100+i)
		line("VLAN|"+vlan, fmt.Sprintf("vlanid=%d", 100+i))
		line(fmt.Sprintf("VXLAN_TUNNEL_MAP|vtep|map_%d_%s", 10000+i, vlan), fmt.Sprintf("vlan=%s vni=%d", vlan, 10000+i))
		line("VLAN_MEMBER|"+vlan+"|Ethernet0", "tagging_mode=tagged")
		line("VLAN_MEMBER|"+vlan+"|Ethernet4", "tagging_mode=tagged")
		line("VLAN_INTERFACE|"+vlan, "mac_addr=00:00:5e:00:01:01")
		line("VLAN_INTERFACE|"+vlan+fmt.Sprintf("|10.1.%d.1/24", i), "")
	}
	slices.Reverse(remove)
	play := func(lines []string, wait int) {
		for i, line := range lines {
			if err := r.do(line); err != nil {
				b.Fatal(err)
			}
			if i%wait == 0 {
				r.settle()
			}
		}
		r.settle()
	}
	for b.Loop() {
		play(create, len(create)) // in one burst
		play(remove, 1)           // waiting after each row
	}
	if m := r.Mistakes(); len(m) > 0 {
		b.Fatal(swss.Report(m[:min(5, len(m))]))
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*2), "µs/transition")
}
