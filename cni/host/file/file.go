// Package file reads and replaces files of the host that somebody may look at, or
// the power may fail, at any moment: what is found is what was there before, or
// what came, whole.
package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ErrTooLarge is wrapped when a file is larger than it can be; its text is the way out.
var ErrTooLarge = errors.New("move it away")

// Read reads a file that has most octets at most.
func Read(name string, most int) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err == nil && len(text) > most {
		err = fmt.Errorf("%s is larger than %d octets: %w", name, most, ErrTooLarge)
	}
	return text, err
}

// Replace puts a file in the place of the one before, and returns when it has
// reached the disk. Of two at the same time one has to wait for the other.
func Replace(name string, text []byte, mode fs.FileMode) error {
	// What was there may be open, or running (execve(2), ETXTBSY): it must not be
	// written to, and goes on existing for whoever has it.
	fresh := beside(name)
	if err := Write(fresh, text, mode); err != nil {
		return err
	}
	if err := os.Rename(fresh, name); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return Sync(filepath.Dir(name))
}

// beside is the name under which a file is written. A reader of all files of a
// folder passes over it: by its first character, or by its last ones.
func beside(name string) string {
	folder, base := filepath.Split(name)
	return filepath.Join(folder, "."+base+".new")
}

// Write writes a file that is not there, or over what a program that was killed has
// left, and returns when it has reached the disk.
func Write(name string, text []byte, mode fs.FileMode) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()) // whatever the umask is
	if err != nil {
		err = errors.Join(err, os.Remove(name)) // a disk that is full
	}
	return err
}

// Sync returns when the names in a folder have reached the disk.
func Sync(folder string) error {
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
