package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containernetworking/cni/libcni"
	ktypes "k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/cni/meta"
)

// fixed is an API server that has one pod, and the NetworkAttachmentDefinitions of
// namespace blue.
type fixed struct{ annotations map[string]string }

func (f fixed) Annotations(context.Context, ktypes.NamespacedName) (map[string]string, error) {
	return f.annotations, nil
}

func (f fixed) Definition(_ context.Context, name ktypes.NamespacedName) (string, error) {
	config, ok := map[string]string{
		"blue/web":     `{"cniVersion":"1.0.0","type":"switchlet","vpc":"blue","subnet":"web","capabilities":{"ips":true,"mac":true}}`,
		"blue/deck":    `{"cniVersion":"0.3.0","type":"switchlet","VNI":"1111"}`,
		"blue/list":    `{"cniVersion":"1.1.0","name":"list","plugins":[{"type":"switchlet","VNI":1111,"capabilities":{"ips":true}}]}`,
		"blue/default": `{"cniVersion":"1.0.0","type":"switchlet","VNI":1111,"defaultRoute":true}`,
		"blue/absent":  `{"cniVersion":"1.0.0","type":"switchlet","VNI":4711}`,
	}[name.String()]
	if !ok {
		return "", fmt.Errorf("network-attachment-definitions %q not found", name)
	}
	return config, nil
}

// cluster is the network of pods that ask for none.
func cluster() v1alpha1.HostNetwork {
	return v1alpha1.HostNetwork{
		VNI: 9, Owner: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "net", Name: "cluster"}, Subnet: "pods", Namespaces: []string{"blue"},
		CIDRs: []string{"10.9.0.0/24"}, Gateways: []string{"10.9.0.1"}, Uplinks: []v1alpha1.HostUplink{{NIC: "eth1"}}, Ready: true,
		Slices: []v1alpha1.AddressRange{{First: "10.9.0.2", Last: "10.9.0.9"}},
	}
}

func (r *rig) multus(annotations map[string]string) meta.Meta {
	r.t.Helper()
	list, err := libcni.ConfListFromBytes([]byte(`{"cniVersion":"1.1.0","name":"cluster","plugins":[
		{"type":"switchlet","vpcNamespace":"net","vpc":"cluster","subnet":"pods","defaultRoute":true}]}`))
	must(r.t, err)
	return meta.Meta{Source: fixed{annotations}, Cluster: list, Path: []string{r.dir}, Dir: filepath.Join(r.t.TempDir(), "multus")}
}

func (p *pod) call() meta.Call {
	return meta.Call{ContainerID: p.args.ContainerID, Netns: p.netns, IfName: "eth0", Pod: ktypes.NamespacedName{Namespace: "blue", Name: "web-0"}, UID: "u"}
}

