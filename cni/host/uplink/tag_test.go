package uplink

import (
	"fmt"
	"strings"
	"testing"
)

// What leaves a host: a pair of NICs in bond0, tagged networks 1111 and 2222 on eth1 and
// bond0, and network 3333, whose bridge eth3 is in. Somebody else's devices do not count.
func TestTags(t *testing.T) {
	devices := map[string]Device{}
	for _, d := range []Device{
		{Name: "eth1"}, {Name: "eth2"}, {Name: "eth3", Master: "swr3333"}, {Name: "eth4", Master: "bond0"}, {Name: "eth5", Master: "br0"},
		{Name: "bond0", Kind: Bond, Alias: "uplink"}, {Name: "br0", Kind: Bridge},
		{Name: "swl1111", Kind: Bond}, {Name: "swl1111-1", Kind: VLAN, Link: "eth1", ID: 100, Master: "swl1111"}, {Name: "swl1111-2", Kind: VLAN, Link: "bond0", ID: 200, Master: "swl1111"},
		{Name: "swl2222", Kind: Bond, Master: "swr2222"}, {Name: "swl2222-1", Kind: VLAN, Link: "eth1", ID: 101, Master: "swl2222"}, {Name: "swr2222", Kind: Bridge},
		{Name: "swr3333", Kind: Bridge, Alias: Alias + " 3333"},
		{Name: "swl4444-1", Kind: VLAN, Link: "eth1", ID: 104, Alias: "mine"}, {Name: "eth1.105", Kind: VLAN, Link: "eth1", ID: 105},
	} {
		devices[d.Name] = d
	}
	sent := Tags(devices)
	for _, pod := range []struct {
		parent string
		vlan   int
		want   string
	}{
		{"swl1111", 0, ""}, {"swr3333", 0, ""}, {"swl9999", 0, ""}, {"", 0, ""},
		{"eth2", 0, "eth2/0"}, {"bond0", 0, "bond0/0"},
		{"eth2", 300, "eth2/300"}, {"eth4", 300, "bond0/300"}, {"eth5", 300, "eth5/300"},
	} {
		tag, direct := TagOf(devices, pod.parent, pod.vlan)
		if got := fmt.Sprintf("%s/%d", tag.NIC, tag.VLAN); direct != (pod.want != "") || direct && got != pod.want {
			t.Errorf("a pod on %q with Vlan%d sends %s, %t, want %q", pod.parent, pod.vlan, got, direct, pod.want)
		}
		if direct {
			sent.Add(4444, tag)
		}
	}
	for vni, want := range map[int32]string{
		1111: "bond0/200 eth1/100", 2222: "eth1/101", 3333: "eth3/0", 4444: "bond0/0 bond0/300 eth2/0 eth2/300 eth5/300", 5555: "",
	} {
		var got []string
		for _, tag := range sent.Of(vni) {
			got = append(got, fmt.Sprintf("%s/%d", tag.NIC, tag.VLAN))
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("network %d leaves with %q, want %q", vni, text, want)
		}
	}
}
