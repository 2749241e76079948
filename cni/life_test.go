package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/containernetworking/cni/libcni"
	"github.com/vishvananda/netlink"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/attach"
	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
)

// nobody knows the pods of the node.
func nobody(context.Context) (func(request.Pod) bool, error) { return nil, errors.New("nobody knows") }

// empty is a node that is known to have no pods.
func empty(context.Context) (func(request.Pod) bool, error) {
	return func(request.Pod) bool { return false }, nil
}

// A restart of the agent changes nothing for pods, and an ADD that is repeated
// gives what there is.
func TestAgentRestarts(t *testing.T) {
	r := newRig(t)
	r.set(blue())
	p := r.pod("web")
	before, err := r.ask(p, byName)
	if err != nil {
		t.Fatal(err)
	}
	r.end()
	r.start()
	r.set(blue())
	r.service.Sweep(t.Context(), empty)
	if again, err := r.ask(p, byName); err != nil || again != before {
		t.Errorf("it has %s, error %v; before %s", again, err, before)
	}
	if other, err := r.ask(r.pod("other"), byName); err != nil || other == before {
		t.Errorf("another pod has %s, error %v", other, err)
	}
}

// Pods that end without a DEL leave nothing behind, however the agent gets to know
// of it; nothing is taken from pods that live.
func TestSweep(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*journal.Attachment)
		node   attach.Node
		kept   bool
	}{
		{"it lives", func(*journal.Attachment) {}, empty, true},
		{"its namespace is gone", func(a *journal.Attachment) { a.Netns = t.TempDir() + "/gone" }, nobody, false},
		{"its namespace cannot be seen, nobody knows pods", func(a *journal.Attachment) { a.Netns = "/nowhere/gone" }, nobody, true},
		{"its namespace cannot be seen, the pod is not known", func(a *journal.Attachment) { a.Netns = "/nowhere/gone" }, empty, false},
		{"its namespace cannot be seen, the pod is new", func(a *journal.Attachment) { a.Netns, a.Made = "/nowhere/gone", time.Now() }, empty, true},
		{"its namespace could never be seen", func(a *journal.Attachment) { a.Netns, a.Seen = t.TempDir()+"/gone", false }, nobody, true},
		{"another namespace has its place", func(a *journal.Attachment) { a.NetnsInode++ }, nobody, false},
		{"the host has rebooted", func(a *journal.Attachment) { a.Boot = "0" }, nobody, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.set(blue())
			p := r.pod("web")
			if _, err := r.ask(p, byName); err != nil {
				t.Fatal(err)
			}
			a, _ := r.journal.Get(p.key())
			a.Made = a.Made.Add(-time.Hour)
			c.change(&a)
			if err := r.journal.Adopt(a).Wait(); err != nil {
				t.Fatal(err)
			}
			r.service.Sweep(t.Context(), c.node)
			if _, kept := r.journal.Get(p.key()); kept != c.kept {
				t.Errorf("kept: %t", kept)
			}
			if got := p.shows(t); c.kept && !strings.HasPrefix(got, "0a:58:0a:01:00:02 10.1.0.2/24") {
				t.Errorf("the pod has %s", got)
			}
		})
	}
}

