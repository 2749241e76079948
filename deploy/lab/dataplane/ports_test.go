package dataplane

import (
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// Counters are where SONiC has them: by way of the map of names.
func TestCounters(t *testing.T) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "Ethernet4"
	attrs.Statistics = &netlink.LinkStatistics{RxPackets: 10, Multicast: 3, RxBytes: 1000, TxPackets: 5, TxBytes: 600, TxDropped: 1}
	rows := map[string]swss.Row{}
	for _, w := range counters([]netlink.Link{&netlink.Veth{LinkAttrs: attrs}}) {
		if w.DB != swss.CountersDB {
			t.Errorf("%s goes to %s", w.Key, w.DB)
		}
		rows[w.Key] = w.Fields
	}
	row := rows["COUNTERS:"+rows["COUNTERS_PORT_NAME_MAP"]["Ethernet4"]]
	for name, want := range map[string]string{
		"IN_OCTETS": "1000", "IN_UCAST_PKTS": "7", "IN_NON_UCAST_PKTS": "3", "IN_ERRORS": "0",
		"OUT_OCTETS": "600", "OUT_UCAST_PKTS": "5", "OUT_DISCARDS": "1",
	} {
		if got := row["SAI_PORT_STAT_IF_"+name]; got != want {
			t.Errorf("%s is %q, want %s", name, got, want)
		}
	}
	if oid("Ethernet0") != "oid:0x1000000000002" || oid("Ethernet4") == oid("Ethernet0") {
		t.Errorf("ports are %s and %s", oid("Ethernet0"), oid("Ethernet4"))
	}
}
