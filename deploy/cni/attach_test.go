package cni_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/hostconfig"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
	"github.com/switchlet/switchlet/deploy/lab/process"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// start runs the agent's container on a node that knows a network already. The API
// server is away, which is no matter. stop ends it; so does the end of the test.
func (n *node) start(c corev1.Container) (stop func()) {
	n.t.Helper()
	must(n.t, hostconfig.NewDisk(n.path("/var/lib/switchlet")).Save(&v1alpha1.HostConfigSpec{
		Revision: "r1", Networks: []v1alpha1.HostNetwork{{
			VNI: 1111, Owner: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "blue", Name: "blue"}, Subnet: "web", Namespaces: []string{"blue"},
			CIDRs: []string{"10.1.0.0/24", "2001:db8::/64"}, Uplinks: []v1alpha1.HostUplink{{NIC: "eth0"}}, Ready: true,
			Slices: []v1alpha1.AddressRange{{First: "10.1.0.2", Last: "10.1.0.9"}, {First: "2001:db8::2", Last: "2001:db8::9"}},
		}},
	}))
	log, err := os.OpenFile(n.log(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	must(n.t, err)
	defer log.Close()
	must(n.t, os.RemoveAll(n.socket())) // of the run before
	agent := n.command(c)
	agent.Stdout, agent.Stderr = log, log
	must(n.t, agent.Start())
	stop = sync.OnceFunc(func() {
		_ = agent.Process.Signal(os.Interrupt) // runc passes it on
		_ = agent.Wait()
	})
	n.t.Cleanup(func() {
		stop()
		if text, err := os.ReadFile(n.log()); n.t.Failed() {
			n.t.Logf("the agent's log, %v:\n%s", err, text)
		}
	})
	answers := process.Answers(n.socket())
	rbactest.Eventually(n.t, func() error { return answers(n.t.Context()) })
	return stop
}

func (n *node) log() string { return filepath.Join(n.dir, "log") }

func (n *node) socket() string { return filepath.Join(n.path("/run/switchlet"), "cni.sock") }

func (n *node) plugin() string { return filepath.Join(n.path("/opt/cni/bin"), "switchlet") }

// install runs the init container.
func (n *node) install() {
	n.t.Helper()
	if said, err := n.command(n.spec.InitContainers[0]).CombinedOutput(); err != nil {
		n.t.Fatalf("the init container: %v: %s", err, said)
	}
}

// call runs the plugin for a pod as a container runtime does, and returns what it says.
func (n *node) call(command, pod, netns, mode string) string {
	n.t.Helper()
	cmd := exec.CommandContext(n.t.Context(), n.plugin())
	cmd.Env = []string{"SWITCHLET_CNI_SOCKET=" + n.socket(), "CNI_COMMAND=" + command, "CNI_CONTAINERID=" + pod, "CNI_IFNAME=net1", "CNI_NETNS=" + netns,
		"CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=blue;K8S_POD_NAME=" + pod}
	cmd.Stdin = strings.NewReader(`{"cniVersion":"1.0.0","name":"web","type":"switchlet","vpc":"blue","mode":"` + mode + `"}`)
	said, _ := cmd.Output() // an error is in the output too
	return string(said)
}

// The containers as they are deployed.
func TestContainers(t *testing.T) {
	files, spec := image(t), daemonSet(t, withPods(t)[hostAgent])
	node := func(t *testing.T) *node {
		n := newNode(t, files, spec)
		n.install()
		return n
	}
	for _, mode := range []string{"macvlan", "bridge"} {
		t.Run("attach a pod, "+mode, func(t *testing.T) { node(t).attaches(mode) })
	}
	t.Run("see that a pod is gone", func(t *testing.T) { node(t).seesThatPodsAreGone() })
	for _, capability := range []corev1.Capability{"NET_ADMIN", "SYS_ADMIN"} {
		t.Run("need "+string(capability), func(t *testing.T) {
			node(t).refuses(without(spec.Containers[0], capability), "operation not permitted")
		})
	}
	t.Run("need the host's /proc/sys/net", func(t *testing.T) {
		c := spec.Containers[0].DeepCopy()
		c.Args = []string{"--cni-socket=/run/switchlet/cni.sock"}
		node(t).refuses(*c, "read-only file system")
	})
	t.Run("leave an equal plugin alone", func(t *testing.T) {
		n := node(t)
		first, err := os.Stat(n.plugin())
		must(t, err)
		n.install()
		second, err := os.Stat(n.plugin())
		must(t, err)
		if !os.SameFile(first, second) {
			t.Error("an equal plugin was replaced")
		}
	})
}

// attaches has a pod attached and detached that starts after the agent.
func (n *node) attaches(mode string) {
	n.start(n.spec.Containers[0])
	pod := namedNamespace(n.t, mode)
	if said := n.call("ADD", "web-0", pod, mode); !strings.Contains(said, `"10.1.0.2/24"`) || !strings.Contains(said, `"2001:db8::2/64"`) {
		n.t.Fatalf("ADD: %s", said)
	}
	handle := nettest.Handle(n.t, pod)
	if _, err := handle.LinkByName("net1"); err != nil {
		n.t.Error(err)
	}
	// The kernel believes router advertisements unless it is told otherwise.
	if got := variable(n.t, pod, "net/ipv6/conf/net1/accept_ra"); got != "0" {
		n.t.Errorf("accept_ra of the pod's interface is %s", got)
	}
	if said := n.call("DEL", "web-0", pod, mode); said != "" {
		n.t.Errorf("DEL: %s", said)
	}
	rbactest.Eventually(n.t, func() error {
		if _, err := handle.LinkByName("net1"); err == nil {
			return errors.New("the pod has its interface still")
		}
		return nil
	})
}

// seesThatPodsAreGone has a pod end without a DEL. That is certain only if the agent
// sees namespaces that are younger than itself.
func (n *node) seesThatPodsAreGone() {
	stop := n.start(n.spec.Containers[0])
	pod := namedNamespace(n.t, "pod")
	if said := n.call("ADD", "web-0", pod, "macvlan"); !strings.Contains(said, `"10.1.0.2/24"`) {
		n.t.Fatalf("ADD: %s", said)
	}
	must(n.t, exec.Command("ip", "netns", "delete", filepath.Base(pod)).Run())
	stop()
	n.start(n.spec.Containers[0]) // it looks at once
	rbactest.Eventually(n.t, func() error {
		text, err := os.ReadFile(n.log())
		if err == nil && !strings.Contains(string(text), "released what a pod had that is gone") {
			err = errors.New("its addresses are not released")
		}
		return err
	})
}

// refuses has the runtime told why a pod cannot be attached by a container that lacks
// something.
func (n *node) refuses(c corev1.Container, why string) {
	n.start(c)
	if said := n.call("ADD", "web-0", namedNamespace(n.t, "pod"), "macvlan"); !strings.Contains(said, `"code":`) || !strings.Contains(said, why) {
		n.t.Errorf("ADD: %s, want an error with %q", said, why)
	}
}

// variable is one of the kernel's in a network namespace.
func variable(t *testing.T, netns, name string) (value string) {
	t.Helper()
	nettest.In(t, netns, func() error {
		text, err := os.ReadFile(filepath.Join("/proc/sys", name))
		value = strings.TrimSpace(string(text))
		return err
	})
	return value
}
