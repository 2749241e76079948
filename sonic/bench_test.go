package sonic

import (
	"fmt"
	"maps"
	"net/netip"
	"testing"
)

// full is a leaf with n VLANs in 20 VRFs: about 10,000 rows for 2,000 VLANs.
func full(n int) DB {
	vtep := netip.MustParseAddr("10.255.0.1")
	db := leaf()
	for i := range 20 {
		vni, vlan := 20001+i, 3001+i
		db.Add(VRF{VRFName(vni), vni}.Row(), VLAN{vlan, "l3"}.Row(), TunnelMap{"switchlet", vlan, vni}.Row())
		db.Add(VLANInterface{VLAN: vlan, VRF: VRFName(vni)}.Rows()...)
	}
	for i := range n {
		vlan, vni := 100+i, 10000+i
		db.Add(VLAN{vlan, fmt.Sprintf("switchlet tenant/vpc-%d/web", i)}.Row(), TunnelMap{"switchlet", vlan, vni}.Row(),
			VLANMember{vlan, fmt.Sprintf("Ethernet%d", i%2*4), false}.Row())
		db.Add(VLANInterface{VLAN: vlan, VRF: VRFName(20001 + i%20), MACAddress: "00:00:5e:00:01:01",
			Addresses: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i / 256), byte(i), 1}), 24)}}.Rows()...)
	}
	_ = vtep
	return db
}

func BenchmarkDiff(b *testing.B) {
	small, large := full(2000), full(2001)
	have := merge(parse(b, ports), small)
	for _, bench := range []struct {
		name       string
		have, want DB
		owned      Ledger
	}{
		{"from empty", parse(b, ports), small, Ledger{}},
		{"nothing to do", have, maps.Clone(small), ours(small)},
		{"one VPC more", have, large, ours(small)},
		{"one VPC less", merge(parse(b, ports), large), small, ours(large)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				Diff(bench.have, bench.want, bench.owned)
			}
		})
	}
}
