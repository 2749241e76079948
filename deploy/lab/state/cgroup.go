package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// RemoveCgroups removes the lab's cgroups, which are empty once its processes
// are gone, from all hierarchies: of version 1 one in each folder of
// /sys/fs/cgroup, of version 2 that folder itself.
func (l Lab) RemoveCgroups(timeout time.Duration) error {
	var folders []string
	for _, pattern := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/*"} {
		found, err := filepath.Glob(pattern + l.Cgroup())
		if err != nil {
			return err
		}
		folders = append(folders, found...)
	}
	deadline := time.Now().Add(timeout)
	var errs []error
	for _, folder := range folders {
		errs = append(errs, removeCgroup(folder, deadline))
		// The folder of all labs goes with the last of them.
		if err := os.Remove(filepath.Dir(folder)); err != nil && !stillUsed(err) && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// removeCgroup removes a cgroup and those below it, deepest first. The files in
// it are the kernel's and go with the folder.
func removeCgroup(folder string, deadline time.Time) error {
	var folders []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			folders = append(folders, path)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("list cgroup %s: %w", folder, err)
	}
	slices.Reverse(folders) // a folder is listed before those in it
	for _, folder := range folders {
		err := os.Remove(folder)
		// A process that ended a moment ago may still be counted.
		for stillUsed(err) && time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond)
			err = os.Remove(folder)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove cgroup: %w", err)
		}
	}
	return nil
}

func stillUsed(err error) bool {
	return errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.ENOTEMPTY)
}
