package repo_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/repo"
)

func TestRootHasTheProductsModule(t *testing.T) {
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Error(err)
	}
}

func TestOutsideOfTheTree(t *testing.T) {
	t.Chdir(t.TempDir()) // the test program itself lies outside too
	if root, err := repo.Root(); err == nil {
		t.Errorf("Root() = %s, want an error", root)
	}
}
