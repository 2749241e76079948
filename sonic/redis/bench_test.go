package redis_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/sonic"
)

// fullLeaf is a leaf with 2,000 VLANs in 20 VRFs: about 10,000 rows.
func fullLeaf() sonic.DB {
	vtep := netip.MustParseAddr("10.255.0.1")
	db := sonic.DB{}
	db.Add(sonic.Loopback{Name: "Loopback1", Address: vtep}.Rows()...)
	db.Add(sonic.Tunnel{Name: "switchlet", Source: vtep}.Row(), sonic.NVO{Name: "switchlet", Tunnel: "switchlet"}.Row())
	for i := range 20 {
		vni, vlan := 20001+i, 3001+i
		db.Add(sonic.VRF{Name: sonic.VRFName(vni), VNI: vni}.Row(), sonic.VLAN{ID: vlan, Description: "l3"}.Row(),
			sonic.TunnelMap{Tunnel: "switchlet", VLAN: vlan, VNI: vni}.Row())
		db.Add(sonic.VLANInterface{VLAN: vlan, VRF: sonic.VRFName(vni)}.Rows()...)
	}
	for i := range 2000 {
		vlan, vni := 100+i, 10000+i
		gateway := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i / 256), byte(i), 1}), 24)
		db.Add(sonic.VLAN{ID: vlan, Description: fmt.Sprintf("switchlet tenant/vpc-%d/web", i)}.Row(),
			sonic.TunnelMap{Tunnel: "switchlet", VLAN: vlan, VNI: vni}.Row(),
			sonic.VLANMember{VLAN: vlan, Port: fmt.Sprintf("Ethernet%d", i%4*4)}.Row())
		db.Add(sonic.VLANInterface{VLAN: vlan, VRF: sonic.VRFName(20001 + i/100), MACAddress: "00:00:5e:00:01:01",
			Addresses: []netip.Prefix{gateway}}.Rows()...)
	}
	return db
}

// BenchmarkApply2000 fills an empty leaf with 2,000 VLANs: read, diff and
// write. The metric floor-ms/op is the same commands in one raw pipeline, ratio
// is what the rest of the work costs.
func BenchmarkApply2000(b *testing.B) {
	box := start(b)
	client, raw := connect(b, box), operator(b, box)
	want := fullLeaf()
	var ours, floor []time.Duration
	for b.Loop() {
		begin := time.Now()
		have, err := client.Load(b.Context(), sonic.Tables())
		if err != nil {
			b.Fatal(err)
		}
		plan := sonic.Diff(have, want, sonic.Ledger{})
		for _, stage := range plan.Stages {
			if err := client.Apply(b.Context(), stage); err != nil {
				b.Fatal(err)
			}
		}
		ours = append(ours, time.Since(begin))
		remove(b, raw, want)

		begin = time.Now()
		pipe := raw.Pipeline()
		for _, stage := range plan.Stages {
			for _, c := range stage {
				args := []any{"hset", c.Key.String()}
				for _, field := range c.Fields {
					args = append(args, field.Name, field.Value)
				}
				if len(c.Fields) == 0 {
					args = append(args, "NULL", "NULL")
				}
				pipe.Do(b.Context(), args...)
			}
		}
		if _, err := pipe.Exec(b.Context()); err != nil {
			b.Fatal(err)
		}
		floor = append(floor, time.Since(begin))
		remove(b, raw, want)
	}
	report(b, ours, floor)
}

// BenchmarkNoop2000 finds out that a leaf with 2,000 VLANs is as it should be,
// reading it from nothing. The floor is reading the same rows, whose keys are
// known, in one raw pipeline.
func BenchmarkNoop2000(b *testing.B) {
	box := start(b)
	client, raw := connect(b, box), operator(b, box)
	want := fullLeaf()
	have, err := client.Load(b.Context(), sonic.Tables())
	if err != nil {
		b.Fatal(err)
	}
	plan := sonic.Diff(have, want, sonic.Ledger{})
	for _, stage := range plan.Stages {
		if err := client.Apply(b.Context(), stage); err != nil {
			b.Fatal(err)
		}
	}
	owned := sonic.Ledger{}
	owned.Apply(plan)
	have, err = client.Load(b.Context(), sonic.Tables())
	if err != nil {
		b.Fatal(err)
	}
	var ours, floor []time.Duration
	for b.Loop() {
		begin := time.Now()
		have, err := client.Load(b.Context(), sonic.Tables())
		if err != nil {
			b.Fatal(err)
		}
		if plan := sonic.Diff(have, want, owned); len(plan.Stages) > 0 {
			b.Fatal(plan)
		}
		ours = append(ours, time.Since(begin))

		begin = time.Now()
		pipe := raw.Pipeline()
		for key := range have {
			pipe.HGetAll(b.Context(), key.String())
		}
		if _, err := pipe.Exec(b.Context()); err != nil {
			b.Fatal(err)
		}
		floor = append(floor, time.Since(begin))
	}
	report(b, ours, floor)
}

func remove(b *testing.B, raw *goredis.Client, rows sonic.DB) {
	b.Helper()
	pipe := raw.Pipeline()
	for key := range rows {
		pipe.Del(b.Context(), key.String())
	}
	if _, err := pipe.Exec(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func report(b *testing.B, ours, floor []time.Duration) {
	b.Helper()
	slices.Sort(ours)
	slices.Sort(floor)
	p50, base := ours[len(ours)/2], floor[len(floor)/2]
	b.ReportMetric(float64(p50)/1e6, "p50-ms/op")
	b.ReportMetric(float64(base)/1e6, "floor-ms/op")
	b.ReportMetric(float64(p50)/float64(base), "ratio")
	b.ReportMetric(0, "ns/op")
}
