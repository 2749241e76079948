package join_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/switchlet/switchlet/controller/approve"
	"github.com/switchlet/switchlet/controller/approve/group"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/process"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
	"github.com/switchlet/switchlet/images/archive"
)

// real has a real kubelet and a real containerd do what the script tells them, in
// folders of the test's own.
type real struct {
	*rbactest.Cluster
	t      *testing.T
	sonic  *sonic
	dir    string
	folder *strings.Replacer
	calls  string
}

func TestARealKubeletJoins(t *testing.T) {
	if testing.Short() {
		t.Skip("needs an API server, which -short leaves out")
	}
	kubelet := filepath.Join(labtest.Kubernetes(t), "kubelet")
	containerd, runc := labtest.Program(t, "containerd", "containerd"), labtest.Program(t, "runc", "runc")
	if there, err := filepath.Glob("/sys/fs/cgroup/*/switchlet.slice"); err != nil || len(there) > 0 {
		labtest.Missing(t, "this machine has joined as a switch itself: %v", there)
	}
	r := &real{t: t, sonic: newSwitch(t), Cluster: rbactest.Start(t, controlplane.Config{ControllerManager: true})}
	r.approve()
	r.join()
	r.folder = strings.NewReplacer("/host/switchlet/bin/runc", runc, "/host/switchlet", filepath.Join(r.dir, "store"),
		"/run/switchlet", filepath.Join(r.dir, "run"), "/etc/sonic/switchlet", filepath.Join(r.dir, "home"))
	r.copy("containerd.toml", "kubelet.yaml", "bootstrap.kubeconfig", "cni/10-hostnetwork-only.conflist", "cni/hostnetwork-only", "cni/loopback")
	r.start("containerd", containerd, "--config "+filepath.Join(r.dir, "home/containerd.toml"))
	r.importPause()
	r.start("kubelet", kubelet, r.called("kubelet", "--config"))
	node := r.ready("leaf1")
	if role := node.Labels["fabric.switchlet.io/role"]; role != "leaf" {
		t.Errorf("its role is %q", role)
	}
	if len(node.Spec.Taints) == 0 || node.Spec.Taints[0].Key != "fabric.switchlet.io/switch" {
		t.Errorf("its taints are %v", node.Spec.Taints)
	}
	if port := node.Status.DaemonEndpoints.KubeletEndpoint.Port; port != 0 {
		t.Logf("the node says port %d, where nothing listens", port)
	}
	if value := r.sonic.read("var/standin/sys/vm/panic_on_oom"); strings.TrimSpace(value) != "0" {
		t.Errorf("the kubelet left vm.panic_on_oom at %s: the guard's reason is gone", value)
	}
	r.runsAPod()
}

// importPause makes the pause image, and gives it to containerd as the script does.
func (r *real) importPause() {
	program, file := filepath.Join(r.dir, "pause"), filepath.Join(r.dir, "pause.tar")
	build := exec.CommandContext(r.t.Context(), "go", "build", "-o", program, "../../images/pause")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	output, err := build.CombinedOutput()
	if err != nil {
		r.t.Fatalf("%v\n%s", err, output)
	}
	_, err = archive.Write(file, archive.Image{Reference: pause, Program: program, Architecture: runtime.GOARCH})
	r.sonic.must(err)
	arguments := strings.Fields(r.called("ctr", "import"))
	for i, a := range arguments {
		if strings.HasSuffix(a, "/pause.tar") {
			arguments[i] = file
		}
	}
	rbactest.Eventually(r.t, func() error {
		output, err := exec.CommandContext(r.t.Context(), "ctr", append(arguments, "--snapshotter", "native")...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, output)
		}
		return nil
	})
}

// endPods ends what runs in the groups that the script has made, and removes them.
func (r *real) endPods() {
	script := "find /sys/fs/cgroup -path '*/switchlet.slice/*' -name cgroup.procs -exec cat {} + | sort -u | xargs --no-run-if-empty kill -9; " +
		"for i in $(seq 100); do find /sys/fs/cgroup -depth -type d -path '*/switchlet.slice*' -exec rmdir {} ';' 2>&1 | grep -q busy || exit 0; sleep 0.1; done; exit 1"
	if output, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		r.t.Logf("%v\n%s", err, output)
	}
}

const pause = "switchlet.io/pause:dev"

// runsAPod runs a pod of the host's network, whose memory is limited in the group that
// is the slice's.
func (r *real) runsAPod() {
	admin := r.Admin(r.t)
	r.t.Cleanup(r.endPods)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "agent", Namespace: rbactest.Namespace},
		Spec: corev1.PodSpec{
			NodeName: "leaf1", HostNetwork: true, AutomountServiceAccountToken: new(bool), TerminationGracePeriodSeconds: new(int64),
			Containers: []corev1.Container{{Name: "agent", Image: pause, ImagePullPolicy: corev1.PullNever,
				Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("32Mi")}}}},
		},
	}
	r.sonic.must(admin.Create(r.t.Context(), pod))
	rbactest.Eventually(r.t, func() error {
		r.sonic.must(admin.Get(r.t.Context(), client.ObjectKeyFromObject(pod), pod))
		if pod.Status.Phase != corev1.PodRunning {
			return fmt.Errorf("the pod is %s: %+v", pod.Status.Phase, pod.Status.ContainerStatuses)
		}
		return nil
	})
	id := strings.TrimPrefix(pod.Status.ContainerStatuses[0].ContainerID, "containerd://")
	const group = "switchlet.slice/switchlet-containerd.service/pods/kubepods/burstable/pod*/"
	limits, err := filepath.Glob("/sys/fs/cgroup/memory/" + group + id + "/memory.limit_in_bytes")
	more, err2 := filepath.Glob("/sys/fs/cgroup/" + group + id + "/memory.max")
	r.sonic.must(errors.Join(err, err2))
	for _, file := range append(limits, more...) {
		if text, err := os.ReadFile(file); err != nil || strings.TrimSpace(string(text)) != "33554432" {
			r.t.Errorf("%s: %q, %v", file, text, err)
		}
	}
	if len(limits)+len(more) != 1 {
		r.t.Errorf("the container's group is not below the slice")
	}
	r.sonic.must(admin.Delete(r.t.Context(), pod))
	rbactest.Eventually(r.t, func() error {
		if err := admin.Get(r.t.Context(), client.ObjectKeyFromObject(pod), pod); !apierrors.IsNotFound(err) {
			return fmt.Errorf("the pod is still there: %w", err)
		}
		return nil
	})
}

