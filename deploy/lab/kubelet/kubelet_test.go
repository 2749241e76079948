package kubelet_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/lab/kubelet"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/node/control"
)

// machines remembers which programs run on which node.
type machines struct {
	mu       sync.Mutex
	programs map[string]control.Program // by node and pod
	token    string                     // the last one
}

// machine is one of them.
type machine struct {
	all  *machines
	name string
}

func (m machine) Run(_ context.Context, name string, p control.Program) error {
	m.all.mu.Lock()
	defer m.all.mu.Unlock()
	m.all.programs[m.name+" "+name] = p
	m.all.token = p.Files["/var/run/secrets/kubernetes.io/serviceaccount/token"]
	return nil
}

func (m machine) Stop(_ context.Context, name string) error {
	m.all.mu.Lock()
	defer m.all.mu.Unlock()
	delete(m.all.programs, m.name+" "+name)
	return nil
}

// shown is a line for each program, without what is new in each run.
func (m *machines) shown() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(m.programs)) {
		p := m.programs[key]
		node, pod, _ := strings.Cut(key, " ")
		name := pod[:strings.LastIndex(pod, "-")]
		lines = append(lines, fmt.Sprintf("%s %s: %s %v %v", node, name, p.Path, p.Args, p.Env))
	}
	return strings.Join(lines, "\n")
}

// cluster is a control plane with the controllers that make a DaemonSet's pods.
func cluster(t *testing.T) (*controlplane.ControlPlane, *kubernetes.Clientset) {
	t.Helper()
	c := labtest.ControlPlane(t, controlplane.Config{ControllerManager: true, Scheduler: true})
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return c, client
}

// start starts the kubelets of a leaf and a host, until the test ends.
func start(t *testing.T, c *controlplane.ControlPlane) *machines {
	t.Helper()
	ca, err := os.ReadFile(c.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	all := &machines{programs: map[string]control.Program{}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = kubelet.Run(ctx, kubelet.Config{
			Kubeconfig: c.Kubeconfig(), Service: netip.MustParseAddr("198.18.0.193"), CA: ca, Programs: "/opt/programs",
			Nodes: []kubelet.Node{
				{Name: "leaf1", Address: netip.MustParseAddr("198.18.0.10"), Labels: map[string]string{"role": "leaf"}, Taint: "switch", Control: machine{all, "leaf1"}},
				{Name: "host1", Address: netip.MustParseAddr("198.18.0.11"), Control: machine{all, "host1"}},
			},
			Log: slog.New(slog.DiscardHandler),
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return all
}

// agents is a DaemonSet as the product has them.
func agents(args ...string) *appsv1.DaemonSet {
	labels := map[string]string{"app": "agent"}
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: "agent"},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					HostNetwork: true, Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
					Containers: []corev1.Container{{
						Name: "agent", Image: "registry.example/switchlet/agent:dev", Args: args,
						Env: []corev1.EnvVar{
							{Name: "NODE_NAME", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "spec.nodeName"}}},
							{Name: "GOMEMLIMIT", Value: "64MiB"},
						},
					}},
				},
			},
		},
	}
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 2 minutes: %s", what)
		}
	}
}

// A DaemonSet is applied, changed and deleted, as people do it; the cluster takes the
// nodes for ordinary ones.
func TestPodsAreProgramsOnTheirNodes(t *testing.T) {
	c, client := cluster(t)
	all := start(t, c)
	sets := client.AppsV1().DaemonSets("default")
	if _, err := sets.Create(t.Context(), agents("--first"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	env := " [KUBERNETES_SERVICE_HOST=198.18.0.193 KUBERNETES_SERVICE_PORT=443 NODE_NAME=%s GOMEMLIMIT=64MiB]"
	want := func(arg string) string {
		return fmt.Sprintf("host1 agent: /opt/programs/agent ["+arg+"]"+env+"\nleaf1 agent: /opt/programs/agent ["+arg+"]"+env, "host1", "leaf1")
	}
	ready := func(arg string) bool {
		set, err := sets.Get(t.Context(), "agent", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s := set.Status
		return s.ObservedGeneration == set.Generation && s.NumberAvailable == 2 && s.UpdatedNumberScheduled == 2 && all.shown() == want(arg)
	}
	eventually(t, "the programs run and the DaemonSet is ready", func() bool { return ready("--first") })

	node, err := client.CoreV1().Nodes().Get(t.Context(), "leaf1", metav1.GetOptions{})
	if err != nil || node.Labels["role"] != "leaf" || node.Spec.Taints[0].Key != "switch" {
		t.Errorf("leaf1: %v, labels %v, taints %v", err, node.Labels, node.Spec.Taints)
	}
	whose(t, c, all)

	changed, err := sets.Get(t.Context(), "agent", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	changed.Spec.Template.Spec.Containers[0].Args = []string{"--second"}
	if _, err := sets.Update(t.Context(), changed, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the programs are replaced", func() bool { return ready("--second") })

	if err := sets.Delete(t.Context(), "agent", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nothing runs, and no pod is left", func() bool {
		pods, err := client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{})
		return err == nil && len(pods.Items) == 0 && all.shown() == ""
	})
}

// whose checks that the API server knows the pod and the node of a program's token,
// on which the product's policies stand.
func whose(t *testing.T, c *controlplane.ControlPlane, all *machines) {
	t.Helper()
	file := t.TempDir() + "/kubeconfig"
	if err := c.WriteTokenKubeconfig(file, all.token); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CoreV1().Secrets("default").List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "system:serviceaccount:default:default") {
		t.Errorf("a program lists secrets: %v, want that its service account may not", err)
	}
}
