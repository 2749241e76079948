package reconcile_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// Pods are bound here to Nodes on which no kubelet runs: what the fabric is made to
// do for them does not wait for one.
func TestPods(t *testing.T) {
	ctrl.SetLogger(logr.Discard())
	cluster := rbactest.Start(t, controlplane.Config{})
	admin := cluster.Admin(t)
	for _, tenant := range []string{"tenant-a", "tenant-b"} {
		for _, o := range []client.Object{
			&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: tenant}},
			&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: "default"}},
		} {
			if err := admin.Create(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name string
		run  func(*testing.T, *racks)
	}{
		{"a cluster that comes to know networks later", lateKinds}, // first: it installs them
		{"a pod that is bound has its network on the ports of its host", boundPod},
		{"a network goes with its last pod, after the time of grace", lastPod},
		{"what is wrong with a network is told to it and to its pods", wrongNetworks},
		{"pods on a host without cables are told so", uncabledHost},
		{"a network that pods tie to one NIC", oneNIC},
		{"pods leave a switch that is drained", leafDrained},
		{"a restart writes nothing for pods", restartWithPods},
		{"no two hosts have an address", slicesApart},
		{"an address of a pod's choice", chosenAddress},
		{"an address that a claim keeps", claimedAddress},
		{"the addresses of a host that is gone", hostGone},
		{"a VLAN id changes hands when the host has let go of it", vlanOfPods},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &lab{cluster: cluster, Client: admin, agents: map[string]*agent{}}
			r := &racks{wires: &wires{lab: l}, inUse: map[string][]string{}}
			t.Cleanup(func() {
				l.clear(t)
				r.wipe(t)
			})
			l.start(t)
			c.run(t, r)
		})
	}
}

// rack makes two leaves and hosts, each at both leaves, a Fabric and a VPC.
func (r *racks) rack(t *testing.T, hosts int, grace time.Duration) *v1alpha1.VPC {
	t.Helper()
	blue := r.silentRack(t, cabled(), hosts, grace)
	r.hostAgents(t)
	return blue
}

// silentRack makes it without agents on the hosts.
func (r *racks) silentRack(t *testing.T, f *v1alpha1.Fabric, hosts int, grace time.Duration) *v1alpha1.VPC {
	t.Helper()
	f.Spec.LLDP.WithdrawAfter = &metav1.Duration{Duration: grace}
	blue := vpc("tenant-a/blue", "web 10.1.0.0/24", "db 10.2.0.0/24")
	r.create(t, f, class("default", v1alpha1.VPCLimits{}), blue)
	r.wires = r.wire(t, 0, 2, hosts)
	var cables []string
	for i := range hosts {
		for k := range 2 {
			cables = append(cables, fmt.Sprintf("host%d/eth%d leaf%d/Ethernet%d", i+1, k, k+1, 8+4*i))
		}
	}
	r.plug(t, cables...)
	return blue
}

const webConfig = `{"cniVersion": "1.0.0", "name": "web", "type": "switchlet", "vpc": "blue", "subnet": "web"}`

// leafDrained: the hosts of a switch are told to use another one before its ports are
// switched off.
func leafDrained(t *testing.T, r *racks) {
	r.rack(t, 1, time.Hour)
	r.create(t, nadNamed("tenant-a/web", webConfig), podOn("host1", "tenant-a/web-0", "web"))
	r.network(t, "host1", "tenant-a/blue/web", isReady("eth0 leaf1/Ethernet8", "eth1 leaf2/Ethernet8"))
	for _, drained := range []bool{true, false} {
		edit(t, r.lab, &v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}}, func(c *v1alpha1.SwitchConfig) {
			c.Spec.Maintenance = &v1alpha1.SwitchMaintenance{Pass: "by-hand", Step: fmt.Sprint(drained), Drain: drained}
		})
		r.network(t, "host1", "tenant-a/blue/web", func(n v1alpha1.HostNetwork) error {
			for _, u := range n.Uplinks {
				if u.Draining != (drained && u.Switch == "leaf1") {
					return fmt.Errorf("while leaf1 is drained %t, the uplinks are %+v", drained, n.Uplinks)
				}
			}
			return nil
		})
	}
}

