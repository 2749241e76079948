package main

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	types100 "github.com/containernetworking/cni/pkg/types/100"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
)

// routed is blue with two other subnets in its VPC.
func routed() v1alpha1.HostNetwork {
	n := blue()
	n.Routes = []string{"10.1.1.0/24", "10.1.2.0/24", "fd00:1::/64"}
	return n
}

// other gives a pod an interface eth0 of the cluster's own network, with the default
// route.
func (p *pod) other(t *testing.T) {
	t.Helper()
	nettest.In(t, p.netns, func() error {
		return exec.Command("sh", "-c", "ip link add eth0 type veth peer name cluster && ip link set cluster up && ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up && ip route add default via 192.0.2.1").Run()
	})
}

// routes of the pod by gateways, as "10.1.1.0/24 10.1.0.1 net1".
func (p *pod) routes(t *testing.T) string {
	t.Helper()
	handle := nettest.Handle(t, p.netns)
	all, err := handle.RouteList(nil, netlink.FAMILY_ALL)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, r := range all {
		if r.Gw == nil { // the subnet itself
			continue
		}
		l, err := handle.LinkByIndex(r.LinkIndex)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, r.Dst.String()+" "+r.Gw.String()+" "+l.Attrs().Name)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

const vpcRoutes = `10.1.1.0/24 10.1.0.1 net1
10.1.2.0/24 10.1.0.1 net1
fd00:1::/64 fd00::1 net1`

// A pod reaches the VPC's other subnets, and all else by the cluster's own network,
// unless the NetworkAttachmentDefinition asks for the default route.
func TestRoutes(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name, more string
		network    func(*v1alpha1.HostNetwork)
		want       string // or what the error says
		code       uint
	}{
		{name: "the VPC's other subnets", want: "0.0.0.0/0 192.0.2.1 eth0\n" + vpcRoutes},
		{name: "in a bridge", more: `,"mode":"bridge"`, want: "0.0.0.0/0 192.0.2.1 eth0\n" + vpcRoutes},
		{name: "the default route", more: `,"defaultRoute":true`, want: "0.0.0.0/0 10.1.0.1 net1\n10.1.1.0/24 10.1.0.1 net1\n10.1.2.0/24 10.1.0.1 net1\n::/0 fd00::1 net1\nfd00:1::/64 fd00::1 net1"},
		{name: "the default route of a subnet without gateway", more: `,"defaultRoute":true`, network: func(n *v1alpha1.HostNetwork) { n.Gateways, n.Routes = nil, nil },
			want: "defaultRoute is true, and network blue/blue/web (VNI 1111) has no gateway", code: 7},
		{name: "a network that has the addresses of the cluster's", network: func(n *v1alpha1.HostNetwork) { n.Routes = []string{"192.0.2.0/24"} },
			want: "route to 192.0.2.0/24: the pod has one already, by another interface", code: 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.anew(t)
			network := routed()
			if c.network != nil {
				c.network(&network)
			}
			r.set(network)
			p := r.pod("web")
			p.other(t)
			net := config(t, "1.0.0", byName+c.more)
			answer, err := r.runtime.AddNetworkList(t.Context(), net, p.args)
			if c.code != 0 {
				says(t, c.name, err)
				if code(err) != c.code || !strings.Contains(err.Error(), c.want) {
					t.Errorf("ADD: %v", err)
				}
				if got := p.shows(t); !strings.Contains(got, "not found") {
					t.Errorf("what failed has left %s", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := p.routes(t); got != c.want {
				t.Errorf("the pod has\n%s\nwant\n%s", got, c.want)
			}
			result, err := types100.NewResultFromResult(answer)
			if err != nil {
				t.Fatal(err)
			}
			for _, route := range result.Routes {
				if want := route.Dst.String() + " " + route.GW.String() + " net1"; !strings.Contains(c.want, want) {
					t.Errorf("the result has the route %s", want)
				}
			}
			if want := strings.Count(c.want, " net1"); len(result.Routes) != want {
				t.Errorf("the result has %d routes, want %d", len(result.Routes), want)
			}
			if err := r.runtime.CheckNetworkList(t.Context(), net, p.args); err != nil {
				t.Errorf("CHECK: %v", err)
			}
			if err := r.runtime.DelNetworkList(t.Context(), net, p.args); err != nil {
				t.Error(err)
			}
		})
	}
}

// A pod in two subnets of a VPC reaches each by its own interface, and the others by
// the first. When that goes, the second takes over.
func TestTwoSubnets(t *testing.T) {
	r := newRig(t)
	web, db := routed(), cluster()
	db.Routes = []string{"10.1.0.0/24", "10.1.1.0/24", "10.1.2.0/24"}
	web.Routes = append(web.Routes, "10.9.0.0/24")
	r.set(web, db)
	p := r.pod("web")
	first, second := config(t, "1.0.0", `,"VNI":1111`), config(t, "1.0.0", `,"VNI":9`)
	_, err := r.runtime.AddNetworkList(t.Context(), first, p.args)
	must(t, err)
	other := *p.args
	other.IfName = "net2"
	_, err = r.runtime.AddNetworkList(t.Context(), second, &other)
	must(t, err)
	must(t, r.runtime.CheckNetworkList(t.Context(), first, p.args))
	must(t, r.runtime.CheckNetworkList(t.Context(), second, &other))
	r.service.Sweep(t.Context(), nobody) // which changes nothing
	if got, want := p.routes(t), "10.1.1.0/24 10.1.0.1 net1\n10.1.2.0/24 10.1.0.1 net1\nfd00:1::/64 fd00::1 net1"; got != want {
		t.Errorf("the pod has\n%s\nwant\n%s", got, want)
	}
	must(t, r.runtime.DelNetworkList(t.Context(), first, p.args))
	r.service.Close() // the interface is deleted
	r.service.Sweep(t.Context(), nobody)
	if got, want := p.routes(t), "10.1.0.0/24 10.9.0.1 net2\n10.1.1.0/24 10.9.0.1 net2\n10.1.2.0/24 10.9.0.1 net2"; got != want {
		t.Errorf("with one network the pod has\n%s\nwant\n%s", got, want)
	}
}

// Routes follow the VPC while pods run. Those that the pod has made are not touched,
// and a default route that it has moved stays where it is.
func TestRoutesFollow(t *testing.T) {
	r := newRig(t)
	r.set(routed())
	p := r.pod("web")
	p.other(t)
	net := config(t, "1.0.0", byName+`,"defaultRoute":true`)
	if _, err := r.runtime.AddNetworkList(t.Context(), net, p.args); err != nil {
		t.Fatal(err)
	}
	nettest.In(t, p.netns, func() error {
		return exec.Command("sh", "-c", "ip route replace default via 192.0.2.1 dev eth0; ip route add 203.0.113.0/24 via 10.1.0.9 dev net1; ip route del 10.1.2.0/24").Run()
	})
	if err := r.runtime.CheckNetworkList(t.Context(), net, p.args); code(err) != 102 || !strings.Contains(err.Error(), "route to 10.1.2.0/24 of interface net1: missing") {
		t.Errorf("CHECK: %v", err)
	}
	grown := routed()
	grown.Routes = []string{"10.1.2.0/24", "10.1.3.0/24"}
	r.set(grown)
	r.service.Sweep(t.Context(), nobody)
	const want = `0.0.0.0/0 192.0.2.1 eth0
10.1.2.0/24 10.1.0.1 net1
10.1.3.0/24 10.1.0.1 net1
203.0.113.0/24 10.1.0.9 net1
::/0 fd00::1 net1`
	if got := p.routes(t); got != want {
		t.Errorf("the pod has\n%s\nwant\n%s", got, want)
	}
	r.set() // nobody knows its routes any more: they stay
	r.service.Sweep(t.Context(), nobody)
	if got := p.routes(t); got != want {
		t.Errorf("without the network the pod has\n%s\nwant\n%s", got, want)
	}
}

// A change of the VPC reaches running pods at once.
func TestRoutesFollowAtOnce(t *testing.T) {
	r := newRig(t)
	r.set(routed())
	p := r.pod("web")
	if _, err := r.ask(p, byName); err != nil {
		t.Fatal(err)
	}
	r.run(t)
	changes := p.routeChanges(t)
	less := routed()
	less.Routes = less.Routes[:1]
	r.set(less)
	for p.routes(t) != "10.1.1.0/24 10.1.0.1 net1" {
		<-changes
	}
}

// routeChanges tells of each change of a pod's routes, until the test ends.
func (p *pod) routeChanges(t *testing.T) <-chan netlink.RouteUpdate {
	t.Helper()
	there, err := netns.GetFromPath(p.netns)
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	changes, done := make(chan netlink.RouteUpdate, 100), make(chan struct{})
	t.Cleanup(func() { close(done) })
	if err := netlink.RouteSubscribeWithOptions(changes, done, netlink.RouteSubscribeOptions{Namespace: &there}); err != nil {
		t.Fatal(err)
	}
	return changes
}

// run keeps pods as they have to be until the test ends.
func (r *rig) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.service.Run(ctx, nil, nobody) })
	t.Cleanup(func() { cancel(); running.Wait() })
}
