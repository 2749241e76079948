package frr10

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// repository is one on this machine, with a package frr that has one file and needs
// another package.
func repository(t *testing.T, version string) string {
	t.Helper()
	if _, err := exec.LookPath("apt-get"); err != nil {
		t.Skip("apt-get is Debian's")
	}
	dir := t.TempDir()
	var index strings.Builder
	for _, p := range []struct{ name, fields string }{{"frr", "Depends: libyang5\n"}, {"libyang5", ""}} {
		control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n%sDescription: none\n", p.name, version, p.fields)
		tree := filepath.Join(dir, p.name)
		for file, text := range map[string]string{"DEBIAN/control": control, "DEBIAN/preinst": "#!/bin/sh\nexit 1\n", "usr/share/" + p.name: p.name} {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(tree, file)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(tree, file), []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		file := filepath.Join(dir, p.name+".deb")
		if out, err := exec.CommandContext(t.Context(), "dpkg-deb", "--build", tree, file).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&index, "%sFilename: ./%s.deb\nSize: %d\nSHA256: %x\n\n", control, p.name, len(content), sha256.Sum256(content))
	}
	if err := os.WriteFile(filepath.Join(dir, "Packages"), []byte(index.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func trusted(t *testing.T, version string) source {
	return source{cache: t.TempDir(), repository: "deb [trusted=yes] copy:" + repository(t, version) + " ./"}
}

func silent(string, ...any) {}

func TestTwoFetchFromAnEmptyCache(t *testing.T) {
	s := trusted(t, "10.5.4-1")
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			root, err := s.fetch(t.Context(), silent)
			if err != nil {
				t.Error(err)
				return
			}
			for _, name := range []string{"frr", "libyang5"} {
				if text, err := os.ReadFile(filepath.Join(root.Dir, "usr/share", name)); string(text) != name {
					t.Errorf("%s has %q, %v", name, text, err)
				}
			}
			if files, err := os.ReadDir(root.Dir); err != nil || len(files) != 1 {
				t.Errorf("%v, %v, want usr only", files, err)
			}
		})
	}
	both.Wait()
}

func TestNobodyVouches(t *testing.T) {
	s := trusted(t, "10.5.4-1")
	s.repository = strings.Replace(s.repository, "[trusted=yes] ", "", 1)
	refused(t, s, "E: The repository")
}

func TestAnotherFRR(t *testing.T) {
	refused(t, trusted(t, "11.0-1"), "it has FRR 11.0-1_all.deb by now")
}

func TestNoNetwork(t *testing.T) {
	refused(t, source{cache: t.TempDir(), repository: "deb http://127.0.0.1:1/debian forky main"}, "Could not connect to 127.0.0.1:1")
}

// refused wants an error, and nothing left in the cache.
func refused(t *testing.T, s source, want string) {
	t.Helper()
	_, err := s.fetch(t.Context(), silent)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
	if left, err := filepath.Glob(filepath.Join(s.cache, "*")); err != nil || len(left) != 1 || !strings.HasSuffix(left[0], ".lock") {
		t.Errorf("left behind: %v, %v, want the lock only", left, err)
	}
}
