package demo

import (
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
)

// Endpoints of a VPC that is gone reach nobody, not even each other, and nobody reaches
// them; the others are as before.
func TestNobodyReachesAVPCThatIsGone(t *testing.T) {
	blue1, blue2 := matrix.Endpoint{Host: "host1", VPC: "a/blue"}, matrix.Endpoint{Host: "host2", VPC: "a/blue"}
	red1, red2 := matrix.Endpoint{Host: "host1", VPC: "b/red"}, matrix.Endpoint{Host: "host2", VPC: "b/red"}
	rules := append(matrix.Rules{gone("b/red")}, matrix.VPCRules()...)
	for _, test := range []struct {
		name     string
		from, to matrix.Endpoint
		want     bool
	}{
		{"both in blue", blue1, blue2, true},
		{"both in red", red1, red2, false},
		{"from blue to red", blue1, red2, false},
		{"from red to blue", red1, blue2, false},
	} {
		if got := rules.Reaches(&test.from, &test.to); got != test.want {
			t.Errorf("%s: reaches is %v, want %v", test.name, got, test.want)
		}
	}
}

// After a move all endpoints of the NIC are at the new port, and the others anywhere.
func TestEndpointsFollowACable(t *testing.T) {
	right := follows(cabling.End{Node: "host1", Port: "eth1"}, cabling.End{Node: "leaf2", Port: "Ethernet8"})
	for _, test := range []struct {
		name     string
		endpoint matrix.Endpoint
		want     bool
	}{
		{"it has followed", matrix.Endpoint{Host: "host1", NIC: "eth1", Switch: "leaf2", Port: "Ethernet8"}, true},
		{"it is where it was", matrix.Endpoint{Host: "host1", NIC: "eth1", Switch: "leaf1", Port: "Ethernet0"}, false},
		{"the other NIC", matrix.Endpoint{Host: "host1", NIC: "eth2", Switch: "leaf2", Port: "Ethernet0"}, true},
		{"another host", matrix.Endpoint{Host: "host2", NIC: "eth1", Switch: "leaf1", Port: "Ethernet4"}, true},
	} {
		if got := right(test.endpoint); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// What must not be reached and is, or at which packets come, is a leak; what is not
// reached that must be is none.
func TestLeaks(t *testing.T) {
	lost := matrix.Difference{Expected: matrix.Answered, Seen: matrix.Nothing}
	if leaks(nil) || leaks([]matrix.Difference{lost}) {
		t.Error("who is not reached leaks nothing")
	}
	for _, seen := range []matrix.Seen{matrix.Arrived, matrix.Answered} {
		if !leaks([]matrix.Difference{lost, {Expected: matrix.Nothing, Seen: seen}}) {
			t.Errorf("%s where nothing may be is no leak", seen)
		}
	}
}
