package dataplane

import (
	"maps"
	"net/netip"
	"testing"
)

// What FRR said once is put back as long as a route needs it, and what was put back
// goes when none does; nobody else's is touched.
func TestRoutersAreKeptAsLongAsRoutesNeedThem(t *testing.T) {
	a := router{"Vlan3001", netip.MustParseAddr("10.255.0.2")}
	const mac, other = "52:54:00:5c:00:02", "52:54:00:5c:00:09"
	for _, test := range []struct {
		name              string
		used              bool
		have, known, kept string
		add, remove       string
	}{
		{"FRR has it", true, mac, mac, "", "", ""},
		{"FRR took it away with its routes", false, "", mac, "", "", ""},
		{"FRR took it away from a route", true, "", mac, "", mac, ""},
		{"a route to one that FRR never named", true, "", "", "", "", ""},
		{"it was put back", true, mac, mac, mac, "", ""},
		{"it was put back, and the route is gone", false, mac, mac, mac, "", mac},
		{"FRR named another one since", false, other, other, mac, "", ""},
		{"FRR has it, and no route uses it yet", false, mac, mac, "", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			one := func(mac string) routers {
				if mac == "" {
					return routers{}
				}
				return routers{a: mac}
			}
			add, remove := repair(map[router]bool{a: test.used}, one(test.have), one(test.known), one(test.kept))
			if !maps.Equal(add, one(test.add)) || !maps.Equal(remove, one(test.remove)) {
				t.Errorf("add %v, remove %v, want %q and %q", add, remove, test.add, test.remove)
			}
		})
	}
}
