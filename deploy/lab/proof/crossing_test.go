package proof_test

import (
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/dataplane"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
)

// host1 and host2 are at leaf1, without tags. host1's port goes from blue to red between
// second 10 and 11, with a rest; host2's is red all the time, but the tunnel of its VLAN
// comes later. host3 has blue with a tag.
func TestCrossings(t *testing.T) {
	second := func(s float64) time.Time { return time.Unix(0, int64(s*1e9)) }
	moment := func(began, ended float64, native map[string]int, vnis map[int]int) dataplane.Moment {
		return dataplane.Moment{Began: second(began), Ended: second(ended), Native: native, VNIs: vnis}
	}
	blue, red, db := segment{"default/blue", "web"}, segment{"default/red", "web"}, segment{"default/red", "db"}
	p := &ports{
		cables:  map[string]port{"host1/eth1": {"leaf1", "Ethernet0"}, "host2/eth1": {"leaf1", "Ethernet4"}, "host4/eth1": {"leaf1", "Ethernet12"}},
		holders: map[int]map[segment]bool{1100: {blue: true}, 1200: {red: true}, 1300: {db: true}},
		moments: map[string][]dataplane.Moment{"leaf1": {
			moment(1, 1.5, map[string]int{"Ethernet0": 100, "Ethernet4": 200, "Ethernet12": 300}, map[int]int{100: 1100, 200: 0, 300: 1300}),
			moment(5, 5.1, map[string]int{"Ethernet0": 100, "Ethernet4": 200, "Ethernet12": 300}, map[int]int{100: 1100, 200: 1200, 300: 1300}),
			moment(10, 10.1, map[string]int{"Ethernet4": 200, "Ethernet12": 300}, map[int]int{100: 1100, 200: 1200, 300: 1300}),
			moment(11, 11.1, map[string]int{"Ethernet0": 200, "Ethernet4": 200, "Ethernet12": 300}, map[int]int{200: 1200, 300: 1300}),
		}},
	}
	for _, test := range []struct {
		name        string
		from, to    string
		sender      segment
		untagged    bool // the sender
		tag         segment
		routed      bool
		sent, heard float64
		leak        bool
	}{
		{"the port still is of the sender's VPC", "host1", "host2", blue, true, segment{}, false, 9, 9.1, true},
		{"the port is of the other VPC by now", "host1", "host2", blue, true, segment{}, false, 12, 12.1, false},
		{"it may have become so while the frame was under way", "host1", "host2", blue, true, segment{}, false, 10.9, 11.05, false},
		{"nothing is at the port", "host1", "host2", blue, true, segment{}, false, 10.5, 10.6, true},
		{"the tunnel of its VLAN is not there yet", "host2", "host2", red, true, segment{}, false, 2, 2.1, false},
		{"out of a port that was of its VPC before", "host2", "host1", blue, true, segment{}, false, 12, 12.1, false},
		{"a tagged sender, out of a port of another VPC", "host3", "host1", blue, false, segment{}, false, 12, 12.1, true},
		{"a tagged sender, out of a port that is of its VPC until then", "host3", "host1", blue, false, segment{}, false, 10.05, 10.2, false},
		{"to the tag of its VPC", "host1", "host3", blue, true, blue, false, 9, 9.1, false},
		{"to the tag of another VPC", "host1", "host3", blue, true, blue, false, 12, 12.1, true},
		{"to nobody's tag", "host1", "host3", blue, true, segment{}, false, 9, 9.1, true},
		{"to another subnet by a gateway", "host2", "host4", red, true, segment{}, true, 12, 12.1, false},
		{"to another subnet without a gateway", "host2", "host4", red, true, segment{}, false, 12, 12.1, true},
		{"to another VPC by a gateway", "host1", "host4", blue, true, segment{}, true, 9, 9.1, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			from := &matrix.Endpoint{Host: test.from, NIC: "eth1", VPC: test.sender.vpc, Subnet: test.sender.subnet}
			f := watch.Frame{
				Untagged: test.untagged, Place: test.to + "/eth1", Routed: test.routed,
				Sent: second(test.sent).UnixNano(), Heard: second(test.heard).UnixNano(),
			}
			if test.to == "host3" {
				f.VLAN = 700
			}
			tagged := func(watch.Frame) []segment {
				if test.tag == (segment{}) {
					return nil
				}
				return []segment{test.tag}
			}
			wrong, err := p.crossing(f, from, tagged)
			if err != nil {
				t.Fatal(err)
			}
			if (wrong != "") != test.leak {
				t.Errorf("%q, want that it is a leak: %v", wrong, test.leak)
			}
		})
	}
	t.Run("a VNI that went from one to another", func(t *testing.T) {
		p.holders[1200][blue] = true
		if _, err := p.spells("host2/eth1"); err == nil || !strings.Contains(err.Error(), "VNI 1200 had 2 holders") {
			t.Errorf("%v", err)
		}
	})
}
