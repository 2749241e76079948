package swss_test

import (
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// Without a data plane all ports have a cable; with one, those of which it said so,
// also after the daemons have started again.
func TestPortsAreUpWithACableOnly(t *testing.T) {
	for _, unplugged := range []bool{false, true} {
		r := newRig(t, swss.Config{Unplugged: unplugged})
		r.boot("PORT|Ethernet0 admin_status=up\nPORT|Ethernet4 admin_status=up\nPORT|Ethernet8 admin_status=down\nPORT|Ethernet12 admin_status=up")
		for port, plugged := range map[string]bool{"Ethernet4": true, "Ethernet8": true, "Ethernet12": false} {
			r.SetLink(port, plugged)
		}
		r.settle()
		for range 2 {
			for port, want := range map[string]string{
				"Ethernet0": map[bool]string{false: "up", true: "down"}[unplugged],
				"Ethernet4": "up", "Ethernet8": "down", "Ethernet12": "down",
			} {
				if got := r.Rows(swss.ApplDB)["PORT_TABLE:"+port]["oper_status"]; got != want {
					t.Errorf("unplugged %v: %s is %s, want %s", unplugged, port, got, want)
				}
			}
			r.Stop()
			r.start()
		}
	}
}
