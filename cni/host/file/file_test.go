package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/cni/host/file"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What is there before, and what Replace makes of it.
func TestReplace(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(dir string) error
	}{
		{"nothing", func(string) error { return nil }},
		{"a file with other rights", func(dir string) error { return os.WriteFile(filepath.Join(dir, "f"), []byte("old"), 0o400) }},
		{"a link, which is not followed", func(dir string) error { return os.Symlink("/nowhere", filepath.Join(dir, "f")) }},
		{"what was left of one that was killed", func(dir string) error { return os.WriteFile(filepath.Join(dir, ".f.new"), []byte("ha"), 0o400) }},
		{"a link in the place of that", func(dir string) error { return os.Symlink("/nowhere", filepath.Join(dir, ".f.new")) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, c.before(dir))
			must(t, file.Replace(filepath.Join(dir, "f"), []byte("new"), 0o644))
			info, err := os.Lstat(filepath.Join(dir, "f"))
			must(t, err)
			if text, err := file.Read(filepath.Join(dir, "f"), 3); err != nil || string(text) != "new" || info.Mode() != 0o644 {
				t.Errorf("%q with mode %s, error %v", text, info.Mode(), err)
			}
			if all, err := os.ReadDir(dir); err != nil || len(all) != 1 {
				t.Errorf("the folder has %v, error %v", all, err)
			}
		})
	}
}

// A failure leaves what was there, and nothing beside it.
func TestReplaceFails(t *testing.T) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "f", "full"), 0o755))
	if err := file.Replace(filepath.Join(dir, "f"), []byte("new"), 0o644); err == nil {
		t.Error("a folder was replaced")
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 1 {
		t.Errorf("the folder has %v, error %v", all, err)
	}
}

func TestReadIsBounded(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	must(t, os.WriteFile(name, []byte("four"), 0o600))
	if _, err := file.Read(name, 3); !errors.Is(err, file.ErrTooLarge) || !strings.Contains(err.Error(), "larger than 3 octets: move it away") {
		t.Error(err)
	}
}
