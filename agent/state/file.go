package state

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFileSize bounds what is read from disk; a full switch needs 2 MiB.
const maxFileSize = 64 << 20

// errDamaged says that a file is there and its contents make no sense.
var errDamaged = errors.New("damaged")

// checksum is CRC-32C (RFC 3720, appendix B.4).
func checksum(text []byte) uint32 { return crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)) }

// readFile reads a file of bounded size. A missing one is fs.ErrNotExist.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err == nil && len(text) > maxFileSize {
		err = fmt.Errorf("%s is larger than %d bytes: %w", name, maxFileSize, errDamaged)
	}
	return text, err
}

// replace writes a file so that after a crash at any moment either the old or
// the new contents are there.
func replace(name string, text []byte) error {
	temporary := name + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", temporary, err)
	}
	if err := os.Rename(temporary, name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// syncDir makes renames in a folder survive a crash.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// setAside renames a damaged file, in place of the one before, so that they
// never fill the disk.
func setAside(name string) (string, error) {
	aside := name + ".damaged"
	err := os.Rename(name, aside)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return aside, err
}
