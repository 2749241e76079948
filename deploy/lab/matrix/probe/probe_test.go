package probe_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/matrixtest"
	"github.com/switchlet/switchlet/deploy/lab/matrix/plug"
	"github.com/switchlet/switchlet/deploy/lab/matrix/probe"
)

// tenants is a fabric with two VPCs that use the same addresses, the one with two
// subnets, and the endpoints in it.
func tenants(t *testing.T) (*matrixtest.Fabric, []matrix.Endpoint) {
	f := matrixtest.New(t)
	f.Subnet("a/blue", "web", "10.1.0.0/24", "fd00:1::/64")
	f.Subnet("a/blue", "db", "10.1.1.0/24", "fd00:2::/64")
	f.Subnet("b/red", "app", "10.1.0.0/24", "fd00:1::/64")
	f.Subnet("b/red", "ops", "10.2.0.0/24", "fd00:3::/64")
	return f, []matrix.Endpoint{
		f.Host("host1", "eth1", "a/blue", "web"), f.Host("host2", "eth1", "a/blue", "web"), f.Host("host3", "eth1", "a/blue", "db"),
		f.Host("host1", "eth2", "b/red", "app"), f.Host("host2", "eth2", "b/red", "app"), f.Host("host3", "eth2", "b/red", "ops"),
	}
}

func lines(t *testing.T, endpoints []matrix.Endpoint) []string {
	t.Helper()
	plugs := plug.New(slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		if err := plugs.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := plugs.Set(endpoints); err != nil {
		t.Fatal(err)
	}
	expect := matrix.VPCRules().Expect(endpoints)
	begin := time.Now()
	seen, err := probe.Run(t.Context(), probe.Config{Rooms: plugs.Rooms(), Expect: expect, Patience: 3 * time.Second, Run: 1})
	if err != nil {
		t.Fatal(err)
	}
	result := matrix.Compare(endpoints, expect, seen)
	t.Logf("%d questions, slowest answer %v, %v in all\n%s", result.Questions, result.Slowest, time.Since(begin), result.Table(false))
	return result.Lines()
}

func TestEveryoneReachesTheirOwnVPCOnly(t *testing.T) {
	_, endpoints := tenants(t)
	if diff := cmp.Diff([]string(nil), lines(t, endpoints)); diff != "" {
		t.Error(diff)
	}
}

// Two bridges of different VPCs are one: who has addresses of the same network reaches
// each other.
func TestLeakBetweenBridgesIsSeen(t *testing.T) {
	f, endpoints := tenants(t)
	f.Bridge("a/blue/web", "b/red/app")
	want := []string{
		"host1/eth1 a/blue/web → host1/eth2 b/red/app: must not be reached, but is, by anything that was tried",
		"host1/eth1 a/blue/web → host2/eth2 b/red/app: must not be reached, but is, by anything that was tried",
		"host2/eth1 a/blue/web → host1/eth2 b/red/app: must not be reached, but is, by anything that was tried",
		"host2/eth1 a/blue/web → host2/eth2 b/red/app: must not be reached, but is, by anything that was tried",
		"host1/eth2 b/red/app → host1/eth1 a/blue/web: must not be reached, but is, by anything that was tried",
		"host1/eth2 b/red/app → host2/eth1 a/blue/web: must not be reached, but is, by anything that was tried",
		"host2/eth2 b/red/app → host1/eth1 a/blue/web: must not be reached, but is, by anything that was tried",
		"host2/eth2 b/red/app → host2/eth1 a/blue/web: must not be reached, but is, by anything that was tried",
	}
	var between []string
	for _, line := range lines(t, endpoints) {
		if !strings.Contains(line, "db") && !strings.Contains(line, "ops") { // those are behind two gateways with one address
			between = append(between, line)
		}
	}
	if diff := cmp.Diff(want, between); diff != "" {
		t.Error(diff)
	}
}

// A VPC has a route into another one, which has none back.
func TestLeakByARouteOneWayIsSeen(t *testing.T) {
	f, endpoints := tenants(t)
	f.Route("a/blue", "b/red")
	const way = "must not be reached, but packets come there (no answer comes back), by udp IPv4, udp IPv4 full, udp IPv6, udp IPv6 full"
	var want []string
	for _, from := range []string{"host3/eth1 a/blue/db", "host1/eth1 a/blue/web", "host2/eth1 a/blue/web"} {
		want = append(want, from+" → host3/eth2 b/red/ops: "+way)
	}
	if diff := cmp.Diff(want, lines(t, endpoints)); diff != "" {
		t.Error(diff)
	}
}

// A port in the middle has a smaller MTU: what is small passes, full packets do not.
func TestSmallMTUOnTheWayIsSeen(t *testing.T) {
	f, endpoints := tenants(t)
	f.MTU(endpoints[2], 1500)
	got := lines(t, endpoints)
	for _, line := range got {
		if !strings.Contains(line, "host3/eth1 a/blue/db") || !strings.Contains(line, " full") || strings.Contains(line, "IPv4,") {
			t.Error(line)
		}
	}
	if len(got) < 4 {
		t.Errorf("%d lines, wanted both directions to both others: %s", len(got), strings.Join(got, "\n"))
	}
}

// An address that is in two VPCs is that of both: who answers says who it is.
func TestSameAddressInBothVPCs(t *testing.T) {
	_, endpoints := tenants(t)
	endpoints[4].Addresses = endpoints[1].Addresses
	if got := lines(t, endpoints); len(got) > 0 {
		t.Errorf("differences where there is no leak: %s", strings.Join(got, "\n"))
	}
}