func lateKinds(t *testing.T, r *racks) {
	r.rack(t, 1, time.Hour)
	r.create(t, podOn("host1", "tenant-a/web-0", "web"))
	r.settle(t)
	if c := r.hostConfig(t, "host1"); len(c.Spec.Networks) > 0 {
		t.Errorf("host1 has %+v", c.Spec.Networks)
	}
	r.cluster.Kubectl(t, "apply", "-f", "testdata/definitions.yaml")
	r.cluster.Kubectl(t, "wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
	rbactest.Eventually(t, func() error { return r.Create(t.Context(), fresh(nadNamed("tenant-a/web", webConfig))) })
	r.network(t, "host1", "tenant-a/blue/web", isReady("eth0 leaf1/Ethernet8", "eth1 leaf2/Ethernet8"))
}

func boundPod(t *testing.T, r *racks) {
	blue := r.rack(t, 2, time.Hour)
	r.create(t, nadNamed("tenant-a/web", webConfig),
		nadNamed("tenant-a/db", `{"cniVersion": "0.4.0", "name": "db", "plugins": [{"type": "macvlan"}, {"type": "switchlet", "vpc": "blue", "subnet": "db"}]}`))
	r.settle(t)
	start := time.Now()
	r.create(t, podOn("host1", "tenant-a/web-0", "web@net1"))
	n := r.network(t, "host1", "tenant-a/blue/web", isReady("eth0 leaf1/Ethernet8", "eth1 leaf2/Ethernet8"))
	t.Logf("from the pod to a host that is ready: %s", time.Since(start))
	if len(addressesOf(n.Slices)) < 2 || !slices.Equal(n.Namespaces, []string{"tenant-a"}) || !slices.Equal(n.Gateways, []string{"10.1.0.1"}) {
		t.Errorf("the network is %+v", n)
	}
	r.carries(t, "leaf1", "Ethernet8")
	r.ready(t, blue, "2/2")

	// A pod on another host, and one with two networks, by VNI and in a chain.
	vni := ""
	for _, s := range get(t, r.lab, blue).Status.Subnets {
		if s.Name == "web" {
			vni = fmt.Sprint(s.VNI)
		}
	}
	r.create(t, nadNamed("tenant-a/raw", `{"cniVersion": "0.3.0", "type": "switchlet", "VNI": "`+vni+`"}`))
	r.create(t, podOn("host2", "tenant-a/both", `[{"name": "raw"}, {"name": "db", "namespace": "tenant-a"}]`))
	r.network(t, "host2", "tenant-a/blue/web", isReady("eth0 leaf1/Ethernet12", "eth1 leaf2/Ethernet12"))
	r.network(t, "host2", "tenant-a/blue/db", isReady("eth0 leaf1/Ethernet12", "eth1 leaf2/Ethernet12"))
	r.carries(t, "leaf1", "Ethernet12", "Ethernet12", "Ethernet8")

	// An attachment brings the same subnet to the port: pods use what it brings.
	r.create(t, attach("tenant-a/server", "blue/web", "leaf1/Ethernet8"))
	rbactest.Eventually(t, func() error {
		for _, s := range r.spec(t, "leaf1").Segments {
			for _, p := range s.Ports {
				if p.Name == "Ethernet8" && p.Owner.Kind == v1alpha1.KindVPCAttachment {
					return nil
				}
			}
		}
		return errors.New("the attachment is not at its port")
	})
	r.network(t, "host1", "tenant-a/blue/web", isReady("eth0 leaf1/Ethernet8", "eth1 leaf2/Ethernet8"))
}

func lastPod(t *testing.T, r *racks) {
	blue := r.rack(t, 1, 0)
	r.create(t, nadNamed("tenant-a/web", webConfig))
	one, two := podOn("host1", "tenant-a/web-0", "web"), podOn("host1", "tenant-a/web-1", "tenant-a/web")
	r.create(t, one, two)
	r.network(t, "host1", "tenant-a/blue/web", isReady("eth0 leaf1/Ethernet8", "eth1 leaf2/Ethernet8"))
	r.remove(t, one)
	r.settle(t)
	r.carries(t, "leaf1", "Ethernet8")
	r.remove(t, two)
	r.carries(t, "leaf1")
	r.lacks(t, "host1")
	r.ready(t, blue, "0/0")
	r.withoutAddresses(t)
}

// withoutAddresses waits until no addresses are allocated.
func (r *racks) withoutAddresses(t *testing.T) {
	t.Helper()
	rbactest.Eventually(t, func() error {
		for _, a := range r.allocations(t) {
			if a.Spec.Pool == v1alpha1.PoolAddresses {
				return fmt.Errorf("%s is still there: %+v", a.Name, a.Status)
			}
		}
		return nil
	})
}

func wrongNetworks(t *testing.T, r *racks) {
	blue := r.rack(t, 1, time.Hour)
	r.create(t,
		nadNamed("tenant-a/broken", `{"type": "switchlet", `), nadNamed("tenant-a/nothing", `{"type": "switchlet"}`),
		nadNamed("tenant-a/elsewhere", `{"type": "switchlet", "vpc": "blue", "subnet": "cache"}`),
		nadNamed("tenant-a/unknown", `{"type": "switchlet", "VNI": 19998}`),
		nadNamed("tenant-b/stolen", `{"type": "switchlet", "vpc": "blue", "subnet": "web", "vpcNamespace": "tenant-a"}`),
		nadNamed("tenant-a/foreign", `{"type": "macvlan"}`), nadNamed("tenant-a/web", webConfig),
		podOn("host1", "tenant-a/web-0", "broken,foreign,web"), podOn("host1", "tenant-b/thief", "stolen"), podOn("host1", "tenant-b/guest", "tenant-a/web"),
		podOn("host1", "tenant-a/typo", "[{"))
	r.told(t, "tenant-a/broken", "InvalidConfig", "spec.config is not the JSON of a CNI configuration")
	r.told(t, "tenant-a/nothing", "InvalidConfig", `name the subnet by "vpc" and "subnet", or by "VNI"`)
	r.told(t, "tenant-a/elsewhere", "SubnetNotFound", `VPC tenant-a/blue has no subnet "cache"`)
	r.told(t, "tenant-a/unknown", "VNINotFound", "No subnet has VNI 19998")
	r.told(t, "tenant-b/stolen", "NotAllowed", "not for namespace tenant-b", "spec.attachFrom")
	r.told(t, "tenant-a/web-0", "InvalidConfig", "NetworkAttachmentDefinition tenant-a/broken")
	r.told(t, "tenant-b/thief", "NotAllowed", "tenant-b/stolen")
	r.told(t, "tenant-b/guest", "NotAllowed", "tenant-a/web")
	r.told(t, "tenant-a/typo", "InvalidAnnotation", "not a JSON list")
	n := r.network(t, "host1", "tenant-a/blue/web", isReady("eth0 leaf1/Ethernet8", "eth1 leaf2/Ethernet8"))
	if n := r.hostConfig(t, "host1"); len(n.Spec.Networks) != 1 {
		t.Errorf("host1 has %d networks", len(n.Spec.Networks))
	}
	if slices.Contains(n.Namespaces, "tenant-b") {
		t.Errorf("pods of %q may be attached", n.Namespaces)
	}

	edit(t, r.lab, blue, func(v *v1alpha1.VPC) { v.Spec.AttachFrom = []string{"tenant-b"} })
	r.network(t, "host1", "tenant-a/blue/web", func(n v1alpha1.HostNetwork) error {
		if !slices.Equal(n.Namespaces, []string{"tenant-a", "tenant-b"}) {
			return errors.New("want both namespaces")
		}
		return nil
	})
}

// uncabledHost has a pod on a host that no leaf hears. What is missing is told where
// people look: at the pod, at its VPC, at the Host, and to the CNI plugin.
func uncabledHost(t *testing.T, r *racks) {
	f, blue := cabled(), vpc("tenant-a/blue", "web 10.1.0.0/24")
	r.create(t, f, class("default", v1alpha1.VPCLimits{}), blue)
	r.wires = r.wire(t, 0, 1, 2)
	r.plug(t, "host1/eth0 leaf1/Ethernet8")
	r.hostAgents(t)
	r.create(t, nadNamed("tenant-a/web", webConfig), podOn("host2", "tenant-a/web-0", "web"))
	missing := "No switch port is known for host2: no LLDP is heard on eth0, eth1."
	r.told(t, "tenant-a/web-0", "NoLLDP", missing, "`show lldp table`, which has to list host2")
	r.told(t, "tenant-a/web", "NoLLDP", missing)
	r.told(t, "tenant-a/blue", "NotCabled", "In force on 0 of 0 switches, and pods on 1 hosts wait. "+missing, "kubectl describe host host2")
	r.wants(t, blue, expect{v1alpha1.VPCProgrammed, metav1.ConditionFalse, "NotCabled", []string{missing}})
	r.wants(t, &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "host2"}}, expect{v1alpha1.HostCabled, metav1.ConditionUnknown, "NoCable", []string{missing, "`show feature status lldp`"}})
	says := func(message string) func(v1alpha1.HostNetwork) error {
		return func(n v1alpha1.HostNetwork) error {
			if n.Ready || n.Message != message {
				return fmt.Errorf("want it to say %q", message)
			}
			return nil
		}
	}
	r.network(t, "host2", "tenant-a/blue/web", says(missing+" See kubectl describe host host2."))

	// Pods elsewhere have their network. What is told follows what is found.
	r.create(t, podOn("host1", "tenant-a/web-1", "web"))
	r.network(t, "host1", "tenant-a/blue/web", isReady("eth0 leaf1/Ethernet8"))
	r.plug(t, "host2/eth1 nas/1")
	missing = "No switch port is known for host2: no leaf is heard on eth0, eth1."
	r.told(t, "tenant-a/web-0", "NoLeaf", missing)
	r.wants(t, blue, expect{v1alpha1.VPCProgrammed, metav1.ConditionFalse, "NotCabled", []string{"In force on 1 of 1 switches, and pods on 1 hosts wait. " + missing}})
	r.network(t, "host2", "tenant-a/blue/web", says(missing+" See kubectl describe host host2."))
	r.plug(t, "host2/eth1 leaf1/Ethernet12")
	r.network(t, "host2", "tenant-a/blue/web", isReady("eth1 leaf1/Ethernet12"))
	r.ready(t, blue, "1/1")
}

