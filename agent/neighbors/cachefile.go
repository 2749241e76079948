package neighbors

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/switchlet/switchlet/sonic/atomicfile"
)

// cacheFile is the file in the agent's folder.
type cacheFile string

func newCacheFile(dir string) cacheFile { return cacheFile(filepath.Join(dir, "neighbors")) }

// maxCacheSize bounds what is read: a full one has 2 MiB.
const maxCacheSize = 8 << 20

// load reads the file. damage tells, for people, what was unusable and is set
// aside. The error is one of the disk.
func (f cacheFile) load() (c cached, damage string, err error) {
	text, err := f.read()
	if errors.Is(err, fs.ErrNotExist) {
		return cached{}, "", nil
	}
	if err == nil {
		c, err = decodeCache(text)
	}
	if errors.Is(err, errDamaged) {
		aside := string(f) + ".damaged"
		if err := os.Rename(string(f), aside); err != nil {
			return cached{}, "", fmt.Errorf("open the record of neighbours: %w", err)
		}
		return cached{}, fmt.Sprintf("%s was unusable (%v) and is now %s; neighbours are known when they are heard", f, err, aside), nil
	}
	if err != nil {
		return cached{}, "", fmt.Errorf("open the record of neighbours: %w", err)
	}
	return c, "", nil
}

func (f cacheFile) read() ([]byte, error) {
	file, err := os.Open(string(f))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxCacheSize+1))
	if err == nil && len(text) > maxCacheSize {
		err = fmt.Errorf("%w: it is larger than %d bytes", errDamaged, maxCacheSize)
	}
	return text, err
}

// save replaces the file so that after a crash at any moment either the old or
// the new one is there.
func (f cacheFile) save(c cached) error {
	text, err := encodeCache(c)
	if err == nil {
		err = atomicfile.Write(string(f), text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("record the neighbours: %w", err)
	}
	return nil
}
