package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types"
	types100 "github.com/containernetworking/cni/pkg/types/100"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/protocol"
)

const byName = `,"vpc":"blue","subnet":"web"`

// Every verb in every version, through the library that runtimes use.
func TestEveryVersion(t *testing.T) {
	r := newRig(t)
	r.set(blue())
	ctx := t.Context()
	for _, version := range protocol.Supported() {
		t.Run(version, func(t *testing.T) {
			p, net := r.pod("v"+strings.ReplaceAll(version, ".", "-")), config(t, version, `,"VNI":"1111"`)
			if _, err := r.runtime.ValidateNetworkList(ctx, net); err != nil {
				t.Error(err)
			}
			answer, err := r.runtime.AddNetworkList(ctx, net, p.args)
			if err != nil {
				t.Fatal(err)
			}
			if got := answer.Version(); got != version {
				t.Errorf("the answer is in version %s", got)
			}
			result, err := types100.NewResultFromResult(answer)
			if err != nil {
				t.Fatal(err)
			}
			want := result.Interfaces[0].Mac + " " + result.IPs[0].Address.String() + " " + result.IPs[1].Address.String()
			if got := p.shows(t); got != want || result.Interfaces[0].Sandbox != p.netns || result.IPs[0].Gateway.String() != "10.1.0.1" {
				t.Errorf("the pod has %s, the result is %s of %s with gateway %s", got, want, result.Interfaces[0].Sandbox, result.IPs[0].Gateway)
			}
			if version >= "0.4.0" {
				if err := r.runtime.CheckNetworkList(ctx, net, p.args); err != nil {
					t.Errorf("CHECK: %v", err)
				}
			}
			if version >= "1.1.0" {
				if err := r.runtime.GetStatusNetworkList(ctx, net); err != nil {
					t.Errorf("STATUS: %v", err)
				}
				other := r.pod("other")
				if _, err := r.runtime.AddNetworkList(ctx, net, other.args); err != nil {
					t.Fatal(err)
				}
				err := r.runtime.GCNetworkList(ctx, net, &libcni.GCArgs{ValidAttachments: []types.GCAttachment{{ContainerID: p.args.ContainerID, IfName: "net1"}}})
				if err != nil || !strings.Contains(other.shows(t), "not found") || p.shows(t) != want {
					t.Errorf("GC: error %v; the pod that is valid has %s, the other one %s", err, p.shows(t), other.shows(t))
				}
			}
			for range 2 {
				if err := r.runtime.DelNetworkList(ctx, net, p.args); err != nil {
					t.Errorf("DEL: %v", err)
				}
			}
			if _, ok := r.journal.Get(p.key()); ok {
				t.Error("the journal still has it")
			}
		})
	}
}

// ask adds a pod and returns the addresses that it has, or the error.
func (r *rig) ask(p *pod, more string) (string, error) {
	r.t.Helper()
	if _, err := r.runtime.AddNetworkList(r.t.Context(), config(r.t, "1.0.0", more), p.args); err != nil {
		return "", err
	}
	return p.shows(r.t), nil
}

