package cni_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
)

// node is a host's network and folders, on which containers of the rendered
// DaemonSet run as a container runtime runs them: with runc, with their
// capabilities, their mounts, and what containerd hides from every container.
type node struct {
	t       *testing.T
	dir     string
	files   string // of the image
	network string
	spec    corev1.PodSpec
}

// image is a folder with the files of the host agent's image.
func image(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs containers")
	}
	if os.Geteuid() != 0 {
		labtest.Missing(t, "containers need root")
	}
	labtest.Program(t, "runc", "runc")
	dir := t.TempDir()
	for program, source := range map[string]string{"host-agent": "../../cni/host", "switchlet": "../../cni"} {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", filepath.Join(dir, program), source)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
	}
	return dir
}

func newNode(t *testing.T, files string, spec corev1.PodSpec) *node {
	t.Helper()
	n := &node{t: t, dir: t.TempDir(), files: files, network: namedNamespace(t, "host"), spec: spec}
	n.token()
	nettest.Management(t, n.network, 1) // eth0 will do for a NIC
	return n
}

// namedNamespace is a network namespace as a container runtime makes it: a file
// below /run/netns. It is gone when the test ends, or before.
func namedNamespace(t *testing.T, name string) string {
	t.Helper()
	ip := labtest.Program(t, "ip", "iproute2")
	name = fmt.Sprintf("switchlet-test-%d-%s", os.Getpid(), name)
	if output, err := exec.Command(ip, "netns", "add", name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	t.Cleanup(func() { _ = exec.Command(ip, "netns", "delete", name).Run() }) // the test may have done that
	return filepath.Join("/var/run/netns", name)
}

// token is what a kubelet puts into every pod, of an API server that is away.
func (n *node) token() {
	n.t.Helper()
	dir := filepath.Join(n.dir, "account")
	must(n.t, os.Mkdir(dir, 0o755))
	must(n.t, os.WriteFile(filepath.Join(dir, "token"), []byte("a token"), 0o600))
}

// path is where a folder of the host is. The kernel's and those of network
// namespaces are the machine's.
func (n *node) path(host string) string {
	if strings.HasPrefix(host, "/proc") || host == "/run/netns" {
		return host
	}
	path := filepath.Join(n.dir, "host", host)
	must(n.t, os.MkdirAll(path, 0o755))
	return path
}

// command is a container, which ends with the test if not before. Its environment is
// the kubelet's, without what it says of the pod.
func (n *node) command(c corev1.Container) *exec.Cmd {
	n.t.Helper()
	bundle := n.t.TempDir()
	text, err := json.Marshal(n.config(c))
	must(n.t, err)
	must(n.t, os.WriteFile(filepath.Join(bundle, "config.json"), text, 0o600))
	id := fmt.Sprintf("%s-%d", filepath.Base(n.network), os.Getpid())
	state := filepath.Join(bundle, "state")
	n.t.Cleanup(func() { _ = exec.Command("runc", "--root", state, "delete", "--force", id).Run() })
	return exec.CommandContext(n.t.Context(), "runc", "--root", state, "run", "--bundle", bundle, id)
}

// object is one of JSON.
type object = map[string]any

// config is the container as the runtime specification of the OCI has it.
func (n *node) config(c corev1.Container) object {
	capabilities := []string{}
	for _, a := range c.SecurityContext.Capabilities.Add {
		capabilities = append(capabilities, "CAP_"+string(a))
	}
	return object{
		"ociVersion": "1.0.2",
		"root":       object{"path": n.root(), "readonly": *c.SecurityContext.ReadOnlyRootFilesystem},
		"process": object{
			"args": append([]string{"/host-agent"}, c.Args...), "cwd": "/",
			"env":             []string{"NODE_NAME=host1", "KUBERNETES_SERVICE_HOST=127.0.0.1", "KUBERNETES_SERVICE_PORT=1"},
			"user":            object{"uid": *c.SecurityContext.RunAsUser, "gid": 0},
			"noNewPrivileges": !*c.SecurityContext.AllowPrivilegeEscalation,
			"capabilities":    object{"bounding": capabilities, "effective": capabilities, "permitted": capabilities},
		},
		"mounts": n.mounts(c),
		"linux": object{
			"namespaces": []object{
				{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "network", "path": n.network},
			},
			// containerd, oci.WithDefaultPathMasks and its neighbours
			"maskedPaths":       []string{"/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi"},
			"readonlyPaths":     []string{"/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
			"rootfsPropagation": "rslave",
		},
	}
}

// root is a copy of the image's files: a runtime makes mount points in it.
func (n *node) root() string {
	dir := n.t.TempDir()
	must(n.t, os.CopyFS(dir, os.DirFS(n.files)))
	return dir
}

func (n *node) mounts(c corev1.Container) []object {
	mounts := []object{
		{"destination": "/proc", "type": "proc", "source": "proc"},
		{"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": []string{"nosuid", "noexec", "nodev", "ro"}},
		{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": []string{"mode=755"}},
		bind(filepath.Join(n.dir, "account"), "/var/run/secrets/kubernetes.io/serviceaccount", "ro", "rprivate"),
	}
	sources := map[string]string{}
	for _, v := range n.spec.Volumes {
		sources[v.Name] = n.path(v.HostPath.Path)
	}
	volumes := slices.Clone(c.VolumeMounts)
	slices.SortStableFunc(volumes, func(a, b corev1.VolumeMount) int { // as containerd does
		return strings.Count(a.MountPath, "/") - strings.Count(b.MountPath, "/")
	})
	for _, m := range volumes {
		access, propagation := "rw", "rprivate"
		if m.ReadOnly {
			access = "ro"
		}
		if p := m.MountPropagation; p != nil && *p == corev1.MountPropagationHostToContainer {
			propagation = "rslave"
		}
		mounts = append(mounts, bind(sources[m.Name], m.MountPath, access, propagation))
	}
	return mounts
}

func bind(source, destination string, options ...string) object {
	return object{"destination": destination, "type": "bind", "source": source, "options": append([]string{"rbind"}, options...)}
}

// without is a container with all of its capabilities but one.
func without(c corev1.Container, capability corev1.Capability) corev1.Container {
	c = *c.DeepCopy()
	has := c.SecurityContext.Capabilities
	has.Add = slices.DeleteFunc(has.Add, func(a corev1.Capability) bool { return a == capability })
	return c
}
