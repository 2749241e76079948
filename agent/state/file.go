package state

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"

	"github.com/switchlet/switchlet/sonic/atomicfile"
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
func replace(name string, text []byte) error { return atomicfile.Write(name, text, 0o600) }

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
