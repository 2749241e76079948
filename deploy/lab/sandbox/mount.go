package sandbox

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// mount makes all mounts and changes the root. Nothing of it is seen outside.
func (cfg Config) mount() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return fmt.Errorf("keep mounts from the outside: %w", err)
	}
	if cfg.Root != "" {
		// A root has to be a mount.
		if err := unix.Mount(cfg.Root, cfg.Root, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("mount %s: %w", cfg.Root, err)
		}
	}
	for _, m := range cfg.Mounts {
		if err := m.mount(cfg.Root); err != nil {
			return fmt.Errorf("mount %s: %w", m.Target, err)
		}
	}
	if cfg.Root == "" {
		return nil
	}
	return changeRoot(cfg.Root)
}

func (m Mount) mount(root string) error {
	target := filepath.Join(root, m.Target)
	if err := m.makeTarget(target); err != nil {
		if m.Optional {
			return nil
		}
		return err
	}
	if m.Type != "" {
		flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV)
		if !m.Exec {
			flags |= unix.MS_NOEXEC
		}
		return unix.Mount(m.Type, target, m.Type, flags, "")
	}
	flags := uintptr(unix.MS_BIND | unix.MS_REC)
	if m.Flat {
		flags = unix.MS_BIND
	}
	if err := unix.Mount(m.Source, target, "", flags, ""); err != nil {
		return err
	}
	if !m.ReadOnly {
		return nil
	}
	return unix.Mount("", target, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
}

// makeTarget makes an empty file for a file and a folder for anything else.
func (m Mount) makeTarget(target string) error {
	if _, err := os.Stat(target); err == nil {
		return nil
	}
	if m.Type == "" {
		info, err := os.Stat(m.Source)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
				return err
			}
			return os.WriteFile(target, nil, 0o644)
		}
	}
	return os.MkdirAll(target, 0o755)
}

// changeRoot makes a folder the root. The new root is shared, as the root of a
// machine is under systemd, so that what a kubelet mounts for a pod reaches the
// pod.
func changeRoot(root string) error {
	if err := os.Chdir(root); err != nil {
		return err
	}
	// The old root ends up on top of the new one and is taken away.
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change root to %s: %w", root, err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the old root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	return unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, "")
}
