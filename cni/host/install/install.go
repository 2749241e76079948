// Package install puts the CNI plugin into the folder in which a node's container
// runtime looks for plugins. Pods may start meanwhile, and the installer may be
// killed: at any moment the folder has the plugin that was there, or the new one,
// whole.
package install

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Mode of the plugin: a runtime may run as somebody else than root.
const Mode = 0o755

// Program puts the program from into the folder to, under its own name, and
// reports whether that changed anything: an equal file is left alone.
func Program(from, to string) (changed bool, err error) {
	text, err := os.ReadFile(from)
	if err == nil && len(text) == 0 {
		err = fmt.Errorf("%s is empty", from)
	}
	if err != nil {
		return false, fmt.Errorf("program to install: %w", err)
	}
	target := filepath.Join(to, filepath.Base(from))
	if changed, err = place(text, to, target); err != nil {
		return false, fmt.Errorf("install %s: %w", target, err)
	}
	return changed, nil
}

func place(text []byte, folder, target string) (changed bool, err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return false, err
	}
	dir, err := os.Open(folder)
	if err != nil {
		return false, err
	}
	defer dir.Close()
	// Two that write the same temporary file would mix what they write. The lock
	// ends with the process.
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX); err != nil {
		return false, fmt.Errorf("lock %s: %w", folder, err)
	}
	if same, err := equal(target, text); same || err != nil {
		return false, err
	}
	// The plugin that is there may be running: its file must not be written to
	// (execve(2), ETXTBSY), and goes on existing until it ends.
	fresh := filepath.Join(folder, "."+filepath.Base(target)+".new")
	if err := write(fresh, text); err != nil {
		return false, err
	}
	if err := os.Rename(fresh, target); err != nil {
		return false, errors.Join(err, os.Remove(fresh))
	}
	return true, dir.Sync()
}

// equal reports whether a file is there, for everybody to run, with this in it.
func equal(name string, text []byte) (bool, error) {
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if info.Mode() != Mode || info.Size() != int64(len(text)) {
		return false, nil
	}
	have, err := os.ReadFile(name)
	return bytes.Equal(have, text), err
}

// write writes a program, over what an installer that was killed has left, and
// returns when it has reached the disk.
func write(name string, text []byte) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(Mode), f.Sync(), f.Close()) // whatever the umask is
	if err != nil {
		err = errors.Join(err, os.Remove(name)) // a disk that is full
	}
	return err
}
