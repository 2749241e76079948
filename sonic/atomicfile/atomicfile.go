// Package atomicfile replaces files of a switch so that after a crash, or a power
// cut, at any moment either the old or the new contents are there, whole.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Write puts text in place of a file, which gets the given mode. Nobody else may
// write the same file at the same time: it is first written beside it, as
// NAME.new.
func Write(name string, text []byte, mode fs.FileMode) error {
	temporary := name + ".new"
	if err := Prepare(temporary, text, func(f *os.File) error { return f.Chmod(mode) }); err != nil {
		return err
	}
	return Install(temporary, name)
}

// Prepare writes a file that is to take the place of another one in the same
// folder, and returns when it has reached the disk. prepare, if not nil, gives it
// its owner and mode; until then it is root's alone. What a killed program left
// under that name is removed, and never followed if it is a link.
func Prepare(temporary string, text []byte, prepare func(*os.File) error) error {
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil && prepare != nil {
		err = prepare(f)
	}
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", temporary, err), os.Remove(temporary))
	}
	return nil
}

// Install renames a prepared file to the one whose place it takes. When it
// returns without an error the new one is there for good.
func Install(temporary, name string) error {
	if err := os.Rename(temporary, name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
