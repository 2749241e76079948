package frr

import (
	"context"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/frrtest"
)

// BenchmarkDelta is one tenant more among 1,000, without any I/O.
func BenchmarkDelta(b *testing.B) {
	have := build(b, leaf(1000))
	want := build(b, leaf(1001))
	b.ReportAllocs()
	for b.Loop() {
		plan := Delta(have, want, have)
		if len(plan.Commands) == 0 {
			b.Fatal("nothing to do")
		}
	}
}

// BenchmarkParse is the running configuration with 1,000 tenants.
func BenchmarkParse(b *testing.B) {
	text := build(b, leaf(1000)).String()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTenant is one tenant, taken away and brought back, on a leaf with 20 and
// FRR 10: read, sent, read back.
func BenchmarkTenant(b *testing.B) {
	r := start(b, frrtest.Ten(b))
	for name, shell := range shells(r) {
		b.Run(name, func(b *testing.B) {
			a := newAgent(b, shell)
			a.apply(leaf(20))
			for n := 0; b.Loop(); n++ {
				if result := a.apply(leaf(20 - 1 + n%2)); result.Sent == 0 || len(result.Refused) > 0 {
					b.Fatalf("%+v", result)
				}
			}
			b.StopTimer()
			a.apply(&Config{})
		})
	}
}

// BenchmarkFloor is the least that a change can take: one answer of bgpd, and
// one process that asks for it.
func BenchmarkFloor(b *testing.B) {
	r := start(b, frrtest.Ten(b))
	b.Run("round trip", func(b *testing.B) {
		v, err := dial(b.Context(), r.Dir, "bgpd")
		if err != nil {
			b.Fatal(err)
		}
		defer v.close()
		for b.Loop() {
			if _, _, err := v.run(context.Background(), "enable"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("vtysh", func(b *testing.B) {
		for b.Loop() {
			if _, err := r.vtysh().command(context.Background(), "show version"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
