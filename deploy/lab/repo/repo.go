// Package repo finds the source tree that the lab belongs to: it applies the
// manifests, builds the programs and the Kubernetes of that tree.
package repo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// mark is a file that only this source tree has.
const mark = "deploy/lab/kubernetes/go.mod"

// Root is the root of the source tree: the nearest folder, from the working
// directory upwards and then from the running program upwards, that is one.
func Root() (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	for _, start := range []string{here, filepath.Dir(program)} {
		if root, err := above(start); err == nil {
			return root, nil
		}
	}
	return "", fmt.Errorf("neither %s nor %s is in Switchlet's source tree: run this from within it", here, program)
}

// above is the first folder, from start upwards, that has the mark.
func above(start string) (string, error) {
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, mark)); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("not found")
		}
	}
}
