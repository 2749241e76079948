// Package rbactest gives tests a cluster on which Switchlet is installed as a
// user installs it, with kubectl apply -k deploy, and clients for the people
// and programs of that cluster, with their rights and no others.
package rbactest

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/repo"
)

// Namespace is where Switchlet's own workloads are.
const Namespace = "switchlet-system"

// The user names of Switchlet's programs.
const (
	AgentUser      = "system:serviceaccount:" + Namespace + ":switchlet-agent"
	HostAgentUser  = "system:serviceaccount:" + Namespace + ":switchlet-host-agent"
	ControllerUser = "system:serviceaccount:" + Namespace + ":switchlet-controller"
)

// Cluster is a control plane with the manifests of this source tree.
type Cluster struct {
	*controlplane.ControlPlane
	// Scheme knows the kinds of Kubernetes and of Switchlet.
	Scheme  *runtime.Scheme
	kubectl string
}

// Start starts a cluster that ends with the test. It skips, or fails with
// SWITCHLET_TEST_REQUIRE=all, where there is no Kubernetes to start.
func Start(t testing.TB, cfg controlplane.Config) *Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("needs an API server, which -short leaves out")
	}
	binaries := labtest.Kubernetes(t)
	cfg.Binaries = binaries
	c := &Cluster{
		ControlPlane: labtest.ControlPlane(t, cfg),
		Scheme:       runtime.NewScheme(),
		kubectl:      filepath.Join(binaries, "kubectl"),
	}
	must(t, clientgoscheme.AddToScheme(c.Scheme))
	must(t, v1alpha1.AddToScheme(c.Scheme))
	root, err := repo.Root()
	must(t, err)
	c.Kubectl(t, "apply", "-k", filepath.Join(root, "deploy"))
	c.Kubectl(t, "wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
	return c
}

// Kubectl runs kubectl as the administrator and returns what it printed.
func (c *Cluster) Kubectl(t testing.TB, args ...string) string {
	t.Helper()
	args = append([]string{"--kubeconfig", c.Kubeconfig()}, args...)
	output, err := exec.CommandContext(t.Context(), c.kubectl, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %q: %v\n%s", args, err, output)
	}
	return string(output)
}

// Admin is the cluster's administrator.
func (c *Cluster) Admin(t testing.TB) client.WithWatch { return c.As(t, "admin", "system:masters") }

// As is a client of the given user, by a client certificate.
func (c *Cluster) As(t testing.TB, user string, groups ...string) client.WithWatch {
	t.Helper()
	return c.Client(t, c.Config(t, user, groups...))
}

// Controller is how the controller reaches the API server: by its own name, and
// in the groups that every ServiceAccount is in.
func (c *Cluster) Controller(t testing.TB) *rest.Config {
	t.Helper()
	return c.Config(t, ControllerUser, "system:serviceaccounts", "system:serviceaccounts:"+Namespace)
}

// Config is how the given user reaches the API server.
func (c *Cluster) Config(t testing.TB, user string, groups ...string) *rest.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, c.WriteKubeconfig(file, user, groups...))
	config, err := clientcmd.BuildConfigFromFlags("", file)
	must(t, err)
	config.QPS = -1
	return config
}

// WithToken is a client of whoever the token speaks for.
func (c *Cluster) WithToken(t testing.TB, token string) client.WithWatch {
	t.Helper()
	return c.Client(t, &rest.Config{
		Host: c.URL(), BearerToken: token, QPS: -1,
		TLSClientConfig: rest.TLSClientConfig{CAFile: c.CAFile()},
	})
}

// Client is a client with all kinds of the cluster.
func (c *Cluster) Client(t testing.TB, config *rest.Config) client.WithWatch {
	t.Helper()
	direct, err := client.NewWithWatch(config, client.Options{Scheme: c.Scheme})
	must(t, err)
	return direct
}

// Eventually waits until check returns nil, and fails the test with what it
// returned last if that takes longer than any correct run would.
func Eventually(t testing.TB, check func() error) {
	t.Helper()
	const limit, poll = 60 * time.Second, 10 * time.Millisecond
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("still after %s: %v", limit, err)
		case <-t.Context().Done():
			t.Fatalf("the test ends, and still: %v", err)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
