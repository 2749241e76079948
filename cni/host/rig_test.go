package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/lldpcli"
	"github.com/switchlet/switchlet/deploy/lab/lldpd"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
	"github.com/switchlet/switchlet/deploy/lab/patch"
	"github.com/switchlet/switchlet/deploy/lab/process"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// patience is how long tests wait for what takes seconds.
const patience = 60 * time.Second

// interval is how often the switches send.
const interval = 2 * time.Second

// rig is host1, on which the program runs with the rights of its pod, and two
// switches with the real lldpd, each in a network namespace. host1 has the NICs
// eth1 and eth2, cabled to Ethernet0 of leaf1 and leaf2.
type rig struct {
	cluster    *rbactest.Cluster
	admin      client.WithWatch
	panel      *patch.Panel
	leaves     map[string]*leaf
	host       string // namespace
	program    string
	token      string // of the agent's pod
	kubeconfig string
	state      string
	agent      *process.Process
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{cluster: rbactest.Start(t, controlplane.Config{}), leaves: map[string]*leaf{}, state: t.TempDir(), host: nettest.Namespace(t)}
	r.admin = r.cluster.Admin(t)
	r.token = r.podToken(t)
	r.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	must(t, r.cluster.WriteTokenKubeconfig(r.kubeconfig, r.token))
	relay(t, r.host, r.cluster.URL())
	places := []patch.Place{{Name: "host1", Namespace: r.host, Host: true}}
	for i, name := range []string{"leaf1", "leaf2"} {
		r.leaves[name] = newLeaf(t, name, byte(i+1))
		places = append(places, patch.Place{Name: name, Namespace: r.leaves[name].namespace})
	}
	var err error
	if r.panel, err = patch.Open(nettest.Namespace(t), places); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.panel.Close)
	for nic, name := range map[string]string{"eth1": "leaf1", "eth2": "leaf2"} {
		must(t, r.panel.Wire(cabling.New(cabling.End{Node: "host1", Port: nic}, cabling.End{Node: name, Port: "Ethernet0"})))
	}
	r.program = filepath.Join(t.TempDir(), "host-agent")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-buildvcs=false", "-o", r.program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	r.start(t, "+net_raw")
	return r
}

// podToken is what a pod of the DaemonSet has, and is bound to it.
func (r *rig) podToken(t *testing.T) string {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: rbactest.Namespace, Name: "switchlet-host-agent"}}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: rbactest.Namespace, Name: "host-agent-on-host1"},
		Spec: corev1.PodSpec{
			ServiceAccountName: account.Name, NodeName: "host1",
			Containers: []corev1.Container{{Name: "host-agent", Image: "switchlet.io/host-agent:dev"}},
		},
	}
	must(t, r.admin.Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "host1"}}))
	must(t, r.admin.Create(t.Context(), pod))
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		BoundObjectRef: &authenticationv1.BoundObjectReference{Kind: "Pod", APIVersion: "v1", Name: pod.Name, UID: pod.UID},
	}}
	must(t, r.admin.SubResource("token").Create(t.Context(), account, request))
	return request.Status.Token
}

// start starts the program as root with these capabilities and no others, as the
// DaemonSet does. It ends with the test.
func (r *rig) start(t *testing.T, capabilities string) {
	t.Helper()
	setpriv := labtest.Program(t, "setpriv", "util-linux")
	log := filepath.Join(t.TempDir(), "log")
	nettest.In(t, r.host, func() (err error) {
		r.agent, err = process.Start(process.Program{
			Name: "host-agent", Path: setpriv, Log: log,
			Args: []string{"--no-new-privs", "--inh-caps=-all", "--bounding-set=" + strings.Trim("-all,"+capabilities, ","), r.program,
				"--node", "host1", "--kubeconfig", r.kubeconfig, "--state-dir", r.state, "--nics", "eth*", "--log-level", "debug"},
		})
		return err
	})
	agent := r.agent
	t.Cleanup(func() {
		if err := agent.Kill(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of the agent:\n%s", process.Tail(log, 20))
		}
	})
}

