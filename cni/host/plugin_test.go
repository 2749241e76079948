package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/object"
	"github.com/switchlet/switchlet/cni/host/pods"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
	"github.com/switchlet/switchlet/deploy/lab/process"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// pluginRig is host1 with NIC eth1, the agent's part for the CNI plugin, the plugin,
// and a real API server.
type pluginRig struct {
	t       *testing.T
	cluster *rbactest.Cluster
	admin   client.WithWatch
	host    string
	dir     string
	end     func()
}

func newPluginRig(t *testing.T) *pluginRig {
	t.Helper()
	r := &pluginRig{t: t, cluster: rbactest.Start(t, controlplane.Config{}), host: nettest.Namespace(t), dir: t.TempDir()}
	r.admin = r.cluster.Admin(t)
	nettest.Management(t, r.host, 1) // eth0 will do for a NIC
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", filepath.Join(r.dir, "switchlet"), "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	r.start()
	t.Cleanup(func() { r.end() })
	return r
}

func (r *pluginRig) start() {
	r.t.Helper()
	config := r.cluster.Config(r.t, "admin", "system:masters")
	api, err := object.NewClient(config)
	must(r.t, err)
	opts, err := parse([]string{"--cni-socket", filepath.Join(r.dir, "s"), "--state-dir", filepath.Join(r.dir, "state"), "--cni-wait", "20s"}, "host1")
	must(r.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	log := slog.New(slog.NewTextHandler(r.t.Output(), nil))
	var running sync.WaitGroup
	running.Go(func() {
		nettest.In(r.t, r.host, func() error { return runPlugin(ctx, opts, config, api, log) })
	})
	r.end = sync.OnceFunc(func() { cancel(); running.Wait() })
	answers := process.Answers(filepath.Join(r.dir, "s"))
	rbactest.Eventually(r.t, func() error { return answers(r.t.Context()) })
}

// call runs the plugin for a pod, and returns what it says.
func (r *pluginRig) call(command, name, netns string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), filepath.Join(r.dir, "switchlet"))
	cmd.Env = []string{"SWITCHLET_CNI_SOCKET=" + filepath.Join(r.dir, "s"), "CNI_COMMAND=" + command, "CNI_CONTAINERID=" + name, "CNI_IFNAME=net1", "CNI_NETNS=" + netns,
		"CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=blue;K8S_POD_NAME=" + name}
	cmd.Stdin = strings.NewReader(`{"cniVersion":"1.0.0","name":"web","type":"switchlet","vpc":"blue"}`)
	output, _ := cmd.Output() // an error is in the output too
	return string(output)
}

func (r *pluginRig) netns() string {
	return fmt.Sprintf("/proc/%d/fd/%s", os.Getpid(), filepath.Base(nettest.Namespace(r.t)))
}

// shows waits until the HostConfig's status is this: revision, pods, Ready and its
// reason.
func (r *pluginRig) shows(want string) {
	r.t.Helper()
	rbactest.Eventually(r.t, func() error {
		var c v1alpha1.HostConfig
		if err := r.admin.Get(r.t.Context(), client.ObjectKey{Name: "host1"}, &c); err != nil {
			return err
		}
		got := c.Status.AppliedRevision
		for _, n := range c.Status.Networks {
			got += fmt.Sprintf(" %d:%d/%d", n.VNI, n.Pods, n.Free)
		}
		for _, kind := range []string{v1alpha1.HostConfigApplied, v1alpha1.ConditionReady} {
			if condition := meta.FindStatusCondition(c.Status.Conditions, kind); condition != nil {
				got += fmt.Sprintf(" %s=%s %s", kind, condition.Status, condition.Reason)
			}
		}
		if got != want {
			return fmt.Errorf("the status is %q, want %q; problems %v", got, want, c.Status.Problems)
		}
		return nil
	})
}

