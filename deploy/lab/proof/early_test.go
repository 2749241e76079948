package proof_test

import (
	"testing"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
)

// An attachment brought host2 into a subnet for 50 ms, and nobody looked at the cluster
// meanwhile. Its switch was told and puts frames of that subnet on the cable until it has
// been told otherwise: these are early, and nothing else is.
func TestWhatWasAskedForOnlyBrieflyIsNoLeak(t *testing.T) {
	w := newWorld([]string{"host1", "host2"})
	w.attachments["a1"] = wish{"green", "web", "b", "eth1", v1alpha1.ModeTagged}
	w.attachments["a2"] = wish{"red", "web", "b", "eth1", v1alpha1.ModeNative}
	begin := time.Now()
	f := &follower{}
	for i, group := range []string{"none", "b", "none"} {
		w.groups["host2"] = group
		f.orders = append(f.orders, order{begin.Add(time.Duration(i) * 50 * time.Millisecond), w.tagged()})
	}
	asked, after := begin.Add(50*time.Millisecond), begin.Add(time.Second)
	for _, test := range []struct {
		name   string
		leak   watch.Leak
		leaked bool
	}{
		{"the subnet that was asked for", watch.Leak{From: "host3/eth2 default/green/web", At: "host2/eth1", First: after, Last: after}, false},
		{"before it was asked for", watch.Leak{From: "host3/eth2 default/green/web", At: "host2/eth1", First: asked.Add(-time.Millisecond), Last: after}, true},
		{"long after nobody asks for it any more", watch.Leak{From: "host3/eth2 default/green/web", At: "host2/eth1", First: after, Last: after.Add(withdrawal)}, true},
		{"at another NIC", watch.Leak{From: "host3/eth2 default/green/web", At: "host2/eth2", First: after, Last: after}, true},
		{"of another VPC", watch.Leak{From: "host3/eth2 default/blue/web", At: "host2/eth1", First: after, Last: after}, true},
		{"of a subnet that was asked for without a tag", watch.Leak{From: "host3/eth2 default/red/web", At: "host2/eth1", First: after, Last: after}, true},
		{"with a tag that somebody has", watch.Leak{From: "host3/eth2 default/green/web", At: "host2/eth1 default/blue/db", First: after, Last: after}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.leak.Reason, test.leak.VLAN = watch.NotAttached, 1463
			if f.early(test.leak) == test.leaked {
				t.Errorf("that it is a leak: %v, want %v", !test.leaked, test.leaked)
			}
		})
	}
}
