package forwarding

import (
	"context"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/frrtest"
	"github.com/switchlet/switchlet/sonic/frr"
)

// router is FRR on a switch.
type router struct{ *frrtest.Router }

// ask is a daemon's answer to a show command.
func (r *router) ask(ctx context.Context, daemon, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return frr.Sockets{Dir: r.Dir}.Show(ctx, daemon, command)
}

// show logs what the router knows.
func (r *router) show(t testing.TB) {
	for _, question := range []struct{ daemon, command string }{
		{"bgpd", "show bgp summary"}, {"bgpd", "show bgp l2vpn evpn"}, {"zebra", "show evpn vni detail"},
		{"zebra", "show ip route vrf all"}, {"zebra", "show ipv6 route vrf all"}, {"zebra", "show evpn rmac vni all"},
		{"zebra", "show evpn arp-cache vni all"},
	} {
		answer, err := r.ask(context.WithoutCancel(t.Context()), question.daemon, question.command)
		t.Logf("%s: %v\n%s", question.command, err, answer)
	}
}
