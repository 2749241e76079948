// Package agent has the manifests of the switch agent; its test is that they say what
// they should.
package agent

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

// The agent has containerd's socket with the component, and not without it.
func TestImagesComponent(t *testing.T) {
	dir, err := os.MkdirTemp(".", "render-") // kustomize takes no folder elsewhere
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for _, c := range []struct {
		text string
		has  bool
	}{
		{"resources: [../daemonset.yaml]\n", false},
		{"resources: [../daemonset.yaml]\ncomponents: [../images]\n", true},
	} {
		if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), filepath.Join(labtest.Kubernetes(t), "kubectl"), "kustomize", "--load-restrictor", "LoadRestrictionsNone", dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if got := strings.Contains(string(out), "path: /run/switchlet") && strings.Contains(string(out), "mountPath: /run/switchlet"); got != c.has {
			t.Errorf("with\n%s the socket is mounted: %v, want %v", c.text, got, c.has)
		}
	}
}
