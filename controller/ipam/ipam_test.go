package ipam

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
)

func prefixes(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}

// How long the blocks of a network are: 16 addresses, unless that left less than 64
// blocks.
func TestBlockLength(t *testing.T) {
	for network, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.16/28", "10.0.0.0/22": "10.0.0.16/28", "10.0.0.0/23": "10.0.0.16/30", "10.0.0.0/24": "10.0.0.16/30",
		"10.0.0.16/30": "10.0.0.16/30", "fd00::/64": "fd00::10/124", "fd00::10/126": "fd00::10/126",
	} {
		n := netip.MustParsePrefix(network)
		a := netip.MustParseAddr("10.0.0.17")
		if n.Addr().Is6() {
			a = netip.MustParseAddr("fd00::11")
		}
		if got := BlockOf(n, a); got != netip.MustParsePrefix(want) {
			t.Errorf("in %s, %s is in the block %s, want %s", network, a, got, want)
		}
	}
}

// Neither the network's own address, nor the broadcast address, nor the gateway's is
// handed out, wherever they are.
func TestCut(t *testing.T) {
	for _, c := range []struct {
		network, gateway string
		blocks           []netip.Prefix
		without          string
		want             string
	}{
		{"10.1.0.0/24", "10.1.0.1", prefixes("10.1.0.0/30"), "", "[{10.1.0.2 10.1.0.3}]"},
		{"10.1.0.0/24", "10.1.0.1", prefixes("10.1.0.4/30", "10.1.0.0/30"), "", "[{10.1.0.2 10.1.0.7}]"},
		{"10.1.0.0/24", "10.1.0.254", prefixes("10.1.0.252/30"), "", "[{10.1.0.252 10.1.0.253}]"},
		{"10.1.0.0/24", "10.1.0.5", prefixes("10.1.0.4/30"), "", "[{10.1.0.4 10.1.0.4} {10.1.0.6 10.1.0.7}]"},
		{"10.1.0.0/30", "10.1.0.1", prefixes("10.1.0.0/30"), "", "[{10.1.0.2 10.1.0.2}]"},
		{"10.1.0.0/24", "10.1.0.1", prefixes("10.1.0.4/30"), "10.1.0.6", "[{10.1.0.4 10.1.0.5} {10.1.0.7 10.1.0.7}]"},
		{"fd00::/126", "fd00::1", prefixes("fd00::/126"), "", "[{fd00::2 fd00::3}]"},
	} {
		s := Subnet{netip.MustParsePrefix(c.network), netip.MustParseAddr(c.gateway)}
		got := fmt.Sprint(s.Cut(c.blocks, func(a netip.Addr) bool { return a.String() == c.without }))
		if got != c.want {
			t.Errorf("%v of %s without %q are %s, want %s", c.blocks, c.network, c.without, got, c.want)
		}
	}
}

// Every block is found, whoever looks for it, and then no more.
func TestPickFindsEveryBlock(t *testing.T) {
	s := Subnet{netip.MustParsePrefix("10.1.0.0/24"), netip.MustParseAddr("10.1.0.1")}
	var taken []netip.Prefix
	for i := range 64 {
		b, ok := Pick(s, 10101, fmt.Sprint("host", i%5), func(p netip.Prefix) bool { return slices.Contains(taken, p) })
		if !ok || slices.Contains(taken, b) {
			t.Fatalf("block %d is %s, %t", i, b, ok)
		}
		taken = append(taken, b)
	}
	if b, ok := Pick(s, 10101, "host0", func(p netip.Prefix) bool { return slices.Contains(taken, p) }); ok {
		t.Errorf("a block more: %s", b)
	}
}

// The name of an Allocation says its value, and the value can be read.
func TestNames(t *testing.T) {
	for value, name := range map[string]string{
		"10101/10.1.0.16/28":    "ip-10101-10.1.0.16-28",
		"10101/fd00:1::10/124":  "ip-10101-fd00-1--10-124",
		"16777215/10.1.0.20/32": "ip-16777215-10.1.0.20-32",
	} {
		vni, block, err := ParseValue(value)
		if err != nil || Name(value) != name || Value(vni, block) != value {
			t.Errorf("%s is %d %s, %v, named %s; want %s", value, vni, block, err, Name(value), name)
		}
	}
	for _, bad := range []string{"", "10101", "0/10.1.0.0/28", "x/10.1.0.0/28", "10101/10.1.0.0", "16777216/10.1.0.0/28"} {
		if vni, block, err := ParseValue(bad); err == nil {
			t.Errorf("%q is %d %s", bad, vni, block)
		}
	}
}
