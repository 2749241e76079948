package controlplane_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

// kubectl runs kubectl with a kubeconfig and returns what it said.
type kubectl struct {
	program, kubeconfig string
}

func (k kubectl) run(t *testing.T, command string) (string, error) {
	t.Helper()
	args := append([]string{"--kubeconfig", k.kubeconfig}, strings.Fields(command)...)
	output, err := exec.CommandContext(t.Context(), k.program, args...).CombinedOutput()
	return strings.TrimSpace(string(output)), err
}

func (k kubectl) must(t *testing.T, command string) string {
	t.Helper()
	output, err := k.run(t, command)
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", command, err, output)
	}
	return output
}

func TestControlPlane(t *testing.T) {
	binaries := labtest.Kubernetes(t)
	begin := time.Now()
	c := labtest.ControlPlane(t, controlplane.Config{Binaries: binaries, ControllerManager: true, Scheduler: true})
	t.Logf("ready after %s", time.Since(begin).Round(time.Millisecond))
	admin := kubectl{filepath.Join(binaries, "kubectl"), c.Kubeconfig()}

	t.Run("a kubelet may see what concerns its node and nothing else", func(t *testing.T) {
		node := kubectl{admin.program, filepath.Join(t.TempDir(), "leaf1")}
		if err := c.WriteKubeconfig(node.kubeconfig, "system:node:leaf1", "system:nodes"); err != nil {
			t.Fatal(err)
		}
		if got := node.must(t, "auth whoami -o jsonpath={.status.userInfo.username}"); got != "system:node:leaf1" {
			t.Errorf("user = %q, want system:node:leaf1", got)
		}
		if output, err := node.run(t, "get secrets -A"); err == nil || !strings.Contains(output, "Forbidden") {
			t.Errorf("get secrets: %v, %q; want Forbidden", err, output)
		}
	})
	t.Run("validating admission policies are served", func(t *testing.T) {
		admin.must(t, "get validatingadmissionpolicies")
	})
	t.Run("the controller manager makes service accounts", func(t *testing.T) {
		admin.must(t, "create namespace tenant-a")
		admin.must(t, "wait --for=create serviceaccount/default -n tenant-a --timeout=60s")
	})
	t.Run("objects survive a killed API server", func(t *testing.T) {
		admin.must(t, "create configmap kept --from-literal=a=b")
		if err := c.KillAPIServer(); err != nil {
			t.Fatal(err)
		}
		if output, err := admin.run(t, "get configmap kept"); err == nil {
			t.Errorf("the API server answers although it was killed: %s", output)
		}
		if err := c.StartAPIServer(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := admin.must(t, "get configmap kept -o jsonpath={.data.a}"); got != "b" {
			t.Errorf("data = %q, want b", got)
		}
	})
	t.Run("stop leaves no process behind", func(t *testing.T) {
		begin := time.Now()
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		t.Logf("stopped within %s", time.Since(begin).Round(time.Millisecond))
		for _, p := range c.Processes() {
			select {
			case <-p.Done():
			default:
				t.Errorf("%s (pid %d) still runs", p.Name(), p.Pid())
			}
		}
	})
}

func TestStartSaysWhatIsMissing(t *testing.T) {
	_, err := controlplane.Start(t.Context(), controlplane.Config{Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "Binaries") {
		t.Errorf("Start() = %v, want an error that names Binaries", err)
	}
}
