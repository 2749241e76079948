package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	disk "github.com/switchlet/switchlet/cni/host/file"
)

// maxSize bounds what is read from disk, in octets. A host that is full, 1,000
// attachments and 1,024 networks whose addresses were all used, needs 6 MiB.
const maxSize = 64 << 20

// mode of the file: it is root's alone.
const mode = 0o600

// file is the journal on the disk. It is open while it is whole.
type file struct {
	name string

	turn  chan struct{} // full while somebody writes
	open  *os.File
	whole bool // it says what memory does, and can be appended to
}

func newFile(name string) *file { return &file{name: name, turn: make(chan struct{}, 1)} }

// load reads the file, and says what of it made no sense.
func (f *file) load(tell func(record)) (damage []string, err error) {
	text, err := disk.Read(f.name, maxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	bad, whole := decode(text, tell)
	if len(bad) > 0 {
		aside := f.name + ".damaged"
		if err := disk.Replace(aside, text, mode); err != nil {
			return nil, err
		}
		damage = append(damage, fmt.Sprintf("%s has lines that make no sense, and a copy is kept as %s: %v", f.name, aside, errors.Join(bad...)))
	}
	if !whole {
		return damage, nil
	}
	f.open, err = os.OpenFile(f.name, os.O_WRONLY|os.O_APPEND, 0)
	f.whole = err == nil
	return damage, err
}

// append adds lines, and returns when they have reached the disk.
func (f *file) append(text []byte) error {
	f.whole = false
	if _, err := f.open.Write(text); err != nil {
		return err
	}
	if err := syscall.Fdatasync(int(f.open.Fd())); err != nil {
		return fmt.Errorf("sync %s: %w", f.name, err)
	}
	f.whole = true
	return nil
}

// replace puts a new file in its place: after a crash at any moment either one is
// there, whole.
func (f *file) replace(text []byte) error {
	f.whole = false
	if f.open != nil {
		_ = f.open.Close() // what it held is in text
		f.open = nil
	}
	err := disk.Replace(f.name, text, mode)
	if err != nil {
		return err
	}
	f.open, err = os.OpenFile(f.name, os.O_WRONLY|os.O_APPEND, 0)
	f.whole = err == nil
	return err
}
