package proof_test

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/matrix/serve"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
	"github.com/switchlet/switchlet/sonic/frr"
)

const (
	// promise is how soon a switch takes a change back that broke something.
	promise = 15 * time.Second
	// reestablish is how long BGP may take after that: FRR's pause between attempts to
	// connect.
	reestablish = reconnect
)

// The network team gives leaf1 the ASN of spine1, which is the only one that leaf1 still
// has a cable to, and with it BGP of its own: the session breaks, and since the
// management network breaks at the same moment nobody can say to leaf1 that it has to go
// back. It does so by itself, and the hosts at it reach the others again.
func TestCommitConfirm(t *testing.T) {
	r := start(t, []string{"--spines", "2", "--leaves", "2", "--hosts", "4"}, nil)
	r.senders()
	r.confirmed()
	other := cabling.End{Node: "leaf1", Port: "Ethernet108"} // to spine2
	management := cabling.End{Node: "leaf1", Port: "eth0"}
	r.links(false, other)
	defer r.links(true, other, management)
	before := r.bgp("leaf1")
	wrong := r.bgp("spine1").ASN
	r.ok(r.matrix.Watch(r.Context(), serve.WatchRequest{Rate: rate, ForbiddenRate: 1}))
	r.calm("before", func(watch.Flow) bool { return true }, calm)

	broken := r.clock()
	r.setBGP("leaf1", &v1alpha1.BGP{ASN: wrong, Uplinks: before.Uplinks})
	written := r.within(patience, "leaf1 has the change", func() string { return r.lacks("leaf1", fmt.Sprint("router bgp ", wrong)) })
	r.links(false, management)
	t.Logf("leaf1 has ASN %d after %v: it is cut off from everybody", wrong, written.Round(time.Millisecond))
	back := r.within(patience, "leaf1 takes the change back", func() string { return r.lacks("leaf1", fmt.Sprint("router bgp ", before.ASN)) })
	up := r.within(patience, "BGP has a session again", func() string { return r.sessionless("leaf1") })
	r.calm("after", func(watch.Flow) bool { return true }, calm)
	report, err := r.matrix.Stop(r.Context())
	r.ok(err)
	r.leakless(report)
	o := judge(failure{name: "wrong ASN"}, report, broken, func(watch.Flow) bool { return true })
	t.Logf("taken back %v after it was in FRR, BGP up %v later; %d of %d flows interrupted, for %v p50, %v max",
		back.Round(time.Millisecond), up.Round(time.Millisecond), o.hit, o.flows, o.p50, o.longest)
	if back > promise {
		t.Errorf("the change was taken back after %v, want within %v", back, promise)
	}
	if o.hit == 0 {
		t.Error("no flow was interrupted: the change broke nothing, and this test shows nothing")
	}
	if most := promise + reestablish + resolution; o.longest > most {
		t.Errorf("a flow stopped for %v, want at most %v", o.longest, most)
	}

	r.links(true, other, management)
	r.within(patience, "leaf1 says what happened", func() string {
		var config v1alpha1.SwitchConfig
		r.ok(r.cluster.Get(r.Context(), client.ObjectKey{Name: "leaf1"}, &config))
		c := meta.FindStatusCondition(config.Status.Conditions, "Confirmed")
		if c == nil || c.Reason != "RolledBack" || config.Status.BadRevision == "" {
			return fmt.Sprintf("%+v", c)
		}
		t.Logf("leaf1: %s: %s", c.Reason, c.Message)
		return ""
	})
	r.setBGP("leaf1", nil)
	r.check(r.ready(4))
	r.content()
}

// bgp is what a switch's SwitchConfig says of BGP.
func (r *rig) bgp(name string) v1alpha1.BGPConfig {
	r.Helper()
	var config v1alpha1.SwitchConfig
	r.ok(r.cluster.Get(r.Context(), client.ObjectKey{Name: name}, &config))
	if config.Spec.BGP == nil {
		r.Fatalf("%s has no BGP", name)
	}
	return *config.Spec.BGP
}

// setBGP pins a switch's BGP, or nothing any more.
func (r *rig) setBGP(name string, bgp *v1alpha1.BGP) {
	r.Helper()
	var s v1alpha1.Switch
	r.ok(r.cluster.Get(r.Context(), client.ObjectKey{Name: name}, &s))
	have := s.DeepCopy()
	s.Spec.BGP = bgp
	r.ok(r.cluster.Patch(r.Context(), &s, client.MergeFrom(have)))
}

// lacks says that FRR's configuration lacks a line.
func (r *rig) lacks(name, line string) string {
	r.Helper()
	var out strings.Builder
	code, err := r.rack.Node(name).Exec(r.Context(), streams(&out, io.Discard), "vtysh", "-d", "bgpd", "-c", "show running-config")
	if err != nil || code != 0 {
		return fmt.Sprintf("vtysh: exit code %d, %v", code, err)
	}
	if !strings.Contains(out.String(), line+"\n") {
		return "FRR has no line " + line
	}
	return ""
}

// sessionless says that a switch has no BGP session by which it exchanges routes.
func (r *rig) sessionless(name string) string {
	session := frr.NewSession(frr.Sockets{Dir: r.lab.FRRSockets(name)}, slog.New(slog.DiscardHandler))
	all, err := session.Sessions(r.Context())
	if err != nil {
		return err.Error()
	}
	for _, s := range all {
		if s.VRF == "default" && s.Established() {
			return ""
		}
	}
	return fmt.Sprintf("%+v", all)
}
