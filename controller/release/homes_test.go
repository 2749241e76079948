package release_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/controller/release"
)

// Each case is a fabric in which leaf1 is to be drained: cables as
// "host/nic switch/port [bond]", or ? in place of the bond for one in doubt, segments as "switch/port vni [untagged]".
func TestSingleHomed(t *testing.T) {
	for _, c := range []struct {
		name, cables, segments, out string
		want                        string
	}{
		{"nobody is there", "", "", "", ""},
		{"a host without a network", "h1/eth0 leaf1/E0", "", "", ""},
		{"one cable", "h1/eth0 leaf1/E0", "leaf1/E0 100", "", "h1 E0"},
		{"two, and the network is at both", "h1/eth0 leaf1/E0; h1/eth1 leaf2/E0", "leaf1/E0 100; leaf2/E0 100", "", ""},
		{"two, and the network is at one", "h1/eth0 leaf1/E0; h1/eth1 leaf2/E0", "leaf1/E0 100; leaf2/E0 200", "", "h1 E0"},
		{"two at the same switch", "h1/eth0 leaf1/E0; h1/eth1 leaf1/E4", "leaf1/E0 100; leaf1/E4 100", "", "h1 E0 E4"},
		{"one of two networks has one way", "h1/eth0 leaf1/E0; h1/eth1 leaf2/E0", "leaf1/E0 100; leaf1/E0 200; leaf2/E0 100", "", "h1 E0"},
		{"the other switch is out", "h1/eth0 leaf1/E0; h1/eth1 leaf2/E0", "leaf1/E0 100; leaf2/E0 100", "leaf2", "h1 E0"},
		{"and there is a third", "h1/eth0 leaf1/E0; h1/eth1 leaf2/E0; h1/eth2 leaf3/E0", "leaf1/E0 100; leaf2/E0 100; leaf3/E0 100", "leaf2", ""},
		{"the other cable is in doubt", "h1/eth0 leaf1/E0; h1/eth1 leaf2/E0 ?", "leaf1/E0 100; leaf2/E0 100", "", "h1 E0"},
		{"this one is", "h1/eth0 leaf1/E0 ?; h1/eth1 leaf2/E0", "leaf1/E0 100; leaf2/E0 100", "", ""},
		{"frames without a tag stay at their NIC", "h1/eth0 leaf1/E0; h1/eth1 leaf2/E0", "leaf1/E0 100 untagged; leaf2/E0 100 untagged", "", "h1 E0"},
		{"unless it is in a bond of the host's", "h1/eth0 leaf1/E0 bond0; h1/eth1 leaf2/E0 bond0", "leaf1/E0 100 untagged; leaf2/E0 100 untagged", "", ""},
		{"with both", "h1/eth0 leaf1/E0 bond0; h1/eth1 leaf2/E0 bond1", "leaf1/E0 100 untagged; leaf2/E0 100 untagged", "", "h1 E0"},
		{"nobody knows who is there", "", "leaf1/E8 100; leaf1/E12 100", "", " E8 E12"},
		{"several, in order", "h10/eth0 leaf1/E0; h2/eth0 leaf1/E4", "leaf1/E0 100; leaf1/E4 100", "", "h2 E4; h10 E0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var cables []release.Cable
			for _, words := range listed(c.cables) {
				var one release.Cable
				one.Host, one.NIC, _ = strings.Cut(words[0], "/")
				one.Switch, one.Port, _ = strings.Cut(words[1], "/")
				if len(words) > 2 {
					one.Bond, one.Doubtful = words[2], words[2] == "?"
				}
				cables = append(cables, one)
			}
			carried := map[string][]release.Carried{}
			for _, words := range listed(c.segments) {
				name, port, _ := strings.Cut(words[0], "/")
				one := release.Carried{Port: port, Tagged: len(words) < 3}
				fmt.Sscan(words[1], &one.VNI)
				carried[name] = append(carried[name], one)
			}
			var got []string
			for _, h := range release.SingleHomed("leaf1", cables, carried, func(name string) bool { return name == c.out }) {
				got = append(got, h.Name+" "+strings.Join(h.Ports, " "))
			}
			if text := strings.Join(got, "; "); text != c.want {
				t.Errorf("cut off are %q, want %q", text, c.want)
			}
		})
	}
}

// listed are the words of each part of a text.
func listed(text string) [][]string {
	var out [][]string
	for part := range strings.SplitSeq(text, ";") {
		if words := strings.Fields(part); len(words) > 0 {
			out = append(out, words)
		}
	}
	return out
}
