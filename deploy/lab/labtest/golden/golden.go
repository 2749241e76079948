// Package golden runs tests that are written as files: what is put in, and what comes of
// it. With the environment variable SWITCHLET_TEST_UPDATE the files are written anew, as
// what they say of the outcome is then taken to be wrong.
package golden

import (
	"os"
	"path/filepath"
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
	if os.Getenv("SWITCHLET_TEST_UPDATE") != "" {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got); SWITCHLET_TEST_UPDATE=1 go test writes it anew:\n%s", file, diff)
	}
}
