package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/containernetworking/cni/libcni"
	"github.com/vishvananda/netlink"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/attach"
	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/networks"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/host/serve"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
)

// rig is a host with NIC eth1, whose frames are untagged, and the agent's part that
// the plugin asks.
type rig struct {
	t       *testing.T
	dir     string
	runtime *libcni.CNIConfig
	kernel  *link.Kernel
	service *attach.Service
	journal *journal.Store
	wait    time.Duration
	end     func()
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), wait: 200 * time.Millisecond}
	host := nettest.Namespace(t)
	cable(t, host)
	nettest.In(t, host, func() (err error) {
		r.kernel, err = link.Open(link.Config{Proc: "/proc", Sys: "/sys"})
		return err
	})
	t.Cleanup(func() { r.kernel.Close() })
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-buildvcs=false", "-o", filepath.Join(r.dir, "switchlet"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if info, err := os.Stat(filepath.Join(r.dir, "switchlet")); err != nil || info.Size() > 3<<20 {
		t.Errorf("the plugin has %d octets, error %v; it is started for every pod", info.Size(), err)
	}
	t.Setenv(socketVariable, r.socket())
	r.runtime = libcni.NewCNIConfigWithCacheDir([]string{r.dir}, filepath.Join(r.dir, "cache"), nil)
	r.start()
	t.Cleanup(func() { r.end() })
	return r
}

func (r *rig) socket() string { return filepath.Join(r.dir, "s") }

// cable gives a namespace an eth1.
func cable(t *testing.T, host string) {
	t.Helper()
	far, err := os.Open(nettest.Namespace(t))
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "eth1"
	handle := nettest.Handle(t, host)
	if err := handle.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "port", PeerNamespace: netlink.NsFd(int(far.Fd()))}); err != nil {
		t.Fatal(err)
	}
	l, err := handle.LinkByName("eth1")
	if err == nil {
		err = handle.LinkSetUp(l)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// start starts the agent's part; r.end ends it.
func (r *rig) start() {
	r.t.Helper()
	var err error
	if r.journal, _, err = journal.Open(filepath.Join(r.dir, "state")); err != nil {
		r.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(r.t.Output(), nil))
	r.service = attach.New(attach.Config{
		Journal: r.journal, Pods: r.kernel, Host: r.kernel, Wait: r.wait, Node: "host1", Boot: "1", Changed: func() {}, Log: log,
	})
	server, err := serve.Listen(r.socket(), r.service.Do, log)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { server.Run(ctx) })
	r.end = sync.OnceFunc(func() { cancel(); all.Wait(); r.service.Close() })
}

// anew is an agent that knows nothing. What went before is no part of t.
func (r *rig) anew(t *testing.T) {
	t.Helper()
	r.end()
	if err := os.RemoveAll(filepath.Join(r.dir, "state")); err != nil {
		t.Fatal(err)
	}
	r.t = t
	r.start()
	t.Cleanup(r.end)
}

// blue is a dual-stack network for pods of namespace blue.
func blue() v1alpha1.HostNetwork {
	return v1alpha1.HostNetwork{
		VNI: 1111, Owner: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "blue", Name: "blue"}, Subnet: "web",
		Namespaces: []string{"blue"}, CIDRs: []string{"10.1.0.0/24", "fd00::/64"}, Gateways: []string{"10.1.0.1", "fd00::1"},
		Uplinks: []v1alpha1.HostUplink{{NIC: "eth1"}}, Ready: true,
		Slices: []v1alpha1.AddressRange{{First: "10.1.0.0", Last: "10.1.0.15"}, {First: "fd00::", Last: "fd00::f"}},
		Reserved: []v1alpha1.ReservedAddress{
			{Address: "10.1.0.200", Namespace: "blue", Pod: "pinned"},
			{Address: "10.1.0.5", Namespace: "blue", Claim: "db"},
		},
	}
}

func (r *rig) set(all ...v1alpha1.HostNetwork) {
	r.t.Helper()
	set, problems := networks.Compile(v1alpha1.HostConfigSpec{Revision: "r1", Networks: all})
	if len(problems) > 0 {
		r.t.Fatal(problems)
	}
	r.service.Set(set, nil)
}

// pod is one with a network namespace, as a runtime has it.
type pod struct {
	netns string
	args  *libcni.RuntimeConf
}

func (r *rig) pod(name string) *pod {
	r.t.Helper()
	// The runtime's path has to be good in other processes.
	netns := fmt.Sprintf("/proc/%d/fd/%s", os.Getpid(), filepath.Base(nettest.Namespace(r.t)))
	return &pod{netns, &libcni.RuntimeConf{
		ContainerID: "c-" + name, NetNS: netns, IfName: "net1",
		Args: [][2]string{{"IgnoreUnknown", "1"}, {"K8S_POD_NAMESPACE", "blue"}, {"K8S_POD_NAME", name}, {"K8S_POD_UID", "uid-" + name}},
	}}
}

func (p *pod) key() request.Key { return request.Key{ContainerID: p.args.ContainerID, IfName: "net1"} }

// config is a NetworkAttachmentDefinition's.
func config(t *testing.T, version, more string) *libcni.NetworkConfigList {
	t.Helper()
	list, err := libcni.ConfListFromBytes(fmt.Appendf(nil, `{"cniVersion":%q,"name":"blue-net","plugins":[{"type":"switchlet","capabilities":{"ips":true,"mac":true}%s}]}`, version, more))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// addresses of the pod's interface, without link-local ones.
func (p *pod) shows(t *testing.T) string {
	t.Helper()
	handle := nettest.Handle(t, p.netns)
	l, err := handle.LinkByName("net1")
	if err != nil {
		return err.Error()
	}
	text := l.Attrs().HardwareAddr.String()
	all, err := handle.AddrList(l, netlink.FAMILY_ALL)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if !a.IP.IsLinkLocalUnicast() {
			text += " " + a.IPNet.String()
		}
	}
	if l.Attrs().Flags&net.FlagUp == 0 {
		text += " down"
	}
	return text
}