// oneNIC has pods whose NetworkAttachmentDefinition names a NIC of the host.
func oneNIC(t *testing.T, r *racks) {
	blue := r.rack(t, 2, 0)
	at := func(nic string) string {
		return `{"cniVersion": "1.0.0", "type": "switchlet", "vpc": "blue", "subnet": "web", "master": "` + nic + `"}`
	}
	r.create(t, nadNamed("tenant-a/web", webConfig), nadNamed("tenant-a/right", at("eth1")), nadNamed("tenant-a/left", at("eth0")), nadNamed("tenant-a/wrong", at("ens9")))
	tied := podOn("host1", "tenant-a/tied", "right")
	r.create(t, tied)
	r.network(t, "host1", "tenant-a/blue/web", isReady("eth1 leaf2/Ethernet8"))
	r.carries(t, "leaf2", "Ethernet8")
	r.carries(t, "leaf1")
	r.ready(t, blue, "1/1")

	// Those that name none follow, and those that name another one are told. What is tied
	// stays where it is over a restart, of which pods with a mistake may hear again.
	r.create(t, podOn("host1", "tenant-a/any", "web"))
	r.settle(t)
	if writes := r.restarted(t); len(writes) > 0 {
		t.Errorf("after a restart the controller wrote %v", writes)
	}
	other := podOn("host1", "tenant-a/other", "left")
	r.create(t, other)
	r.told(t, "tenant-a/other", "MasterConflict", `Subnet "web" of VPC tenant-a/blue`, "at NIC eth0", "other pods on host1 at eth1")
	r.told(t, "tenant-a/left", "MasterConflict", "at NIC eth0")
	r.settle(t)
	r.restarted(t)
	r.network(t, "host1", "tenant-a/blue/web", isReady("eth1 leaf2/Ethernet8"))

	// The other one's turn; then nobody names a NIC any more, and all lead there.
	r.remove(t, tied)
	r.network(t, "host1", "tenant-a/blue/web", isReady("eth0 leaf1/Ethernet8"))
	r.carries(t, "leaf1", "Ethernet8")
	r.carries(t, "leaf2")
	r.remove(t, other)
	r.network(t, "host1", "tenant-a/blue/web", isReady("eth0 leaf1/Ethernet8", "eth1 leaf2/Ethernet8"))

	// A NIC that the host does not have keeps nobody else from it.
	r.create(t, podOn("host2", "tenant-a/lost", "wrong"))
	missing := `host2 has no NIC ens9, which "master" names: it has eth0, eth1.`
	r.told(t, "tenant-a/lost", "NICNotFound", missing)
	r.told(t, "tenant-a/wrong", "NICNotFound", missing, "leave \"master\" out")
	r.wants(t, blue, expect{v1alpha1.VPCProgrammed, metav1.ConditionFalse, "NotCabled", []string{missing}})
	r.network(t, "host2", "tenant-a/blue/web", func(n v1alpha1.HostNetwork) error {
		if n.Ready || n.Master != "ens9" || n.Message != missing+" See kubectl describe host host2." {
			return errors.New("want it tied to ens9, and not ready")
		}
		return nil
	})
	r.create(t, podOn("host2", "tenant-a/found", "left"))
	r.network(t, "host2", "tenant-a/blue/web", isReady("eth0 leaf1/Ethernet12"))
	r.ready(t, blue, "2/2")
}