func code(err error) uint {
	var e *types.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

func TestAdd(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name    string
		pod     string
		more    string
		ask     func(*libcni.RuntimeConf)
		network func(*v1alpha1.HostNetwork)
		want    string // what the pod has; what an error says is in messages.txtar
		code    uint
	}{
		{name: "by name", pod: "web", more: byName, want: "0a:58:0a:01:00:02 10.1.0.2/24 fd00::2/64"},
		{name: "by the number of its VNI", pod: "web", more: `,"VNI":1111`, want: "0a:58:0a:01:00:02 10.1.0.2/24 fd00::2/64"},
		{name: "the only subnet of the VPC", pod: "web", more: `,"vpc":"blue"`, want: "0a:58:0a:01:00:02 10.1.0.2/24 fd00::2/64"},
		{name: "a MAC address", pod: "web", more: byName, ask: asks("mac", "02:00:00:00:00:01"), want: "02:00:00:00:00:01 10.1.0.2/24 fd00::2/64"},
		{name: "an address of the host's slice", pod: "web", more: byName, ask: asks("ips", []string{"10.1.0.9/24"}), want: "0a:58:0a:01:00:09 10.1.0.9/24 fd00::2/64"},
		{name: "an address that is reserved for the pod", pod: "pinned", more: byName, want: "0a:58:0a:01:00:c8 10.1.0.200/24 fd00::2/64"},
		{name: "an address that is reserved for its claim", pod: "db-0", more: byName + `,"runtimeConfig":{"ipam-claim-reference":"db"}`, want: "0a:58:0a:01:00:05 10.1.0.5/24 fd00::2/64"},
		{name: "in a bridge", pod: "web", more: byName + `,"mode":"bridge"`, want: "0a:58:0a:01:00:02 10.1.0.2/24 fd00::2/64"},
		{name: "at a NIC", pod: "web", more: byName + `,"master":"eth1"`, network: tied("eth1"), want: "0a:58:0a:01:00:02 10.1.0.2/24 fd00::2/64"},
		{name: "at the NIC that others name", pod: "web", more: byName, network: tied("eth1"), want: "0a:58:0a:01:00:02 10.1.0.2/24 fd00::2/64"},
		{name: "at another NIC than others", pod: "web", more: byName + `,"master":"eth2"`, network: tied("eth1"), code: 11},
		{name: "at a NIC that the controller has not followed to", pod: "web", more: byName + `,"master":"eth1"`, code: 11},
		{name: "at a NIC that can be none", pod: "web", more: byName + `,"master":"eth1/0"`, code: 7},
		{name: "at a NIC that the host does not have", pod: "web", more: byName + `,"master":"ens9"`, network: func(n *v1alpha1.HostNetwork) {
			n.Uplinks, n.Master, n.Ready, n.Message = nil, "ens9", false, `host1 has no NIC ens9, which "master" names: it has eth0, eth1. See kubectl describe host host1.`
		}, code: 11},
		{name: "neither name nor VNI", pod: "web", code: 7},
		{name: "a mode that there is not", pod: "web", more: byName + `,"mode":"ipvlan"`, code: 7},
		{name: "no VNI", pod: "web", more: `,"VNI":"blue"`, code: 6},
		{name: "a network that does not come", pod: "web", more: `,"VNI":2222`, code: 11},
		{name: "a network that is not ready", pod: "web", more: byName, network: func(n *v1alpha1.HostNetwork) { n.Ready, n.Message = false, "leaf1 has not confirmed it" }, code: 11},
		{name: "a host without cables", pod: "web", more: byName, network: func(n *v1alpha1.HostNetwork) {
			n.Uplinks, n.Ready, n.Message = nil, false, "No switch port is known for host1: no LLDP is heard on eth0, eth1. See kubectl describe host host1."
		}, code: 11},
		{name: "a namespace that may not", pod: "web", more: byName, network: func(n *v1alpha1.HostNetwork) { n.Namespaces = []string{"green"} }, code: 7},
		{name: "another's address", pod: "web", more: byName, ask: asks("ips", []string{"10.1.0.200"}), code: 11},
		{name: "an address that nobody has reserved", pod: "web", more: byName, ask: asks("ips", []string{"10.1.0.77"}), code: 11},
		{name: "the gateway's address", pod: "web", more: byName, ask: asks("ips", []string{"10.1.0.1"}), code: 7},
		{name: "an address of elsewhere", pod: "web", more: byName, ask: asks("ips", []string{"10.9.0.1"}), code: 7},
		{name: "no address left", pod: "web", more: byName, network: func(n *v1alpha1.HostNetwork) { n.Slices = n.Slices[:1] }, code: 101},
		{name: "a group's MAC address", pod: "web", more: byName, ask: asks("mac", "01:00:5e:00:00:01"), code: 7},
		{name: "more than the NIC can", pod: "web", more: byName + `,"mtu":9000`, code: 7},
		{name: "no device", pod: "web", more: byName + `,"mode":"sriov"`, code: 7},
		{name: "a device that is none", pod: "web", more: byName + `,"deviceID":"0000:ff:1f.7"`, code: 7},
		{name: "two addresses of one subnet", pod: "web", more: byName, ask: asks("ips", []string{"10.1.0.8", "10.1.0.9"}), code: 7},
		{name: "a claim without an address", pod: "web", more: byName + `,"runtimeConfig":{"ipam-claim-reference":"cache"}`, code: 11},
		{name: "addresses and a claim", pod: "web", more: byName + `,"runtimeConfig":{"ipam-claim-reference":"db","ips":["10.1.0.7"]}`, code: 7},
		{name: "a VPC that there is not", pod: "web", more: `,"vpc":"bleu","subnet":"web"`, code: 11},
		{name: "a subnet without gateway, and the default route", pod: "web", more: byName + `,"defaultRoute":true`, network: func(n *v1alpha1.HostNetwork) { n.Gateways = nil }, code: 7},
		{name: "nobody's pod", pod: "web", more: `,"VNI":1111`, ask: func(c *libcni.RuntimeConf) { c.Args = nil }, code: 4},
		{name: "an MTU that is none", pod: "web", more: byName + `,"mtu":1`, code: 7},
		{name: "no NIC", pod: "web", more: byName, network: func(n *v1alpha1.HostNetwork) { n.Uplinks[0].NIC = "eth9" }, code: 11},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.anew(t)
			network := blue()
			if c.network != nil {
				c.network(&network)
			}
			r.set(network)
			p := r.pod(c.pod)
			if c.ask != nil {
				c.ask(p.args)
			}
			got, err := r.ask(p, c.more)
			if code(err) != c.code || !strings.Contains(got, c.want) {
				t.Errorf("%s, error %v; want %s, code %d", got, err, c.want, c.code)
			}
			if err != nil {
				says(t, c.name, err)
			}
			if _, ok := r.journal.Get(p.key()); ok != (c.code == 0) {
				t.Errorf("in the journal: %t", ok)
			}
			if err := r.runtime.DelNetworkList(t.Context(), config(t, "1.0.0", c.more), p.args); err != nil && c.code == 0 {
				t.Errorf("DEL: %v", err)
			}
		})
	}
}

