package network

import (
	"net/netip"
	"strings"
	"testing"
)

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func TestFirstFreeShadowsNoRoute(t *testing.T) {
	for _, test := range []struct {
		name  string
		taken []netip.Prefix
		want  string
	}{
		{"no other route", nil, "198.18.0.0/24"},
		{"routes elsewhere", prefixes("10.0.0.0/8", "192.168.1.0/24"), "198.18.0.0/24"},
		{"another lab", prefixes("198.18.0.0/24"), "198.18.1.0/24"},
		{"one address inside", prefixes("198.18.0.7/32"), "198.18.1.0/24"},
		{"the whole first half", prefixes("198.18.0.0/16"), "198.19.0.0/24"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := firstFree(test.taken)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != test.want {
				t.Errorf("firstFree(%v) = %s, want %s", test.taken, got, test.want)
			}
		})
	}
}

func TestFirstFreeSaysWhenThereIsNone(t *testing.T) {
	_, err := firstFree(prefixes("198.0.0.0/8"))
	if err == nil || !strings.Contains(err.Error(), "198.18.0.0/15") {
		t.Errorf("firstFree() = %v, want an error that names the range", err)
	}
}

func TestPlanKeepsServicesApartFromNodes(t *testing.T) {
	plan := NewPlan(netip.MustParsePrefix("198.18.3.0/24"))
	for n := range MaxNodes {
		if plan.Services().Contains(plan.Node(n).Addr()) {
			t.Errorf("switch %d has the address %s, which is in %s", n, plan.Node(n), plan.Services())
		}
	}
	for _, address := range []netip.Prefix{plan.ControlPlane(), plan.Host()} {
		if plan.Services().Contains(address.Addr()) {
			t.Errorf("%s is in %s", address, plan.Services())
		}
	}
}
