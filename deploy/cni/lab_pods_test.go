package cni_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/deploy/cni/meta"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// Pods on a node as users have it: kubelet, containerd, a meta-plugin in its
// configuration, the host agent's DaemonSet, the controller, and switches.
func TestPodsOfALab(t *testing.T) {
	l := newLab(t, "--leaves", "1", "--spines", "1", "--hosts", "1")
	l.install(t, "cni/definition", "cni")
	l.apply(t, filepath.Join(l.root, "deploy", "lab", "manifests", "fabric.yaml"))
	l.apply(t, filepath.Join("testdata", "networks.yaml"))
	l.chain(t)
	t.Run("annotation", l.annotated)
	t.Run("mistake", l.mistaken)
	t.Run("journal", l.journalLost)
	t.Run("end", l.ended)
	t.Run("primary", l.primary)
	if t.Failed() {
		t.Log(l.tryKubectl("get", "pods,vpcs,vpcattachments,links,hostconfigs", "-A", "-o", "wide"))
		t.Log(l.tryKubectl("get", "hostconfig", "host1", "-o", "yaml"))
		t.Log(l.tryKubectl("logs", "-n", rbactest.Namespace, "-l", "app.kubernetes.io/name=switchlet-host-agent", "--tail=40"))
	}
}

func (l *lab) apply(t *testing.T, file string) {
	t.Helper()
	file, err := filepath.Abs(file)
	must(t, err)
	rbactest.Eventually(t, func() error { // namespaces and kinds come one after the other
		output, err := l.tryKubectl("apply", "--server-side", "-f", file)
		if err != nil {
			return fmt.Errorf("%w: %s", err, output)
		}
		return nil
	})
}

// chain puts the meta-plugin into containerd's configuration on host1, before that of
// the lab, which has no network for pods.
func (l *lab) chain(t *testing.T) {
	t.Helper()
	// As on every system since the Filesystem Hierarchy Standard 3.0: containerd has
	// network namespaces in /var/run/netns, and the agent looks into /run/netns.
	must(t, os.RemoveAll(l.host("/var/run")))
	must(t, os.Symlink("/run", l.host("/var/run")))
	program, err := os.ReadFile(filepath.Join(l.programs, "metaplugin"))
	must(t, err)
	for _, name := range []string{"metaplugin", "loopback"} {
		must(t, os.WriteFile(l.host("/opt/cni/bin/.new"), program, 0o755))
		must(t, os.Rename(l.host("/opt/cni/bin/.new"), l.host("/opt/cni/bin/"+name)))
	}
	must(t, os.WriteFile(l.host("/etc/kubernetes/admin.kubeconfig"), []byte(l.kubectl(t, "config", "view", "--raw", "--minify")), 0o600))
	text, err := os.ReadFile(filepath.Join("testdata", "meta.conflist"))
	must(t, err)
	must(t, os.WriteFile(l.host("/etc/cni/net.d/05-meta.conflist"), text, 0o644))
}

// pod starts one on host1.
func (l *lab) pod(t *testing.T, namespace, name, annotations string) {
	t.Helper()
	l.podOn(t, "host1", namespace, name, annotations)
}

