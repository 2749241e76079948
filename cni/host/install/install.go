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

	"github.com/switchlet/switchlet/cni/host/file"
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
	if changed, err = place(text, to, target, Mode); err != nil {
		return false, fmt.Errorf("install %s: %w", target, err)
	}
	return changed, nil
}

func place(text []byte, folder, target string, mode fs.FileMode) (changed bool, err error) {
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
	if same, err := equal(target, text, mode); same || err != nil {
		return false, err
	}
	if err := file.Replace(target, text, mode); err != nil {
		return false, err
	}
	return true, nil
}

// equal reports whether a file is there, with this in it and these rights.
func equal(name string, text []byte, mode fs.FileMode) (bool, error) {
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if info.Mode() != mode || info.Size() != int64(len(text)) {
		return false, nil
	}
	have, err := os.ReadFile(name)
	return bytes.Equal(have, text), err
}
