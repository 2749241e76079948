package cache

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/switchlet/switchlet/lldp/wire"
)

// maxFileSize bounds what is read from disk: MaxNeighbors with LLDPDUs of any size.
const maxFileSize = 16 << 20

// Save replaces the file, so that after a crash at any moment either the old or the
// new contents are there. A file that already says the same is not written again.
func Save(name string, neighbors []wire.Neighbor) error {
	text, err := Encode(neighbors)
	if err != nil {
		return fmt.Errorf("save the LLDP neighbours: %w", err)
	}
	if old, err := read(name); err == nil && bytes.Equal(old, text) {
		return nil
	}
	if err := replace(name, text); err != nil {
		return fmt.Errorf("save the LLDP neighbours: %w", err)
	}
	return nil
}

// Load reads the file; see Decode. If there is none, nobody is known. If it is
// damaged, it is moved aside, and the error says so and wraps ErrDamaged.
func Load(name string, now time.Time, maxAge time.Duration) ([]wire.Neighbor, error) {
	text, err := read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var neighbors []wire.Neighbor
	if err == nil {
		neighbors, err = Decode(text, now, maxAge)
	}
	if errors.Is(err, ErrDamaged) {
		aside := name + ".damaged"
		err = fmt.Errorf("the LLDP neighbours of the last run are lost: %s was unusable and is now %s: %w", name, aside, err)
		return nil, errors.Join(err, os.Rename(name, aside))
	}
	if err != nil {
		return nil, fmt.Errorf("load the LLDP neighbours of the last run: %w", err)
	}
	return neighbors, nil
}

func read(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err == nil && len(text) > maxFileSize {
		err = fmt.Errorf("%w: it is larger than %d octets", ErrDamaged, maxFileSize)
	}
	return text, err
}

func replace(name string, text []byte) error {
	temporary := name + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", temporary, err)
	}
	if err := os.Rename(temporary, name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