func (l *lab) podOn(t *testing.T, host, namespace, name, annotations string) {
	t.Helper()
	text := fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":%q,"namespace":%q,"annotations":%s},"spec":{"nodeName":%q,"terminationGracePeriodSeconds":1,
		"automountServiceAccountToken":false,"dnsPolicy":"Default","containers":[{"name":"c","image":"switchlet.io/pause:dev","imagePullPolicy":"Never"}]}}`, name, namespace, annotations, host)
	file := filepath.Join(t.TempDir(), "pod.json")
	must(t, os.WriteFile(file, []byte(text), 0o600))
	l.apply(t, file)
}

func (l *lab) runs(t *testing.T, namespace, name string) {
	t.Helper()
	l.kubectl(t, "wait", "--for=condition=Ready", "--timeout=120s", "-n", namespace, "pod/"+name)
}

const inBoth = `{"k8s.v1.cni.cncf.io/networks":"web","v1.multus-cni.io/default-network":"db"}`

// annotated: a pod has the networks of its annotation, says so in its status, and
// another one on the node is reached by each.
func (l *lab) annotated(t *testing.T) {
	for _, name := range []string{"first", "second"} {
		l.pod(t, "tenant-a", name, inBoth)
		l.runs(t, "tenant-a", name)
	}
	first := l.status(t, "first")
	ip := l.kubectl(t, "get", "pod", "-n", "tenant-a", "first", "-o", "jsonpath={.status.podIP}")
	if len(first) != 2 || first[0].Interface != "eth0" || first[1].Interface != "net1" || first[1].Name != "tenant-a/web" || len(first[1].IPs) != 2 || first[0].IPs[0] != ip {
		t.Fatalf("the pod's address is %s, its networks %+v", ip, first)
	}
	if got, want := l.inside(ip, "ip route"), "default via 10.1.1.1 dev eth0"; !strings.Contains(got, want) || strings.Count(got, "10.1.2.0/24 via ") != 1 {
		t.Errorf("routes:\n%s", got)
	}
	for _, s := range l.status(t, "second") {
		for _, to := range s.IPs {
			// A port that nobody listens at: whoever is there says so.
			if got := l.inside(ip, fmt.Sprintf("bash -c \"echo >/dev/tcp/%s/9\" 2>&1", to)); !strings.Contains(got, "refused") {
				t.Errorf("to %s of network %s: %s", to, s.Name, got)
			}
		}
	}
	l.counts(t, "2 2")
}

// inside runs a command in the network of the pod with an address on eth0.
func (l *lab) inside(ip, command string) string {
	return l.pods(`ip -o addr show dev eth0 | grep -qF " ` + ip + `/" && { ` + command + `; }`)
}

// status is what a pod's annotation network-status says.
func (l *lab) status(t *testing.T, pod string) []meta.Status {
	t.Helper()
	text := l.kubectl(t, "get", "pod", "-n", "tenant-a", pod, "-o", `jsonpath={.metadata.annotations.k8s\.v1\.cni\.cncf\.io/network-status}`)
	var all []meta.Status
	must(t, json.Unmarshal([]byte(text), &all))
	return all
}

// counts waits until the HostConfig says how many pods each network has.
func (l *lab) counts(t *testing.T, want string) {
	t.Helper()
	rbactest.Eventually(t, func() error {
		got, err := l.tryKubectl("get", "hostconfig", "host1", "-o", `jsonpath={range .status.networks[?(@.pods)]}{.pods} {end}`)
		if strings.TrimSpace(got) != want {
			return errors.Join(err, fmt.Errorf("pods by network: %q, want %q", got, want))
		}
		return nil
	})
}

// mistaken: what a user reads who has written a name wrong.
func (l *lab) mistaken(t *testing.T) {
	l.pod(t, "tenant-a", "mistaken", `{"k8s.v1.cni.cncf.io/networks":"mistaken","v1.multus-cni.io/default-network":"db"}`)
	want := regexp.MustCompile(`Failed to create pod sandbox: .*this node has no network for subnet web of VPC tenant-a/bleu yet; .*kubectl get vpc -A.*configuration "mistaken"`)
	rbactest.Eventually(t, func() error {
		got, err := l.tryKubectl("get", "events", "-n", "tenant-a", "--field-selector", "involvedObject.name=mistaken", "-o", "jsonpath={.items[*].message}")
		if !want.MatchString(got) {
			return errors.Join(err, fmt.Errorf("events: %s", got))
		}
		return nil
	})
	l.kubectl(t, "delete", "pod", "-n", "tenant-a", "mistaken", "--timeout=60s")
	l.counts(t, "2 2")
}

// journalLost: the agent's files are lost on the node, and it starts again.
func (l *lab) journalLost(t *testing.T) {
	before := append(l.status(t, "first"), l.status(t, "second")...)
	agent := []string{"-n", rbactest.Namespace, "-l", "app.kubernetes.io/name=switchlet-host-agent", "--field-selector", "spec.nodeName=host1"}
	must(t, os.Remove(l.host("/var/lib/switchlet/attachments")))
	must(t, os.Remove(l.host("/var/lib/switchlet/hostconfig")))
	l.kubectl(t, append([]string{"delete", "pod", "--timeout=60s"}, agent...)...)
	l.kubectl(t, "rollout", "status", "-n", rbactest.Namespace, "daemonset/switchlet-host-agent", "--timeout=120s")
	l.counts(t, "2 2")
	l.pod(t, "tenant-a", "third", inBoth)
	l.runs(t, "tenant-a", "third")
	for _, s := range l.status(t, "third") {
		for _, other := range before {
			if s.IPs[0] == other.IPs[0] || s.MAC == other.MAC {
				t.Errorf("%+v has what another pod has: %+v", s, other)
			}
		}
	}
	l.counts(t, "3 3")
}

// ended: pods go, one of them while the agent is away, and nothing is left.
func (l *lab) ended(t *testing.T) {
	l.kubectl(t, "delete", "pod", "-n", "tenant-a", "first", "second", "third", "--timeout=60s")
	l.counts(t, "")
	if got := l.pods("ip -o link show type macvlan"); got != "" {
		t.Errorf("interfaces that are left:\n%s", got)
	}
}

// primary: without the meta-plugin, and with nothing in the folder but what the agent
// puts there, pods that ask for nothing are in a subnet.
func (l *lab) primary(t *testing.T) {
	l.kubectl(t, "delete", "vpcattachment", "-n", "tenant-a", "db", "--timeout=60s")
	for _, file := range []string{"05-meta.conflist", "10-hostnetwork-only.conflist"} {
		must(t, os.Remove(l.host("/etc/cni/net.d/"+file)))
	}
	l.apply(t, filepath.Join("testdata", "primary.yaml"))
	l.install(t, "cni/definition", "cni", "cni/primary")
	rbactest.Eventually(t, func() error {
		_, err := os.Stat(l.host("/etc/cni/net.d/10-switchlet.conflist"))
		return err
	})
	l.pod(t, "default", "plain", "{}")
	l.runs(t, "default", "plain")
	ip := l.kubectl(t, "get", "pod", "plain", "-o", "jsonpath={.status.podIP}")
	if got := l.inside(ip, "ip route"); !strings.HasPrefix(ip, "10.9.0.") || !strings.Contains(got, "default via 10.9.0.1 dev eth0") {
		t.Errorf("the pod has %s and the routes\n%s", ip, got)
	}
	l.kubectl(t, "delete", "pod", "plain", "--timeout=60s")
}
