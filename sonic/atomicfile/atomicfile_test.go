package atomicfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/switchlet/switchlet/sonic/atomicfile"
)

// What a killed program left is no obstacle, and a link is not followed.
func TestWrite(t *testing.T) {
	for _, test := range []struct {
		name   string
		before func(name, elsewhere string) error
	}{
		{"a new file", func(_, _ string) error { return nil }},
		{"an old one", func(name, _ string) error { return os.WriteFile(name, []byte("old"), 0o644) }},
		{"a half-written one beside it", func(name, _ string) error { return os.WriteFile(name+".new", []byte("ha"), 0o400) }},
		{"a link beside it", func(name, elsewhere string) error { return os.Symlink(elsewhere, name+".new") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			name, elsewhere := filepath.Join(dir, "file"), filepath.Join(dir, "elsewhere")
			if err := errors.Join(os.WriteFile(elsewhere, []byte("theirs"), 0o600), test.before(name, elsewhere)); err != nil {
				t.Fatal(err)
			}
			if err := atomicfile.Write(name, []byte("new"), 0o640); err != nil {
				t.Fatal(err)
			}
			for file, want := range map[string]string{name: "new", elsewhere: "theirs"} {
				if got, err := os.ReadFile(file); err != nil || string(got) != want {
					t.Errorf("%s has %q, want %q (%v)", file, got, want, err)
				}
			}
			info, err := os.Stat(name)
			if err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("mode is %v (%v)", info.Mode(), err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
				t.Errorf("left are %v (%v)", left, err)
			}
		})
	}
}

// A file that cannot be finished leaves the old one, and nothing beside it.
func TestPrepareFails(t *testing.T) {
	dir := t.TempDir()
	name, no := filepath.Join(dir, "file.new"), errors.New("no")
	if err := atomicfile.Prepare(name, []byte("new"), func(*os.File) error { return no }); !errors.Is(err, no) {
		t.Errorf("error is %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left are %v (%v)", left, err)
	}
}
