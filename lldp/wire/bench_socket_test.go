package wire_test

import (
	"testing"

	"github.com/switchlet/switchlet/lldp/wire"
)

// A frame from one network namespace to the agent in another, with what sending it
// costs.
func BenchmarkSocket(b *testing.B) {
	node, leaf := newSpace(b), newSpace(b)
	cable(node, "eth0", leaf, "eth0")
	a := node.agent(named("node1"))
	a.speaks()
	out, raw := leaf.sender("eth0"), ethernet(b, wire.NearestBridge(), nil, "leaf1")
	out.send(raw)
	a.untilNeighbors("eth0: leaf1 x")
	heard := func() uint64 { return a.Ports()[0].Counters.In + a.Drops() }
	start := heard()
	b.ReportAllocs()
	for b.Loop() {
		out.send(raw)
	}
	awaitTrue(b, "all frames", func() bool { return heard()-start == uint64(b.N) })
	b.ReportMetric(float64(a.Drops())/float64(b.N), "dropped/op")
}