func hostConfig(revision string, ready bool) *v1alpha1.HostConfig {
	return &v1alpha1.HostConfig{
		ObjectMeta: metav1.ObjectMeta{Name: "host1"},
		Spec: v1alpha1.HostConfigSpec{Revision: revision, Networks: []v1alpha1.HostNetwork{{
			VNI: 1111, Owner: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "blue", Name: "blue"}, Subnet: "web", Namespaces: []string{"blue"},
			CIDRs: []string{"10.1.0.0/24"}, Gateways: []string{"10.1.0.1"}, Uplinks: []v1alpha1.HostUplink{{NIC: "eth0"}}, Ready: ready, Message: "leaf1 has not confirmed it",
			Slices: []v1alpha1.AddressRange{{First: "10.1.0.2", Last: "10.1.0.9"}},
		}}},
	}
}

// The whole way: a HostConfig comes, a pod waits until it is ready, the status tells
// of it, and all that goes on without the API server.
func TestPlugin(t *testing.T) {
	r := newPluginRig(t)
	must(t, r.admin.Create(t.Context(), hostConfig("r1", false)))
	r.shows("r1 1111:0/8 Applied=True Applied Ready=True Applied")
	first, second := r.netns(), r.netns()
	answer := make(chan string)
	go func() { answer <- r.call("ADD", "web-0", first) }()
	var c v1alpha1.HostConfig
	must(t, r.admin.Get(t.Context(), client.ObjectKey{Name: "host1"}, &c))
	c.Spec = hostConfig("r2", true).Spec
	must(t, r.admin.Update(t.Context(), &c))
	if got := <-answer; !strings.Contains(got, `"10.1.0.2/24"`) {
		t.Errorf("ADD: %s", got)
	}
	r.shows("r2 1111:1/7 Applied=True Applied Ready=True Applied")

	must(t, r.cluster.KillAPIServer())
	r.end()
	r.start()
	if got := r.call("ADD", "web-1", second); !strings.Contains(got, `"10.1.0.3/24"`) {
		t.Errorf("ADD without the API server, after a restart: %s", got)
	}
	if got := r.call("DEL", "web-0", first); got != "" {
		t.Errorf("DEL: %s", got)
	}
	must(t, r.cluster.StartAPIServer(t.Context()))
	r.shows("r2 1111:1/7 Applied=True Applied Ready=True Applied")

	handle := nettest.Handle(t, r.host)
	eth0, err := handle.LinkByName("eth0")
	must(t, err)
	must(t, handle.LinkSetDown(eth0))
	must(t, handle.LinkSetName(eth0, "renamed"))
	r.shows("r2 1111:1/7 Applied=False Problems Ready=False Problems")
	must(t, handle.LinkSetName(eth0, "eth0"))
	r.shows("r2 1111:1/7 Applied=True Applied Ready=True Applied")
	t.Run("pods of the node", r.podsOfTheNode)
}

// podsOfTheNode: they are known by their names and by their uids.
func (r *pluginRig) podsOfTheNode(t *testing.T) {
	api, err := pods.NewClient(r.cluster.Config(t, "admin", "system:masters"))
	must(t, err)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: rbactest.Namespace, Name: "web"}, Spec: corev1.PodSpec{
		NodeName: "host1", ServiceAccountName: "switchlet-host-agent", Containers: []corev1.Container{{Name: "c", Image: "i"}}}}
	elsewhere := pod.DeepCopy()
	elsewhere.Name, elsewhere.Spec.NodeName = "elsewhere", "host2"
	must(t, r.admin.Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "host1"}}))
	must(t, r.admin.Create(t.Context(), pod))
	must(t, r.admin.Create(t.Context(), elsewhere))
	known, err := pods.New(api, "host1").List(t.Context())
	must(t, err)
	for p, want := range map[request.Pod]bool{
		{Namespace: rbactest.Namespace, Name: "web", UID: "of a static pod"}:           true,
		{Namespace: "renamed", Name: "web", UID: string(pod.UID)}:                      true,
		{Namespace: rbactest.Namespace, Name: "elsewhere", UID: string(elsewhere.UID)}: false,
	} {
		if known(p) != want {
			t.Errorf("pod %v is known: %t", p, !want)
		}
	}
}
