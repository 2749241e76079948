// Package dataplane_test attaches pods to tagged networks in a kernel that has
// VLANs and bonds, and lets frames through.
package dataplane_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/attach"
	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/networks"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/host/uplink"
	"github.com/switchlet/switchlet/cni/protocol"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
	"github.com/switchlet/switchlet/deploy/lab/uml/umltest"
)

func TestMain(m *testing.M) { umltest.Main(m) }

// patience is how long tests wait for what takes a second at most.
const patience = 20 * time.Second

// rig is a host with the NICs eth1 and eth2, and a fabric that both lead to: network
// 1111 is VLAN 100 at eth1 and 200 at eth2, network 2222 is VLAN 101 and 201. Each
// has its gateway there.
type rig struct {
	t            *testing.T
	host, fabric string
	kernel       *link.Kernel
	service      *attach.Service
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, host: nettest.Namespace(t), fabric: nettest.Namespace(t)}
	host, fabric := nettest.Handle(t, r.host), nettest.Handle(t, r.fabric)
	for i, vni := range []int{1111, 2222} {
		r.must(fabric.LinkAdd(&netlink.Bridge{LinkAttrs: named(fmt.Sprint("br", vni))}))
		r.address(fabric, fmt.Sprint("br", vni), fmt.Sprintf("10.%d.0.1/24", i+1))
	}
	for i, nic := range []string{"eth1", "eth2"} {
		far, err := os.Open(r.fabric)
		r.must(err)
		port := fmt.Sprint("port", i+1)
		r.must(host.LinkAdd(&netlink.Veth{LinkAttrs: named(nic), PeerName: port, PeerNamespace: netlink.NsFd(int(far.Fd()))}))
		far.Close()
		r.up(host, nic)
		on := r.up(fabric, port)
		for n, vni := range []int{1111, 2222} {
			attrs := named(fmt.Sprintf("%s.%d", port, vni))
			attrs.ParentIndex = on.Attrs().Index
			r.must(fabric.LinkAdd(&netlink.Vlan{LinkAttrs: attrs, VlanId: 100*(i+1) + n}))
			bridge, err := fabric.LinkByName(fmt.Sprint("br", vni))
			r.must(err)
			r.must(fabric.LinkSetMaster(r.up(fabric, attrs.Name), bridge))
		}
	}
	nettest.In(t, r.host, func() (err error) {
		r.kernel, err = link.Open(link.Config{Proc: "/proc", Sys: "/sys"})
		return err
	})
	store, _, err := journal.Open(filepath.Join(t.TempDir(), "state"))
	r.must(err)
	r.service = attach.New(attach.Config{
		Journal: store, Pods: r.kernel, Host: r.kernel, Wait: time.Second, Node: "host1", Boot: "1",
		Changed: func() {}, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	t.Cleanup(func() { r.service.Close(); r.must(r.kernel.Close()) })
	return r
}

func named(name string) netlink.LinkAttrs {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	return attrs
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) up(handle *netlink.Handle, name string) netlink.Link {
	r.t.Helper()
	l, err := handle.LinkByName(name)
	r.must(err)
	r.must(handle.LinkSetUp(l))
	return l
}

func (r *rig) address(handle *netlink.Handle, name, text string) {
	r.t.Helper()
	a, err := netlink.ParseAddr(text)
	r.must(err)
	r.must(handle.AddrAdd(r.up(handle, name), a))
}

// network n of the VPC blue, with these uplinks.
func network(n int, uplinks ...v1alpha1.HostUplink) v1alpha1.HostNetwork {
	return v1alpha1.HostNetwork{
		VNI: int32(1111 * n), Owner: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "blue", Name: "blue"}, Subnet: fmt.Sprint("n", n),
		Namespaces: []string{"blue"}, CIDRs: []string{fmt.Sprintf("10.%d.0.0/24", n)}, Gateways: []string{fmt.Sprintf("10.%d.0.1", n)},
		Slices: []v1alpha1.AddressRange{{First: fmt.Sprintf("10.%d.0.0", n), Last: fmt.Sprintf("10.%d.0.99", n)}}, Uplinks: uplinks, Ready: true,
	}
}

func at(nic string, vlan int32) v1alpha1.HostUplink { return v1alpha1.HostUplink{NIC: nic, VLAN: vlan} }

func (r *rig) set(all ...v1alpha1.HostNetwork) {
	r.t.Helper()
	set, problems := networks.Compile(v1alpha1.HostConfigSpec{Revision: "r", Networks: all})
	if len(problems) > 0 {
		r.t.Fatal(problems)
	}
	r.service.Set(set, nil)
	if report := r.service.Report(); len(report.Problems) > 0 || report.Err != nil {
		r.t.Fatalf("problems %v, error %v", report.Problems, report.Err)
	}
}

