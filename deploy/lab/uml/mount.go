package uml

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// inMemory are the folders that are new and empty.
func inMemory() []string { return []string{"/run", "/tmp"} }

// mountAll mounts what a machine has besides its disk.
func (cfg Config) mountAll() error {
	kept, err := cfg.openKept()
	if err != nil {
		return err
	}
	for _, m := range []struct{ kind, target string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"devpts", "/dev/pts"},
		{"tmpfs", "/dev/shm"}, {"cgroup2", "/sys/fs/cgroup"}, {"tmpfs", "/run"}, {"tmpfs", "/tmp"},
	} {
		if strings.HasPrefix(m.target, "/dev/") { // which is the kernel's
			if err := os.Mkdir(m.target, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
		}
		err := unix.Mount(m.kind, m.target, m.kind, 0, "")
		if err != nil && !errors.Is(err, unix.EBUSY) { // the kernel has mounted it already
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	if err := os.Chmod("/tmp", 0o1777); err != nil {
		return err
	}
	for path, folder := range kept {
		if err := errors.Join(bindKept(folder, path), folder.Close()); err != nil {
			return fmt.Errorf("keep %s: %w", path, err)
		}
	}
	return nil
}

// openKept opens the folders to keep that will be covered.
func (cfg Config) openKept() (map[string]*os.File, error) {
	open := map[string]*os.File{}
	for _, path := range append([]string{cfg.Dir}, cfg.Keep...) {
		if open[path] != nil || !covered(path) {
			continue
		}
		folder, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("keep: %w", err)
		}
		open[path] = folder
	}
	return open, nil
}

// covered says whether a folder lies below one that is new and empty.
func covered(path string) bool {
	for _, top := range inMemory() {
		if strings.HasPrefix(filepath.Clean(path), top+"/") {
			return true
		}
	}
	return false
}

func bindKept(folder *os.File, path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	return unix.Mount(fmt.Sprintf("/proc/self/fd/%d", folder.Fd()), path, "", unix.MS_BIND, "")
}
