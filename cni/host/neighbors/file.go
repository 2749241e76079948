package neighbors

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/switchlet/switchlet/cni/host/file"
	"github.com/switchlet/switchlet/lldp/cache"
	"github.com/switchlet/switchlet/lldp/wire"
)

// maxFileSize bounds what is read: cache.MaxNeighbors with LLDPDUs of any size.
const maxFileSize = 16 << 20

// save replaces the file. One that already says the same is not written again.
func save(name string, neighbors []wire.Neighbor) error {
	text, err := cache.Encode(neighbors)
	if err == nil {
		if old, err := file.Read(name, maxFileSize); err == nil && bytes.Equal(old, text) {
			return nil
		}
		err = file.Replace(name, text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("save the LLDP neighbours: %w", err)
	}
	return nil
}

// load reads the file; see cache.Decode. If there is none, nobody is known. If it is
// damaged, it is moved aside, and the error says so.
func load(name string, now time.Time, maxAge time.Duration) ([]wire.Neighbor, error) {
	text, err := file.Read(name, maxFileSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var neighbors []wire.Neighbor
	if err == nil {
		neighbors, err = cache.Decode(text, now, maxAge)
	}
	switch {
	case errors.Is(err, cache.ErrDamaged) || errors.Is(err, file.ErrTooLarge):
		aside := name + ".damaged"
		err = fmt.Errorf("the LLDP neighbours of the last run are lost: %s was unusable and is now %s: %w", name, aside, err)
		return nil, errors.Join(err, os.Rename(name, aside))
	case err != nil:
		return nil, fmt.Errorf("load the LLDP neighbours of the last run: %w", err)
	}
	return neighbors, nil
}