// add attaches a new pod, and returns its namespace.
func (r *rig) add(name string, vni int, mode request.Mode) string {
	r.t.Helper()
	path := nettest.Namespace(r.t)
	netns, err := link.OpenNetns(path)
	r.must(err)
	defer netns.Close()
	answer := r.service.Do(r.t.Context(), protocol.Request{
		Command: "ADD", ContainerID: name, IfName: "net1", Netns: path, Args: "K8S_POD_NAMESPACE=blue;K8S_POD_NAME=" + name,
		Config: fmt.Appendf(nil, `{"cniVersion":"1.0.0","name":"n","type":"switchlet","VNI":%d,"mode":%q}`, vni, mode),
	}, netns)
	if answer.Failed {
		r.t.Fatalf("%s", answer.Body)
	}
	return path
}

// reaches opens a connection from a pod to the gateway of network n.
func (r *rig) reaches(pod string, n int) {
	r.t.Helper()
	if err := r.try(pod, n, patience); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) try(pod string, n int, within time.Duration) (err error) {
	r.t.Helper()
	var listener net.Listener
	nettest.In(r.t, r.fabric, func() (err error) {
		listener, err = net.Listen("tcp", fmt.Sprintf("10.%d.0.1:0", n))
		return err
	})
	defer listener.Close()
	nettest.In(r.t, pod, func() error {
		var conn net.Conn
		if conn, err = net.DialTimeout("tcp", listener.Addr().String(), within); err == nil {
			conn.Close()
		}
		return nil
	})
	return err
}

// devices are those of the agent on the host, as text.
func (r *rig) devices() string {
	r.t.Helper()
	all, err := r.kernel.Devices()
	r.must(err)
	var text []string
	for _, d := range all {
		if strings.HasPrefix(d.Name, "sw") {
			text = append(text, fmt.Sprintf("%s %s %s %d in %q up %t", d.Name, d.Kind, d.Link, d.ID, d.Master, d.Up))
		}
	}
	return strings.Join(text, "\n")
}

// A pod's life: its first NIC, a second one, a cable that is pulled, one that is
// moved, a device that somebody deletes. It keeps its interface and its address.
func TestUplinksChangeUnderPods(t *testing.T) {
	for _, mode := range []request.Mode{request.Macvlan, request.Bridge} {
		t.Run(string(mode), func(t *testing.T) {
			r := newRig(t)
			r.set(network(1, at("eth1", 100)))
			pod := r.add("web", 1111, mode)
			r.reaches(pod, 1)

			r.set(network(1, at("eth1", 100), at("eth2", 200)))
			r.reaches(pod, 1)

			fabric := nettest.Handle(t, r.fabric)
			port, err := fabric.LinkByName("port1")
			r.must(err)
			r.must(fabric.LinkSetDown(port))
			began := time.Now()
			r.reaches(pod, 1)
			t.Logf("after a cable was pulled the gateway was reached again in %v", time.Since(began).Round(time.Millisecond))

			r.set(network(1, at("eth2", 200)))
			r.reaches(pod, 1)

			host := nettest.Handle(t, r.host)
			bond, err := host.LinkByName("swl1111")
			r.must(err)
			r.must(host.LinkDel(bond))
			r.service.Upkeep()
			r.service.Sweep(t.Context(), func(context.Context) (func(request.Pod) bool, error) { return nil, nil })
			r.reaches(pod, 1)
		})
	}
}

// A switch is about to switch the port of eth1 off: the pod uses eth2 before, and what still
// comes to eth1 reaches it, but in a bridge. Then eth1 has no carrier.
func TestPodsLeaveANICInTime(t *testing.T) {
	for _, mode := range []request.Mode{request.Macvlan, request.Bridge} {
		t.Run(string(mode), func(t *testing.T) {
			r := newRig(t)
			r.set(network(1, at("eth1", 100), at("eth2", 200)))
			pod := r.add("web", 1111, mode)
			r.reaches(pod, 1)
			r.uses("swl1111-1", false)

			leaving := at("eth1", 100)
			leaving.Draining = true
			r.set(network(1, leaving, at("eth2", 200)))
			r.uses("swl1111-2", mode == request.Macvlan)
			r.reaches(pod, 1)
			r.answersBy(pod, "port1.1111")
			if err := r.try(pod, 1, time.Second); (err == nil) != (mode == request.Macvlan) {
				t.Errorf("answers come to eth1: %v", err)
			}

			changes := r.kernel.Changes(t.Context(), slog.New(slog.DiscardHandler))
			port, err := nettest.Handle(t, r.fabric).LinkByName("port1")
			r.must(err)
			r.must(nettest.Handle(t, r.fabric).LinkSetDown(port))
			r.cut("eth1", changes)
			r.service.Upkeep()
			r.uses("swl1111-2", false)
			r.answersBy(pod, "port2.1111")
			r.reaches(pod, 1)
		})
	}
}