// approve has the controller's approver run.
func (r *real) approve() {
	ctrl.SetLogger(logr.Discard())
	mgr, err := ctrl.NewManager(r.Controller(r.t), ctrl.Options{Scheme: r.Scheme, Metrics: server.Options{BindAddress: "0"}})
	r.sonic.must(err)
	r.sonic.must(approve.Setup(mgr))
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	r.t.Cleanup(func() {
		cancel()
		r.sonic.must(<-ended)
	})
}

// join joins in the switch's root, with a kubeconfig of whoever has the token.
func (r *real) join() {
	var err error
	r.dir, err = os.MkdirTemp("", "join-") // the path of a socket has to be short
	r.sonic.must(err)
	r.t.Cleanup(func() { r.sonic.must(os.RemoveAll(r.dir)) })
	own, err := group.For("leaf1", false)
	r.sonic.must(err)
	r.sonic.must(r.WriteKubeconfig(r.sonic.path("root/token.kubeconfig"), "system:bootstrap:abcdef", "system:bootstrappers", group.Bootstrappers, own))
	r.sonic.write("root/settings", "KUBECONFIG=/root/token.kubeconfig\nBUNDLE=/bundle\nDISK=100\nNODE_IP=127.0.0.1\nSUMS="+r.sonic.sums+"\n")
	r.sonic.write("var/standin/not-approved", "")
	r.sonic.join("--settings", "/root/settings")
	r.t.Setenv("CGROUPS", "yes") // the groups for pods are made on this machine
	r.sonic.join("--exec", "containerd")
	r.sonic.join("--exec", "kubelet")
	r.calls = r.sonic.read("var/standin/calls")
}

// copy takes files of the script's to the test's folder, with the folders in them
// replaced.
func (r *real) copy(names ...string) {
	for _, name := range names {
		file := filepath.Join(r.dir, "home", name)
		r.sonic.must(os.MkdirAll(filepath.Dir(file), 0o700))
		text := r.folder.Replace(r.sonic.read("etc/sonic/switchlet/" + name))
		text = strings.ReplaceAll(text, `default_runtime_name = "runc"`, `snapshotter = "native"`+"\n"+`default_runtime_name = "runc"`)
		// Without CAP_SYS_RESOURCE, as in a container, nobody may lower a score.
		text = strings.ReplaceAll(text, "  sandbox_image", "  restrict_oom_score_adj = true\n  disable_apparmor = true\n  sandbox_image")
		r.sonic.must(os.WriteFile(file, []byte(text), 0o700))
	}
}

// called are the arguments that the script called a program of the bundle with.
func (r *real) called(program, word string) string {
	for line := range strings.Lines(r.calls) {
		if arguments, ok := strings.CutPrefix(strings.TrimSpace(line), program+" "); ok && strings.Contains(arguments, word) {
			return r.folder.Replace(arguments)
		}
	}
	r.t.Fatalf("%s was not called with %s: %s", program, word, r.calls)
	return ""
}

// start starts a program where kernel parameters are those of the fake switch.
func (r *real) start(name, program, arguments string) {
	var script strings.Builder
	for _, parameter := range []string{"vm/panic_on_oom", "vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes"} {
		fmt.Fprintf(&script, "mount --bind %s /proc/sys/%s && ", r.sonic.path("var/standin/sys/"+parameter), parameter)
	}
	fmt.Fprintf(&script, "exec %s %s", program, arguments)
	unshare, err := exec.LookPath("unshare")
	r.sonic.must(err)
	p, err := process.Start(process.Program{Name: name, Path: unshare, Args: []string{"--mount", "sh", "-c", script.String()}, Log: filepath.Join(r.dir, name+".log")})
	r.sonic.must(err)
	r.t.Cleanup(func() {
		r.sonic.must(p.Kill())
		if r.t.Failed() {
			r.t.Logf("%s:\n%s", name, process.Tail(p.Log(), 15))
		}
	})
}

func (r *real) ready(name string) *corev1.Node {
	r.t.Helper()
	node := &corev1.Node{}
	admin := r.Admin(r.t)
	rbactest.Eventually(r.t, func() error {
		if err := admin.Get(r.t.Context(), client.ObjectKey{Name: name}, node); err != nil {
			return err
		}
		for _, c := range node.Status.Conditions {
			if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
				return nil
			} else if c.Type == corev1.NodeReady {
				return errors.New(c.Message)
			}
		}
		return errors.New("no condition")
	})
	return node
}