// relay lets those in a namespace reach the API server, at the address that it
// has here.
func relay(t *testing.T, namespace, server string) {
	t.Helper()
	address, err := url.Parse(server)
	must(t, err)
	var listener net.Listener
	nettest.In(t, namespace, func() (err error) {
		listener, err = net.Listen("tcp", address.Host)
		return err
	})
	var all sync.WaitGroup
	t.Cleanup(func() { listener.Close(); all.Wait() })
	all.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { join(t.Context(), near, address.Host) })
		}
	})
}

// join passes on what is said until one side has ended or ctx is done.
func join(ctx context.Context, near net.Conn, address string) {
	defer near.Close()
	far, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer far.Close()
	ended := make(chan struct{}, 2)
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // that it breaks off is one way to end
		ended <- struct{}{}
	}
	go pass(far, near)
	go pass(near, far)
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

// leaf is a switch as far as LLDP needs one.
type leaf struct {
	namespace string
	client    lldpcli.Client
	links     chan struct{} // tells that one may have come
}

func newLeaf(t *testing.T, name string, number byte) *leaf {
	t.Helper()
	labtest.Program(t, "lldpd", "lldpd")
	dir, err := os.MkdirTemp("", "lldpd") // lldpcli has the rights of lldpd's own user
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	l := &leaf{namespace: nettest.Namespace(t), client: lldpcli.Client{Socket: filepath.Join(dir, "s")}, links: make(chan struct{}, 1)}
	nettest.Management(t, l.namespace, number)
	rows := lldpd.Rows{
		"DEVICE_METADATA|localhost": {"hostname": name},
		"PORT|Ethernet0":            {"alias": "etp1"}, "PORT|Ethernet4": {"alias": "etp2"},
	}
	daemon := lldpd.New(lldpd.Config{
		ConfigDB:    func(context.Context) (lldpd.Rows, error) { return rows, nil },
		Rows:        func(context.Context, ...string) (lldpd.Rows, error) { return rows, nil },
		Description: "SONiC Software Version: SONiC.test", Interval: interval,
		File: filepath.Join(dir, "conf"), Output: filepath.Join(dir, "log"), Socket: l.client.Socket, Log: slog.New(slog.DiscardHandler),
	})
	var running *process.Process
	nettest.In(t, l.namespace, func() (err error) {
		running, err = daemon.Start(t.Context())
		return err
	})
	t.Cleanup(func() {
		if err := running.Stop(10 * time.Second); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	var manager sync.WaitGroup
	manager.Go(func() { daemon.Manage(ctx, l.links) })
	t.Cleanup(func() { cancel(); manager.Wait() })
	return l
}

// hears are the neighbours of a switch: "Ethernet0: local host1 ifname eth1 eth1".
func (l *leaf) hears(ctx context.Context) (string, error) {
	neighbors, err := l.client.Neighbors(ctx)
	var lines []string
	for _, n := range neighbors {
		lines = append(lines, fmt.Sprintf("%s: %s %s %s %s %s", n.Name, n.Chassis.ID.Type, n.Chassis.ID.Value, n.Port.ID.Type, n.Port.ID.Value, n.Port.Description))
	}
	return strings.Join(lines, "\n"), err
}

// residentKiB is the program's memory, at most so far.
func (r *rig) residentKiB(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.agent.Pid()))
	must(t, err)
	for line := range strings.Lines(string(text)) {
		var n int
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &n); err == nil {
			return n
		}
	}
	t.Fatalf("no VmHWM in\n%s", text)
	return 0
}

// end ends the program as a kubelet does, or as a crash.
func (r *rig) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	must(t, syscall.Kill(r.agent.Pid(), signal))
	select {
	case <-r.agent.Done():
	case <-time.After(patience):
		t.Fatalf("the agent does not end on %v", signal)
	}
	if err := r.agent.Err(); err != nil && signal == syscall.SIGTERM {
		t.Errorf("the agent ended with %v", err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
