package install_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/cni/host/install"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// source is a program "switchlet" with this in it.
func source(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "switchlet")
	must(t, os.WriteFile(file, []byte(text), 0o644))
	return file
}

// What is in the runtime's folder before, and what the installer makes of it.
func TestProgram(t *testing.T) {
	for _, c := range []struct {
		name    string
		before  func(t *testing.T, dir string)
		changed bool
	}{
		{"nothing, not even the folder", func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)) }, true},
		{"the same", func(t *testing.T, dir string) { put(t, dir, "switchlet", "new", 0o755) }, false},
		{"another version", func(t *testing.T, dir string) { put(t, dir, "switchlet", "old, longer", 0o755) }, true},
		{"another version of the same size", func(t *testing.T, dir string) { put(t, dir, "switchlet", "old", 0o755) }, true},
		{"the same, which nobody may run", func(t *testing.T, dir string) { put(t, dir, "switchlet", "new", 0o644) }, true},
		{"a link", func(t *testing.T, dir string) {
			put(t, dir, "elsewhere", "new", 0o755)
			must(t, os.Symlink("elsewhere", filepath.Join(dir, "switchlet")))
		}, true},
		{"what an installer left that was killed", func(t *testing.T, dir string) { put(t, dir, ".switchlet.new", "half of", 0o400) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "bin")
			must(t, os.Mkdir(dir, 0o755))
			put(t, dir, "macvlan", "another plugin", 0o755)
			c.before(t, dir)
			changed, err := install.Program(source(t, "new"), dir)
			if err != nil || changed != c.changed {
				t.Fatalf("Program() = %v, %v, want %v", changed, err, c.changed)
			}
			info, err := os.Lstat(filepath.Join(dir, "switchlet"))
			must(t, err)
			text, err := os.ReadFile(filepath.Join(dir, "switchlet"))
			must(t, err)
			if info.Mode() != install.Mode || string(text) != "new" {
				t.Errorf("the plugin is %q with mode %s", text, info.Mode())
			}
			if _, err := os.Lstat(filepath.Join(dir, ".switchlet.new")); !os.IsNotExist(err) {
				t.Errorf("the temporary file is there still: %v", err)
			}
		})
	}
}

func put(t *testing.T, dir, name, text string, mode os.FileMode) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), mode))
	must(t, os.Chmod(filepath.Join(dir, name), mode))
}

func TestProgramSaysWhatIsWrong(t *testing.T) {
	file := source(t, "not a folder")
	folder := t.TempDir()
	must(t, os.Mkdir(filepath.Join(folder, "switchlet"), 0o755))
	for _, c := range []struct{ from, to, want string }{
		{"/no/such/switchlet", folder, "program to install: open /no/such/switchlet"},
		{source(t, ""), folder, "is empty"},
		{file, file, "install " + file + "/switchlet: "},
		{file, folder, "install " + folder + "/switchlet: "}, // a folder is in its place
	} {
		_, err := install.Program(c.from, c.to)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Program(%q, %q) = %v, want an error with %q", c.from, c.to, err, c.want)
		}
	}
}