// What Multus makes of a pod's annotation, with the cluster's network, another of
// Switchlet's, before it. It is as Multus tells it in the annotation network-status.
func TestMultus(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name, networks string
		want           string // status of all networks but the first, and the default routes; or the error
	}{
		{"no networks", "", "; 10.9.0.1 eth0"},
		{"a name", "web", "blue/web net1 10.1.0.2 fd00::2; 10.9.0.1 eth0"},
		{"a name with its namespace and an interface", "blue/web@data", "blue/web data 10.1.0.2 fd00::2; 10.9.0.1 eth0"},
		{"two networks, of different versions", "deck,web", "blue/deck net1 10.1.0.2 fd00::2, blue/web net2 10.1.0.3 fd00::3; 10.9.0.1 eth0"},
		{"one network twice", "web,web", "blue/web net1 10.1.0.2 fd00::2, blue/web net2 10.1.0.3 fd00::3; 10.9.0.1 eth0"},
		{"a list", `[{"name":"list","ips":["10.1.0.9/24"]}]`, "blue/list net1 10.1.0.9 fd00::2; 10.9.0.1 eth0"},
		{"addresses", `[{"name":"web","ips":["10.1.0.9/24"],"mac":"02:00:00:00:00:01"}]`, "blue/web net1 10.1.0.9 fd00::2; 10.9.0.1 eth0"},
		{"the default route by the definition", "default", "blue/default net1 10.1.0.2 fd00::2; 10.1.0.1 net1"},
		{"the default route by the annotation", `[{"name":"web","default-route":["10.1.0.1"]}]`, "blue/web net1 10.1.0.2 fd00::2; 10.1.0.1 net1"},
		{"what the definition does not allow", `[{"name":"deck","ips":["10.1.0.9/24"]}]`, "no plugin of it has that capability"},
		{"the second of two does not come", "web,absent", "this node has no network for VNI 4711 yet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.anew(t)
			r.set(blue(), cluster())
			m, p := r.multus(map[string]string{"k8s.v1.cni.cncf.io/networks": c.networks}), r.pod("web-0")
			_, status, err := m.Add(t.Context(), p.call())
			if err != nil {
				if !strings.Contains(err.Error(), c.want) {
					t.Errorf("ADD: %v", err)
				}
				r.leftNothing(t)
				return
			}
			must(t, m.Check(t.Context(), p.call()))
			must(t, m.Status(t.Context()))
			r.service.Sweep(t.Context(), nobody) // which changes nothing
			if got := p.told(t, status); got != c.want {
				t.Errorf("the pod has %s\nwant %s", got, c.want)
			}
			must(t, m.Del(t.Context(), p.call()))
			must(t, m.Del(t.Context(), p.call()))
			r.leftNothing(t)
		})
	}
}

// told is a pod's networks, without the cluster's, and its default route.
func (p *pod) told(t *testing.T, status []meta.Status) string {
	t.Helper()
	var all []string
	for _, s := range status[1:] {
		all = append(all, s.Name+" "+s.Interface+" "+strings.Join(s.IPs, " "))
	}
	if s := status[0]; !s.Default || s.Interface != "eth0" || s.IPs[0] != "10.9.0.2" {
		t.Errorf("the cluster's network is %+v", s)
	}
	var routes []string
	for line := range strings.Lines(p.routes(t)) {
		if route, ok := strings.CutPrefix(strings.TrimSpace(line), "0.0.0.0/0 "); ok {
			routes = append(routes, route)
		}
	}
	return strings.Join(all, ", ") + "; " + strings.Join(routes, ", ")
}

func (r *rig) leftNothing(t *testing.T) {
	t.Helper()
	r.service.Close() // interfaces are deleted
	if all := r.journal.All(); len(all) > 0 {
		t.Errorf("the journal has %v", all)
	}
}

// A DEL works without what went before: the namespace, the results that libcni keeps,
// and in an environment that says something else, as that of Multus's daemon may.
func TestMultusDeletes(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name   string
		before func(*testing.T, meta.Meta, *meta.Call)
	}{
		{"without the results", func(t *testing.T, m meta.Meta, _ *meta.Call) { must(t, os.RemoveAll(filepath.Join(m.Dir, "cache"))) }},
		{"without the namespace", func(_ *testing.T, _ meta.Meta, c *meta.Call) { c.Netns = "" }},
		{"with a namespace that is gone", func(_ *testing.T, _ meta.Meta, c *meta.Call) { c.Netns = "/run/netns/gone" }},
		{"without either", func(t *testing.T, m meta.Meta, c *meta.Call) {
			must(t, os.RemoveAll(filepath.Join(m.Dir, "cache")))
			c.Netns = ""
		}},
		{"from another's environment", func(t *testing.T, _ meta.Meta, _ *meta.Call) {
			t.Setenv("CNI_COMMAND", "VERSION")
			t.Setenv("CNI_CONTAINERID", "another")
			t.Setenv("CNI_IFNAME", "net9")
			t.Setenv("CNI_NETNS", "/run/netns/another")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.anew(t)
			r.set(blue(), cluster())
			m, p := r.multus(map[string]string{"k8s.v1.cni.cncf.io/networks": "web,deck"}), r.pod("web-0")
			_, _, err := m.Add(t.Context(), p.call())
			must(t, err)
			call := p.call()
			c.before(t, m, &call)
			must(t, m.Del(t.Context(), call))
			r.leftNothing(t)
		})
	}
}