func restartWithPods(t *testing.T, r *racks) {
	r.rack(t, 2, time.Hour)
	gone := podOn("host2", "tenant-a/web-1", "web")
	r.create(t, nadNamed("tenant-a/web", webConfig), podOn("host1", "tenant-a/web-0", "web"), gone)
	for i, host := range []string{"host1", "host2"} {
		r.network(t, host, "tenant-a/blue/web", isReady(fmt.Sprintf("eth0 leaf1/Ethernet%d", 8+4*i), fmt.Sprintf("eth1 leaf2/Ethernet%d", 8+4*i)))
	}
	r.remove(t, gone)
	r.settle(t)
	if writes := r.restarted(t); len(writes) > 0 {
		t.Errorf("after a restart the controller wrote %v", writes)
	}
}

func slicesApart(t *testing.T, r *racks) {
	r.rack(t, 3, time.Hour)
	r.create(t, nadNamed("tenant-a/web", webConfig))
	for host := range 3 {
		for i := range 10 {
			r.create(t, podOn(fmt.Sprintf("host%d", host+1), fmt.Sprintf("tenant-a/web-%d-%d", host, i), "web"))
		}
	}
	of := map[string]string{}
	for i := range 3 {
		host := fmt.Sprintf("host%d", i+1)
		n := r.network(t, host, "tenant-a/blue/web", func(n v1alpha1.HostNetwork) error {
			if len(addressesOf(n.Slices)) < 12 {
				return errors.New("want addresses for 10 pods and 2 more")
			}
			return nil
		})
		for _, a := range addressesOf(n.Slices) {
			if other, taken := of[a]; taken {
				t.Errorf("%s is %s's and %s's", a, other, host)
			}
			if of[a] = host; a == "10.1.0.0" || a == "10.1.0.1" || a == "10.1.0.255" {
				t.Errorf("%s has %s", host, a)
			}
		}
	}
}

