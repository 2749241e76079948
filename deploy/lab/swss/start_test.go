package swss_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// Rows that come and go while the daemons read for the first time are neither
// missed nor anybody's mistake.
func TestRowsThatChangeDuringTheStart(t *testing.T) {
	config := map[string]swss.Row{
		"DEVICE_METADATA|localhost":     {"mac": "52:54:00:aa:00:01"},
		"VLAN_MEMBER|Vlan100|Ethernet0": {"tagging_mode": "tagged"}, // comes before its VLAN
		"VLAN|Vlan100":                  {"vlanid": "100"},
		"PORT|Ethernet0":                {"admin_status": "up"},
	}
	var d *swss.Daemons
	first := true
	d = swss.New(swss.Config{Read: func(keys []string) ([]swss.Row, error) {
		if first {
			first = false
			d.Event("VLAN_MEMBER|Vlan100|Ethernet0", "hset")
			d.Event("VLAN|Vlan100", "hset")
			d.Event("VLAN|Vlan200", "del")
		}
		rows := make([]swss.Row, len(keys))
		for i, key := range keys {
			rows[i] = config[key]
		}
		return rows, nil
	}})
	if err := d.Start([]string{"DEVICE_METADATA|localhost", "PORT|Ethernet0", "VLAN|Vlan200"}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Settle(time.Minute); err != nil {
		t.Fatal(err)
	}
	if !cmp.Equal(d.Rows(swss.StateDB)["VLAN_MEMBER_TABLE|Vlan100|Ethernet0"], swss.Row{"state": "ok"}) {
		t.Errorf("the member is not there:\n%s", d.Dump())
	}
	if _, there := d.Rows(swss.StateDB)["VLAN_TABLE|Vlan200"]; there {
		t.Error("the VLAN that went is there")
	}
	d.Event("VLAN|Vlan200", "hset") // nothing of it is left, nothing is too soon
	if m := d.Mistakes(); len(m) > 0 {
		t.Errorf("mistakes:\n%s", swss.Report(m))
	}
}

// A row that cannot be read is read again: nothing is lost.
func TestAReadThatFailsIsTriedAgain(t *testing.T) {
	down := errors.New("down")
	var failure error
	d := swss.New(swss.Config{Read: func(keys []string) ([]swss.Row, error) {
		rows := make([]swss.Row, len(keys))
		for i, key := range keys {
			if key == "VLAN|Vlan100" {
				rows[i] = swss.Row{"vlanid": "100"}
			}
		}
		return rows, failure
	}})
	if err := d.Start(nil); err != nil {
		t.Fatal(err)
	}
	d.Event("VLAN|Vlan100", "hset")
	failure = down
	if _, err := d.Advance(time.Second); !errors.Is(err, down) {
		t.Fatalf("Advance() = %v, want the error of Read", err)
	}
	failure = nil
	writes, err := d.Advance(time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if len(writes) == 0 || writes[0].String() != "STATE_DB HSET VLAN_TABLE|Vlan100 state=ok" {
		t.Errorf("writes = %v", writes)
	}
}
