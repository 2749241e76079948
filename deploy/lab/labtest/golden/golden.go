// Package golden runs tests that are written as files: what is put in, and what comes of
// it. With the environment variable SWITCHLET_TEST_UPDATE the files are written anew, as
// what they say of the outcome is then taken to be wrong.
package golden

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// Files runs a test for each file that matches the pattern, named after it. play gives the
// file's text with all outcomes as they are; the test fails if that is another text. At
// least one file has to match.
func Files(t *testing.T, pattern string, play func(t *testing.T, text []byte) []byte) {
	t.Helper()
	each(t, pattern, func(t *testing.T, file string) {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, file, want, play(t, want))
	})
}

// Archives is Files for archives in the format of txtar.
func Archives(t *testing.T, pattern string, play func(t *testing.T, archive *txtar.Archive) *txtar.Archive) {
	t.Helper()
	each(t, pattern, func(t *testing.T, file string) {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := txtar.Format(archive) // play may change it
		compare(t, file, want, txtar.Format(play(t, archive)))
	})
}

// File compares one outcome with a file, for tests whose input is elsewhere.
func File(t *testing.T, file string, got []byte) {
	t.Helper()
	want, err := os.ReadFile(file)
	if err != nil && !updates() {
		t.Fatal(err)
	}
	compare(t, file, want, got)
}

// Section compares one outcome with a section of an archive, which several tests share.
func Section(t *testing.T, file, name string, got []byte) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := txtar.Format(archive)
	i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == name })
	if i < 0 {
		i = len(archive.Files)
		archive.Files = append(archive.Files, txtar.File{Name: name})
	}
	archive.Files[i].Data = got
	compare(t, file, want, txtar.Format(archive))
}

func updates() bool { return os.Getenv("SWITCHLET_TEST_UPDATE") != "" }

func each(t *testing.T, pattern string, test func(t *testing.T, file string)) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files match %s, error %v", len(files), pattern, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), func(t *testing.T) { test(t, file) })
	}
}

func compare(t *testing.T, file string, want, got []byte) {
	t.Helper()
	if updates() {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got); SWITCHLET_TEST_UPDATE=1 go test writes it anew:\n%s", file, diff)
	}
}
