// Package labtest gives tests the parts of a lab: a SONiC box, a Kubernetes
// control plane. A test that lacks the means for one skips and says what to do;
// with SWITCHLET_TEST_REQUIRE=all it fails instead.
package labtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/lab/frr10"
	"github.com/switchlet/switchlet/deploy/lab/kube"
	"github.com/switchlet/switchlet/deploy/lab/process"
)

// Missing ends the test: it skips, saying what is missing and what to do, or
// fails if SWITCHLET_TEST_REQUIRE is "all".
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("SWITCHLET_TEST_REQUIRE") == "all" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// Program returns the path of a program, of the given Debian package.
func Program(t testing.TB, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, "%v: apt-get install %s", err, debianPackage)
	}
	return path
}

// Kubernetes returns the folder with Kubernetes's programs.
func Kubernetes(t testing.TB) string {
	t.Helper()
	source, err := kube.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	folder, ok, err := source.Cached()
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		Missing(t, "Kubernetes is not built yet: bin/lab kubernetes")
	}
	return folder
}

// FRR10 returns the root of FRR 10's programs.
func FRR10(t testing.TB) frr10.Root {
	t.Helper()
	root, ok, err := frr10.Cached()
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		Missing(t, "FRR 10 is not in the cache yet: bin/lab prepare")
	}
	return root
}

// Box starts a SONiC box that ends with the test. Root and Name have defaults.
func Box(t testing.TB, cfg box.Config) *box.Box {
	t.Helper()
	Program(t, "redis-server", "redis-server")
	if cfg.Root == "" {
		cfg.Root = t.TempDir()
	}
	if cfg.Name == "" {
		cfg.Name = "leaf1"
	}
	b, err := box.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// ControlPlane starts a control plane that ends with the test. Dir and Binaries
// have defaults. If the test failed, the ends of the logs are shown.
func ControlPlane(t testing.TB, cfg controlplane.Config) *controlplane.ControlPlane {
	t.Helper()
	if cfg.Binaries == "" {
		cfg.Binaries = Kubernetes(t)
	}
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	c, err := controlplane.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		if !t.Failed() {
			return
		}
		for _, p := range c.Processes() {
			t.Logf("%s:\n%s", filepath.Base(p.Log()), process.Tail(p.Log(), 10))
		}
	})
	return c
}
