package frr

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestSplice(t *testing.T) {
	part := firstLine + "\nours\n" + lastLine + "\n"
	for _, test := range []struct{ name, file, want string }{
		{"no file", "", part},
		{"an operator's file", "log syslog", "log syslog\n" + part},
		{"between an operator's lines", "a\n" + firstLine + "\nold\n" + lastLine + " x\nb\n", "a\n" + part + "b\n"},
		{"cut off by a crash of somebody's editor", "a\n" + firstLine + "\nold\n", "a\n" + part},
		{"written already", "a\n" + part + "b", "a\n" + part + "b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Splice(test.file, part); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestWriteFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "frr.conf")
	part := File(&Config{}, nil)
	write := func(part string, changed bool, mode fs.FileMode) {
		t.Helper()
		got, err := WriteFile(name, part)
		if err != nil || got != changed {
			t.Fatalf("changed: %v, %v", got, err)
		}
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
	write(part, true, 0o640)
	write(part, false, 0o640)
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name+".new", []byte("left by a crash"), 0o644); err != nil {
		t.Fatal(err)
	}
	want, _ := Build(leaf(1))
	write(File(leaf(1), want), true, 0o600)
	if files, _ := filepath.Glob(name + "*"); len(files) != 1 {
		t.Errorf("files: %v", files)
	}
}
