package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/deploy/lab/sandbox"
)

// cgroupRoot is where the machine has its cgroups, see cgroups(7).
const cgroupRoot = "/sys/fs/cgroup"

// cgroupMounts makes the node's own cgroup in each hierarchy, and mounts it in
// place of that hierarchy's root: whatever the node's containerd makes is below
// it, however it is called.
func (s Spec) cgroupMounts() ([]sandbox.Mount, error) {
	var root unix.Statfs_t
	if err := unix.Statfs(cgroupRoot, &root); err != nil {
		return nil, fmt.Errorf("%s: %w", cgroupRoot, err)
	}
	if root.Type == unix.CGROUP2_SUPER_MAGIC {
		own, err := makeCgroup(cgroupRoot, s.Cgroup, delegate)
		return []sandbox.Mount{{Source: own, Target: cgroupRoot}}, err
	}
	// Version 1: a folder for each hierarchy, and links for those that go by
	// several names.
	mounts := []sandbox.Mount{{Source: cgroupRoot, Target: cgroupRoot, Flat: true}}
	entries, err := os.ReadDir(cgroupRoot)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		hierarchy := filepath.Join(cgroupRoot, entry.Name())
		own, err := makeCgroup(hierarchy, s.Cgroup, inheritCPUs)
		if err != nil {
			return nil, err
		}
		mounts = append(mounts, sandbox.Mount{Source: own, Target: hierarchy})
	}
	return mounts, nil
}

// makeCgroup makes a cgroup and those above it, and does for each what its
// parent has to pass on.
func makeCgroup(hierarchy, path string, pass func(parent, child string) error) (string, error) {
	parent := hierarchy
	for _, name := range strings.Split(strings.Trim(path, "/"), "/") {
		child := filepath.Join(parent, name)
		if err := os.Mkdir(child, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("make cgroup: %w", err)
		}
		if err := pass(parent, child); err != nil {
			return "", fmt.Errorf("make cgroup %s: %w", child, err)
		}
		parent = child
	}
	return parent, nil
}

// delegate lets a cgroup of version 2 use all controllers that its parent has.
func delegate(parent, _ string) error {
	controllers, err := os.ReadFile(filepath.Join(parent, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, controller := range strings.Fields(string(controllers)) {
		err := os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
		// Some cannot be passed on while the parent has processes of its own.
		if err != nil && !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EOPNOTSUPP) {
			return err
		}
	}
	return nil
}

// inheritCPUs gives a cgroup of version 1 its parent's processors and memory:
// in the hierarchy cpuset a new one has none. Elsewhere there are no such files.
func inheritCPUs(parent, child string) error {
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(parent, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(child, name), value, 0o644); err != nil {
			return err
		}
	}
	return nil
}