// uses checks which device the bond of network 1111 uses, and whether it takes what comes to
// the other.
func (r *rig) uses(want string, both bool) {
	r.t.Helper()
	all, err := r.kernel.Devices()
	r.must(err)
	for _, d := range all {
		if d.Name == "swl1111" && (d.Active != want || d.Both != both) {
			r.t.Errorf("the bond uses %s, and both %t; want %s, %t", d.Active, d.Both, want, both)
		}
		if d.Promisc != (both && d.Name == "swl1111-1") {
			r.t.Errorf("%s takes frames for all: %t", d.Name, d.Promisc)
		}
	}
}

// answersBy has the fabric send to a pod by a port, whatever it hears where the pod is.
func (r *rig) answersBy(pod, port string) {
	r.t.Helper()
	l, err := nettest.Handle(r.t, pod).LinkByName("net1")
	r.must(err)
	by, err := nettest.Handle(r.t, r.fabric).LinkByName(port)
	r.must(err)
	r.must(nettest.Handle(r.t, r.fabric).NeighSet(&netlink.Neigh{
		LinkIndex: by.Attrs().Index, Family: unix.AF_BRIDGE, State: netlink.NUD_NOARP, Flags: netlink.NTF_MASTER | netlink.NTF_STICKY, HardwareAddr: l.Attrs().HardwareAddr,
	}))
}

// cut waits until the devices on a NIC have no carrier: the kernel tells them within a second.
func (r *rig) cut(nic string, changes <-chan struct{}) {
	r.t.Helper()
	late := time.After(patience)
	for {
		all, err := r.kernel.Devices()
		r.must(err)
		if !slices.ContainsFunc(all, func(d uplink.Device) bool { return d.Link == nic && d.Carrier }) {
			return
		}
		select {
		case <-changes:
		case <-late:
			r.t.Fatalf("the devices on %s still have a carrier", nic)
		}
	}
}

// A host may have an interface of the name that the pod's gets, as most have an eth0.
func TestNameThatTheHostHasToo(t *testing.T) {
	for _, mode := range []request.Mode{request.Macvlan, request.Bridge} {
		t.Run(string(mode), func(t *testing.T) {
			r := newRig(t)
			r.must(nettest.Handle(t, r.host).LinkAdd(&netlink.Dummy{LinkAttrs: named("net1")}))
			r.set(network(1, at("eth1", 100)))
			r.reaches(r.add("web", 1111, mode), 1)
		})
	}
}

// A network's frames are nobody else's, on the same NICs.
func TestNetworksAreApart(t *testing.T) {
	r := newRig(t)
	r.set(network(1, at("eth1", 100), at("eth2", 200)), network(2, at("eth1", 101), at("eth2", 201)))
	one, two := r.add("one", 1111, request.Macvlan), r.add("two", 2222, request.Bridge)
	r.reaches(one, 1)
	r.reaches(two, 2)
	handle := nettest.Handle(t, two)
	r.address(handle, "net1", "10.1.0.77/24") // a pod that lies
	if r.try(two, 1, time.Second) == nil {
		t.Error("a pod of network 2222 reaches 1111")
	}
}

// What nobody needs any more is taken away, once its pods are gone.
func TestDevicesGoWithTheirPods(t *testing.T) {
	r := newRig(t)
	r.set(network(1, at("eth1", 100)))
	pod := r.add("web", 1111, request.Macvlan)
	const want = `swl1111 bond  0 in "" up true
swl1111-1 vlan eth1 100 in "swl1111" up true`
	if got := r.devices(); got != want {
		t.Errorf("with a pod there are\n%s, want\n%s", got, want)
	}
	r.set()
	if got := r.devices(); got != want {
		t.Errorf("with a pod of a network that the spec has no more there are\n%s", got)
	}
	r.reaches(pod, 1)
	answer := r.service.Do(context.Background(), protocol.Request{Command: "DEL", ContainerID: "web", IfName: "net1", Config: []byte(`{"cniVersion":"1.0.0"}`)}, nil)
	if answer.Failed {
		t.Errorf("%s", answer.Body)
	}
	r.service.Upkeep()
	if got := r.devices(); got != "" {
		t.Errorf("without pods there are\n%s", got)
	}
}
