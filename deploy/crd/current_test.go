// Package crd holds the CustomResourceDefinitions, which are made from
// api/v1alpha1 by `make generate`.
package crd

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What is checked in is what `make generate` makes now.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	if testing.Short() {
		t.Skip("builds controller-gen")
	}
	crds, deepcopy := t.TempDir(), t.TempDir()
	cmd := exec.Command("make", "--no-print-directory", "-C", "../..", "generate", "CRD_DIR="+crds, "DEEPCOPY_DIR="+deepcopy)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	compare(t, crds, ".", "*.yaml")
	compare(t, deepcopy, "../../api/v1alpha1", "*.go")
}

// compare looks for files that are not the same in both folders.
func compare(t *testing.T, made, checkedIn, pattern string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(made, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("nothing was made in %s (%v)", made, err)
	}
	for _, file := range files {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		have, err := os.ReadFile(filepath.Join(checkedIn, filepath.Base(file)))
		if err != nil || !bytes.Equal(have, want) {
			t.Errorf("%s is not what make generate makes of api/ (%v): run it and commit the result", filepath.Base(file), err)
		}
	}
}
