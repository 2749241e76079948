package ipam

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var now = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

func span(first, last string) Range { return Range{addr(first), addr(last)} }

// usage is who has what, and since when nobody has.
type usage struct {
	held     map[netip.Addr]string
	released map[netip.Addr]time.Time
}

func (u usage) Holder(a netip.Addr) string       { return u.held[a] }
func (u usage) Released(a netip.Addr) time.Time  { return u.released[a] }
func held(texts ...string) map[netip.Addr]string { return mark(texts, "another") }
func taboo(texts ...string) map[netip.Addr]bool  { return mark(texts, true) }
func ago(d time.Duration) time.Time              { return now.Add(-d) }
func mark[V any](texts []string, v V) map[netip.Addr]V {
	m := map[netip.Addr]V{}
	for _, text := range texts {
		m[addr(text)] = v
	}
	return m
}

func TestChoose(t *testing.T) {
	small := Subnet{CIDR: netip.MustParsePrefix("10.1.0.0/29"), Ranges: []Range{span("10.1.0.0", "10.1.0.7")}}
	wide := Subnet{CIDR: netip.MustParsePrefix("fd00::/64"), Ranges: []Range{span("fd00::", "fd00::ffff:ffff:ffff:ffff")}}
	two := Subnet{CIDR: netip.MustParsePrefix("10.1.0.0/24"), Ranges: []Range{span("10.1.0.4", "10.1.0.5"), span("10.1.0.8", "10.1.0.9")}}
	asks := func(s Subnet, a string) Subnet { s.Fixed = addr(a); return s }
	without := func(s Subnet, a ...string) Subnet { s.Taboo = taboo(a...); return s }
	for _, c := range []struct {
		name   string
		subnet Subnet
		usage  usage
		last   string
		want   string // an address, or what the error says
	}{
		{"not the network's own address", small, usage{}, "", "10.1.0.1"},
		{"not the broadcast address", small, usage{}, "10.1.0.6", "10.1.0.1"},
		{"not the routers' anycast address", wide, usage{}, "", "fd00::1"},
		{"not a gateway, nor what is another's", without(small, "10.1.0.1", "10.1.0.2"), usage{}, "", "10.1.0.3"},
		{"not what somebody has", small, usage{held: held("10.1.0.1", "10.1.0.2")}, "", "10.1.0.3"},
		{"onwards from the last", small, usage{}, "10.1.0.4", "10.1.0.5"},
		{"the next range", two, usage{}, "10.1.0.5", "10.1.0.4"},
		{"the next range, nothing left in the first", two, usage{held: held("10.1.0.4", "10.1.0.5")}, "10.1.0.4", "10.1.0.8"},
		{"back to the first range", two, usage{held: held("10.1.0.9")}, "10.1.0.8", "10.1.0.4"},
		{"a fresh one before a used one", two, usage{released: map[netip.Addr]time.Time{addr("10.1.0.4"): ago(time.Hour)}}, "", "10.1.0.5"},
		{"the one released longest ago", two, usage{held: held("10.1.0.4", "10.1.0.5"), released: map[netip.Addr]time.Time{
			addr("10.1.0.8"): ago(time.Minute), addr("10.1.0.9"): ago(time.Hour)}}, "", "10.1.0.9"},
		{"none that cools down", two, usage{held: held("10.1.0.4", "10.1.0.5"), released: map[netip.Addr]time.Time{
			addr("10.1.0.8"): ago(time.Second), addr("10.1.0.9"): ago(2 * time.Second)}}, "", "2 were released less than 30s ago"},
		{"a clock that went back", two, usage{held: held("10.1.0.4", "10.1.0.5", "10.1.0.9"), released: map[netip.Addr]time.Time{
			addr("10.1.0.8"): ago(-time.Hour)}}, "", "10.1.0.8"},
		{"none left", two, usage{held: held("10.1.0.4", "10.1.0.5", "10.1.0.8", "10.1.0.9")}, "", "no address is left in the slices of 10.1.0.0/24"},
		{"no slice", Subnet{CIDR: two.CIDR}, usage{}, "10.1.0.4", "no address is left"},
		{"the one that was asked for", asks(two, "10.1.0.77"), usage{}, "", "10.1.0.77"},
		{"the one that was asked for is taken", asks(two, "10.1.0.4"), usage{held: held("10.1.0.4")}, "", "address 10.1.0.4: another has it"},
		{"both of a point-to-point prefix", Subnet{CIDR: netip.MustParsePrefix("10.1.0.0/31"), Ranges: []Range{span("10.1.0.0", "10.1.0.1")}}, usage{}, "", "10.1.0.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			last, _ := netip.ParseAddr(c.last)
			got, err := c.subnet.Choose(c.usage, last, now)
			if text := show(got, err); !strings.Contains(text, c.want) {
				t.Errorf("%s, want %s", text, c.want)
			}
		})
	}
}

func show(a netip.Addr, err error) string {
	if err != nil {
		return err.Error()
	}
	return a.String()
}

// As many addresses as are said to be free can be had, each once, and no more.
func TestEveryFreeAddressOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Subnet{CIDR: netip.MustParsePrefix("10.1.0.0/26"), Taboo: map[netip.Addr]bool{}}
		at := func(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 1, 0, byte(n)}) }
		for n := 0; n < 64; {
			first := rapid.IntRange(n, 63).Draw(t, "first")
			last := rapid.IntRange(first, 63).Draw(t, "last")
			s.Ranges = append(s.Ranges, Range{at(first), at(last)})
			n = last + 1 + rapid.IntRange(0, 30).Draw(t, "gap")
		}
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 63), 0, 5).Draw(t, "taboo") {
			s.Taboo[at(n)] = true
		}
		u := usage{held: map[netip.Addr]string{}}
		free, last := s.Free(nil), netip.Addr{}
		for range free {
			a, err := s.Choose(u, last, now)
			if err != nil || u.held[a] != "" || s.Taboo[a] || !s.has(a) {
				t.Fatalf("%v has %d free, and the one after %d is %v, error %v", s, free, len(u.held), a, err)
			}
			u.held[a], last = "a pod", a
		}
		if a, err := s.Choose(u, last, now); !errors.Is(err, ErrNone) {
			t.Fatalf("%v has %d free, and then comes %v, error %v", s, free, a, err)
		}
	})
}

func TestMAC(t *testing.T) {
	if got := MAC(addr("10.1.2.3")).String(); got != "0a:58:0a:01:02:03" {
		t.Error(got)
	}
	if a, b := MAC(addr("fd00::1")), MAC(addr("fd00::2")); a[0]&3 != 2 || a.String() == b.String() {
		t.Errorf("%v, %v", a, b)
	}
}