func chosenAddress(t *testing.T, r *racks) {
	r.rack(t, 2, 0)
	r.create(t, nadNamed("tenant-a/web", webConfig), podOn("host1", "tenant-a/web-0", "web"))
	n := r.network(t, "host1", "tenant-a/blue/web", isReady("eth0 leaf1/Ethernet8", "eth1 leaf2/Ethernet8"))
	mine := addressesOf(n.Slices)[0] // of a slice of host1
	chosen := podOn("host2", "tenant-a/chosen", `[{"name": "web", "ips": ["`+mine+`/24"]}]`)
	r.create(t, chosen)
	r.network(t, "host2", "tenant-a/blue/web", hasReserved(mine+" chosen"))
	n = r.network(t, "host1", "tenant-a/blue/web", isReady("eth0 leaf1/Ethernet8", "eth1 leaf2/Ethernet8"))
	if slices.Contains(addressesOf(n.Slices), mine) {
		t.Errorf("host1 hands %s out as well: %+v", mine, n.Slices)
	}
	r.create(t, podOn("host1", "tenant-a/second", `[{"name": "web", "ips": ["`+mine+`"]}]`),
		podOn("host1", "tenant-a/outside", `[{"name": "web", "ips": ["10.9.0.1"]}]`))
	r.told(t, "tenant-a/second", "AddressTaken", mine, "pod tenant-a/chosen")
	r.told(t, "tenant-a/outside", "AddressNotUsable", "10.9.0.1")
	r.remove(t, chosen)
	r.network(t, "host1", "tenant-a/blue/web", hasReserved(mine+" second"))
}