func tied(nic string) func(*v1alpha1.HostNetwork) {
	return func(n *v1alpha1.HostNetwork) { n.Master = nic }
}

func asks(capability string, value any) func(*libcni.RuntimeConf) {
	return func(c *libcni.RuntimeConf) { c.CapabilityArgs = map[string]any{capability: value} }
}

// A chain: another plugin has made the interface, and its result is passed on.
func TestChained(t *testing.T) {
	r := newRig(t)
	r.set(blue())
	p := r.pod("web")
	const before = `,"prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"net1","sandbox":"/x"}],"ips":[{"address":"192.0.2.1/24","interface":0}]}`
	answer, err := r.runtime.AddNetworkList(t.Context(), config(t, "1.0.0", byName+before), p.args)
	if err != nil {
		t.Fatal(err)
	}
	result, err := types100.NewResultFromResult(answer)
	if err != nil || len(result.IPs) != 1 || result.IPs[0].Address.String() != "192.0.2.1/24" || result.Interfaces[0].Sandbox != "/x" {
		t.Errorf("%v, error %v", answer, err)
	}
	if got := p.shows(t); !strings.Contains(got, "not found") {
		t.Errorf("an interface was made: %s", got)
	}
	if a, ok := r.journal.Get(p.key()); !ok || len(a.Addresses) > 0 {
		t.Errorf("journal: %v, %t", a, ok)
	}
}

// A pod is attached the moment its network is ready.
func TestWaitsForTheNetwork(t *testing.T) {
	r := newRig(t)
	r.end()
	r.wait = time.Minute
	r.start()
	late := blue()
	late.Ready = false
	r.set(late)
	p, answer := r.pod("web"), make(chan error)
	go func() {
		_, err := r.runtime.AddNetworkList(t.Context(), config(t, "1.0.0", byName), p.args)
		answer <- err
	}()
	r.set(blue())
	if err := <-answer; err != nil || !strings.HasPrefix(p.shows(t), "0a:58") {
		t.Errorf("%s, error %v", p.shows(t), err)
	}
}

// A runtime that gives up while it waits leaves nothing behind.
func TestRuntimeGivesUp(t *testing.T) {
	r := newRig(t)
	r.end()
	r.wait = time.Minute
	r.start()
	p := r.pod("web")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := r.runtime.AddNetworkList(ctx, config(t, "1.0.0", byName), p.args); err == nil {
		t.Fatal("attached to a network that is not there")
	}
	r.end() // returns when the request has ended: it does not wait for a minute
	if _, ok := r.journal.Get(p.key()); ok {
		t.Error("the journal has it")
	}
}

// While the agent is away nobody is told that a pod is attached; pods can end.
func TestAgentAway(t *testing.T) {
	r := newRig(t)
	r.set(blue())
	p, net := r.pod("web"), config(t, "1.1.0", byName)
	if _, err := r.runtime.AddNetworkList(t.Context(), net, p.args); err != nil {
		t.Fatal(err)
	}
	r.end()
	if _, err := r.runtime.AddNetworkList(t.Context(), net, r.pod("late").args); code(err) != 11 || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("ADD: %v", err)
	}
	if err := r.runtime.CheckNetworkList(t.Context(), net, p.args); code(err) != 11 {
		t.Errorf("CHECK: %v", err)
	}
	if err := r.runtime.GetStatusNetworkList(t.Context(), net); code(err) != 50 {
		t.Errorf("STATUS: %v", err)
	}
	if _, err := r.runtime.GetVersionInfo(t.Context(), "switchlet"); err != nil {
		t.Errorf("VERSION: %v", err)
	}
	if err := r.runtime.DelNetworkList(t.Context(), net, p.args); err != nil {
		t.Errorf("DEL: %v", err)
	}
	r.start()
	if err := r.runtime.GetStatusNetworkList(t.Context(), net); code(err) != 50 || !strings.Contains(err.Error(), "it has no HostConfig") {
		t.Errorf("STATUS of an agent that knows nothing: %v", err)
	}
	if _, ok := r.journal.Get(p.key()); !ok {
		t.Error("the agent cannot know that the pod has ended, and has released its addresses")
	}
}
