package wire_test

import (
	"testing"
	"time"

	"github.com/switchlet/switchlet/lldp/cache"
	"github.com/switchlet/switchlet/lldp/wire"
)

// A machine that starts anew knows from its disk who was there, and by the first
// frame that it still is.
func TestRestart(t *testing.T) {
	node, leaf := newSpace(t), newSpace(t)
	cable(node, "eth0", leaf, "Ethernet0")
	first, b := node.agent(named("node1")), leaf.agent(named("leaf1"))
	first.untilNeighbors("eth0: leaf1 Ethernet0")
	since := first.Neighbors()[0].FirstSeen
	text, err := cache.Encode(first.Neighbors())
	if err != nil {
		t.Fatal(err)
	}
	first.end()
	b.end()

	saved, err := cache.Decode(text, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	again, err := wire.New(veths(named("node1")))
	if err != nil {
		t.Fatal(err)
	}
	again.Restore(saved)
	second := node.start(again)
	second.untilNeighbors("eth0: leaf1 Ethernet0 stale")
	leaf.agent(named("leaf1"))
	second.untilNeighbors("eth0: leaf1 Ethernet0")
	if n := second.Neighbors()[0]; !n.FirstSeen.Equal(since) || !n.LastSeen.After(since) {
		t.Errorf("%+v, first heard %v", n, since)
	}
}
