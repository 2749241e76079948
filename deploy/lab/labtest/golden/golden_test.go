package golden_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/switchlet/switchlet/deploy/lab/labtest/golden"
)

// shout is a play: what comes of the section "in" is in the section "out".
func shout(_ *testing.T, archive *txtar.Archive) *txtar.Archive {
	loud := strings.ToUpper(string(archive.Files[0].Data))
	return &txtar.Archive{Files: []txtar.File{archive.Files[0], {Name: "out", Data: []byte(loud)}}}
}

func write(t *testing.T, text string) (pattern, file string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "a.txtar")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "*.txtar"), file
}

func TestOutcomeIsTheSame(t *testing.T) {
	t.Setenv("SWITCHLET_TEST_UPDATE", "")
	pattern, file := write(t, "-- in --\nho\n-- out --\nHO\n")
	golden.Archives(t, pattern, shout)
	golden.Section(t, file, "out", []byte("HO\n"))
	golden.File(t, file, []byte("-- in --\nho\n-- out --\nHO\n"))
	golden.Files(t, pattern, func(_ *testing.T, text []byte) []byte { return text })
}

func TestUpdateWritesTheOutcome(t *testing.T) {
	t.Setenv("SWITCHLET_TEST_UPDATE", "1")
	pattern, file := write(t, "-- in --\nho\n-- out --\nhello\n")
	says := func(want string) {
		t.Helper()
		if text, err := os.ReadFile(file); err != nil || string(text) != want {
			t.Errorf("the file is %q, %v; want %q", text, err, want)
		}
	}
	golden.Archives(t, pattern, shout)
	says("-- in --\nho\n-- out --\nHO\n")
	golden.Section(t, file, "out", []byte("ho ho\n"))
	golden.Section(t, file, "more", []byte("HO\n"))
	says("-- in --\nho\n-- out --\nho ho\n-- more --\nHO\n")
	golden.File(t, file, []byte("ho\n"))
	says("ho\n")
	file += ".new"
	golden.File(t, file, []byte("ho\n"))
	says("ho\n")
}