// What somebody takes from a pod is missed by CHECK, and comes back.
func TestCheckAndRepair(t *testing.T) {
	r := newRig(t)
	r.set(blue())
	p, net := r.pod("web"), config(t, "1.0.0", byName)
	if _, err := r.runtime.AddNetworkList(t.Context(), net, p.args); err != nil {
		t.Fatal(err)
	}
	handle := nettest.Handle(t, p.netns)
	l, err := handle.LinkByName("net1")
	if err != nil {
		t.Fatal(err)
	}
	a, err := netlink.ParseAddr("10.1.0.2/24")
	if err == nil {
		err = handle.AddrDel(l, a)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := r.runtime.CheckNetworkList(t.Context(), net, p.args); code(err) != 102 || !strings.Contains(err.Error(), "address 10.1.0.2/24 of interface net1: missing") {
		t.Errorf("CHECK: %v", err)
	}
	r.service.Sweep(t.Context(), nobody)
	if err := r.runtime.CheckNetworkList(t.Context(), net, p.args); err != nil {
		t.Errorf("CHECK after the repair: %v", err)
	}
	r.set()
	if err := r.runtime.CheckNetworkList(t.Context(), net, p.args); code(err) != 102 || !strings.Contains(err.Error(), "has network blue/blue/web (VNI 1111) no more") {
		t.Errorf("CHECK without the network: %v", err)
	}
}

// What is reported: who uses what, which addresses are spoken for, and what keeps
// pods waiting.
func TestReport(t *testing.T) {
	r := newRig(t)
	r.set(blue())
	for _, name := range []string{"web", "pinned"} {
		if _, err := r.ask(r.pod(name), byName); err != nil {
			t.Fatal(err)
		}
	}
	late := r.pod("late")
	late.args.CapabilityArgs = map[string]any{"ips": []string{"10.1.0.77"}}
	if _, err := r.ask(late, byName); code(err) != 11 {
		t.Fatal(err)
	}
	report := r.service.Report()
	want := v1alpha1.HostNetworkStatus{VNI: 1111, Pods: 2, Free: 12}
	if len(report.Networks) != 1 || report.Revision != "r1" || report.Networks[0].Pods != want.Pods || report.Networks[0].Free != want.Free {
		t.Errorf("revision %s, networks %+v", report.Revision, report.Networks)
	}
	last := report.Networks[0].Slices[len(report.Networks[0].Slices)-1]
	if last != (v1alpha1.AddressRange{First: "10.1.0.200", Last: "10.1.0.200"}) {
		t.Errorf("slices %v", report.Networks[0].Slices)
	}
	if len(report.Problems) != 1 || report.Problems[0].Reason != "PodNotAttached" || report.Problems[0].Owner.Name != "blue" || !strings.Contains(report.Problems[0].Message, "pod blue/late, interface net1: the pod asks for address 10.1.0.77") {
		t.Errorf("problems %+v", report.Problems)
	}
	network := blue()
	network.Reserved = append(network.Reserved, v1alpha1.ReservedAddress{Address: "10.1.0.77", Namespace: "blue", Pod: "late"})
	r.set(network)
	if got, err := r.ask(late, byName); err != nil || !strings.Contains(got, "10.1.0.77/24") {
		t.Errorf("%s, error %v", got, err)
	}
	if report := r.service.Report(); len(report.Problems) != 0 {
		t.Errorf("problems %+v", report.Problems)
	}
}

// The network of pods that ask for none: it is waited for, and its STATUS tells a
// runtime whether pods can be attached to it.
func TestNetworkOfTheCluster(t *testing.T) {
	r := newRig(t)
	net := config(t, "1.1.0", `,"vpcNamespace":"net","vpc":"cluster","subnet":"pods"`)
	offered := make(chan error)
	go func() {
		offered <- r.service.Await(t.Context(), request.Request{VPCNamespace: "net", VPC: "cluster", Subnet: "pods"})
	}()
	late, unready, astray := cluster(), cluster(), cluster()
	unready.Ready, unready.Message = false, "leaf1 has not confirmed it"
	astray.Uplinks[0].NIC = "eth9"
	for _, c := range []struct {
		networks []v1alpha1.HostNetwork
		want     string
	}{
		{nil, "this node has no network for subnet pods of VPC net/cluster yet"},
		{[]v1alpha1.HostNetwork{unready}, "network net/cluster/pods (VNI 9) is not ready: leaf1 has not confirmed it"},
		{[]v1alpha1.HostNetwork{astray}, "the host has no NIC eth9"},
	} {
		r.set(c.networks...)
		if err := r.runtime.GetStatusNetworkList(t.Context(), net); code(err) != 50 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("STATUS: %v, want %s", err, c.want)
		}
		select {
		case err := <-offered:
			t.Fatalf("it is offered, error %v: %s", err, c.want)
		default:
		}
	}
	r.set(late)
	must(t, <-offered)
	must(t, r.runtime.GetStatusNetworkList(t.Context(), net))
}

// Modes of one network: a bridge takes the uplink for itself, so that it cannot
// come to pods that are attached to that already.
func TestModesTogether(t *testing.T) {
	r := newRig(t)
	r.set(blue())
	first := r.pod("first")
	if _, err := r.ask(first, byName); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ask(r.pod("second"), byName+`,"mode":"bridge"`); code(err) != 7 || !strings.Contains(err.Error(), "1 pods on this host are in network blue/blue/web (VNI 1111) in mode macvlan") {
		t.Errorf("a bridge beside: %v", err)
	}
	if err := r.runtime.DelNetworkList(t.Context(), config(t, "1.0.0", byName), first.args); err != nil {
		t.Fatal(err)
	}
	r.service.Close() // the interface is deleted
	r.service.Upkeep()
	if _, err := r.ask(r.pod("second"), byName+`,"mode":"bridge"`); err != nil {
		t.Errorf("a bridge: %v", err)
	}
	if _, err := r.ask(r.pod("third"), byName); err != nil {
		t.Errorf("another pod on the bridge: %v", err)
	}
}

// What a runtime may send without meaning it.
func TestNoPod(t *testing.T) {
	r := newRig(t)
	r.set(blue())
	p := r.pod("web")
	p.args.Args = nil
	if _, err := r.ask(p, `,"VNI":1111`); code(err) != 4 || !strings.Contains(err.Error(), "CNI_ARGS has no K8S_POD_NAMESPACE") {
		t.Errorf("without a pod: %v", err)
	}
	if err := r.runtime.DelNetworkList(t.Context(), config(t, "1.0.0", `,"mode":"nonsense"`), &libcni.RuntimeConf{ContainerID: "c", NetNS: "/nowhere", IfName: "net1"}); err != nil {
		t.Errorf("DEL of what never was: %v", err)
	}
}
