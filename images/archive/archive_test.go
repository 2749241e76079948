package archive_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/switchlet/switchlet/images/archive"
)

func program(t *testing.T, dir, text string) string {
	t.Helper()
	file := filepath.Join(dir, "agent")
	if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func write(t *testing.T, program string) (file, digest string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "images", "agent.tar")
	digest, err := archive.Write(file, archive.Image{
		Reference: "switchlet.io/agent:dev", Program: program, User: "65532:65532", Architecture: "amd64",
	})
	if err != nil {
		t.Fatal(err)
	}
	return file, digest
}

func TestTheSameProgramGivesTheSameBytes(t *testing.T) {
	first := program(t, t.TempDir(), "the program")
	second := program(t, t.TempDir(), "the program")
	old := time.Unix(1, 0)
	if err := os.Chtimes(second, old, old); err != nil {
		t.Fatal(err)
	}
	file1, digest1 := write(t, first)
	file2, digest2 := write(t, second)
	if digest1 != digest2 {
		t.Errorf("digests %s and %s differ", digest1, digest2)
	}
	bytes1, err := os.ReadFile(file1)
	if err != nil {
		t.Fatal(err)
	}
	bytes2, err := os.ReadFile(file2)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes1, bytes2) {
		t.Error("the two files differ")
	}
	if _, digest3 := write(t, program(t, t.TempDir(), "another program")); digest3 == digest1 {
		t.Error("another program has the same digest")
	}
}

func TestOthersLieBesideTheProgram(t *testing.T) {
	dir := t.TempDir()
	other, file := filepath.Join(dir, "switchlet"), filepath.Join(dir, "image.tar")
	if err := os.WriteFile(other, []byte("another program"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := archive.Write(file, archive.Image{Reference: "switchlet.io/agent:dev", Program: program(t, dir, "the program"), Others: []string{other}})
	if err != nil {
		t.Fatal(err)
	}
	image, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	content := mutate.Extract(image)
	defer content.Close()
	var got []string
	for files := tar.NewReader(content); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %o %s", header.Name, header.Mode, text))
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"agent 755 the program", "switchlet 755 another program"}, got); diff != "" {
		t.Errorf("files in the image (-want +got):\n%s", diff)
	}
}

func TestImageRunsTheProgramAsItsUser(t *testing.T) {
	file, _ := write(t, program(t, t.TempDir(), "the program"))
	image, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/agent"}, config.Config.Entrypoint); diff != "" {
		t.Errorf("entry point (-want +got):\n%s", diff)
	}
	if got := config.Config.User; got != "65532:65532" {
		t.Errorf("user = %q, want 65532:65532", got)
	}
}

func TestWriteSaysWhatIsWrong(t *testing.T) {
	for _, test := range []struct {
		name  string
		image archive.Image
		want  string
	}{
		{"no tag", archive.Image{Reference: "switchlet.io/agent", Program: program(t, t.TempDir(), "x")}, "switchlet.io/agent"},
		{"no program", archive.Image{Reference: "switchlet.io/agent:dev", Program: "/no/such/agent"}, "/no/such/agent"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := archive.Write(filepath.Join(t.TempDir(), "image.tar"), test.image)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Write() = %v, want an error with %q", err, test.want)
			}
		})
	}
}
