package images_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/images"
)

func TestBuildMakesAnArchiveOfEachProgram(t *testing.T) {
	programs, out := t.TempDir(), filepath.Join(t.TempDir(), "images")
	for _, name := range []string{"agent", "host-agent", "switchlet", "controller"} {
		if err := os.WriteFile(filepath.Join(programs, name), []byte("a program"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ids := map[string]string{}
	if err := images.Build(t.Context(), programs, out, func(reference, id string) { ids[reference] = id }); err != nil {
		t.Fatal(err)
	}
	for _, reference := range []string{"switchlet.io/agent:dev", "switchlet.io/host-agent:dev", "switchlet.io/controller:dev", "switchlet.io/pause:dev"} {
		if !strings.HasPrefix(ids[reference], "sha256:") {
			t.Errorf("id of %s = %q", reference, ids[reference])
		}
	}
	for _, file := range []string{images.Agent, images.HostAgent, images.Controller, images.Pause} {
		if _, err := os.Stat(filepath.Join(out, file)); err != nil {
			t.Error(err)
		}
	}
}

func TestBuildSaysWhatToDoWithoutPrograms(t *testing.T) {
	err := images.Build(t.Context(), t.TempDir(), t.TempDir(), func(string, string) {})
	if err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("Build() = %v, want an error that says: make build", err)
	}
}