func claimedAddress(t *testing.T, r *racks) {
	r.rack(t, 2, 0)
	kept := unstructuredNamed("k8s.cni.cncf.io/v1alpha1", "IPAMClaim", "tenant-a/vm", map[string]any{"network": "web"})
	networks := `[{"name": "web", "ipam-claim-reference": "vm"}]`
	first := podOn("host1", "tenant-a/vm-1", networks)
	r.create(t, nadNamed("tenant-a/web", webConfig), first)
	r.told(t, "tenant-a/vm-1", "ClaimNotFound", `"vm"`)
	r.create(t, kept)
	var ip string
	rbactest.Eventually(t, func() error {
		c := r.hostConfig(t, "host1")
		if len(c.Spec.Networks) == 0 || len(c.Spec.Networks[0].Reserved) == 0 {
			return errors.New("nothing is reserved")
		}
		ip = c.Spec.Networks[0].Reserved[0].Address
		return nil
	})
	now := get(t, r.lab, kept)
	if status := fmt.Sprint(now.Object["status"]); !strings.Contains(status, ip+"/24") {
		t.Errorf("the claim says %s, want %s", status, ip)
	}
	// The virtual machine moves.
	r.create(t, podOn("host2", "tenant-a/vm-2", networks))
	r.remove(t, first)
	r.network(t, "host2", "tenant-a/blue/web", hasReserved(ip+" vm"))
}

func hostGone(t *testing.T, r *racks) {
	r.rack(t, 1, 0)
	p := podOn("host1", "tenant-a/web-0", "web")
	r.create(t, nadNamed("tenant-a/web", webConfig), p)
	r.network(t, "host1", "tenant-a/blue/web", isReady("eth0 leaf1/Ethernet8", "eth1 leaf2/Ethernet8"))
	r.hosts = nil
	r.remove(t, p)
	r.delete(t, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "host1"}}, &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "host1"}})
	r.gone(t, &v1alpha1.HostConfig{ObjectMeta: metav1.ObjectMeta{Name: "host1"}})
	r.withoutAddresses(t)
}
