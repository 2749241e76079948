package rack

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A pod's network namespace is that of its sandbox, which containerd says in what it has
// runc run; of two of one name the newer counts.
func TestPodsNetworkNamespace(t *testing.T) {
	root, now := t.TempDir(), time.Now()
	for id, text := range map[string]string{
		"old":    `{"annotations":{"io.kubernetes.cri.container-type":"sandbox","io.kubernetes.cri.sandbox-namespace":"a","io.kubernetes.cri.sandbox-name":"web"},"linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/var/run/netns/cni-old"}]}}`,
		"new":    `{"annotations":{"io.kubernetes.cri.container-type":"sandbox","io.kubernetes.cri.sandbox-namespace":"a","io.kubernetes.cri.sandbox-name":"web"},"linux":{"namespaces":[{"type":"network","path":"/var/run/netns/cni-new"}]}}`,
		"inside": `{"annotations":{"io.kubernetes.cri.container-type":"container","io.kubernetes.cri.sandbox-namespace":"a","io.kubernetes.cri.sandbox-name":"web"},"linux":{"namespaces":[{"type":"network","path":"/proc/7/ns/net"}]}}`,
		"host":   `{"annotations":{"io.kubernetes.cri.container-type":"sandbox","io.kubernetes.cri.sandbox-namespace":"a","io.kubernetes.cri.sandbox-name":"agent"},"linux":{"namespaces":[{"type":"pid"}]}}`,
	} {
		file := filepath.Join(root, strings.Replace(bundles, "*", id, 1))
		made := now
		if id == "old" {
			made = now.Add(-time.Minute)
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o600), os.Chtimes(file, made, made)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := findPod(root, "a/web"); err != nil || got != "/var/run/netns/cni-new" {
		t.Errorf("%s, error %v", got, err)
	}
	for _, pod := range []string{"a/agent", "a/other", "b/web"} {
		if got, err := findPod(root, pod); !errors.Is(err, ErrNoPod) {
			t.Errorf("%s: %s, error %v", pod, got, err)
		}
	}
}
