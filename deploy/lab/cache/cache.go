// Package cache keeps what takes long to build. An entry is a folder named
// after a hash of everything that went into it, so it never has to be
// invalidated; it appears complete or not at all; and deleting the whole cache
// costs only time.
package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/switchlet/switchlet/deploy/lab/filelock"
)

// Dir is where the cache is: $SWITCHLET_CACHE, else switchlet in
// $XDG_CACHE_HOME, else in $HOME/.cache.
func Dir() (string, error) {
	if dir := os.Getenv("SWITCHLET_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("where is the cache? set SWITCHLET_CACHE or HOME: %w", err)
	}
	return filepath.Join(dir, "switchlet"), nil
}

// Key is a hash of the given parts, which together must be all that a build
// depends on.
func Key(parts ...[]byte) string {
	hash := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(hash, "%d\n", len(part)) // so that moving bytes between parts changes the hash
		hash.Write(part)
	}
	return hex.EncodeToString(hash.Sum(nil))[:16]
}

// Entry names a folder in a cache.
type Entry struct {
	// Dir of the cache.
	Dir string
	// Name of what is built, such as "kubernetes".
	Name string
	// Key of its inputs.
	Key string
}

// Path of the entry's folder, whether it is there or not.
func (e Entry) Path() string { return filepath.Join(e.Dir, e.Name+"-"+e.Key) }

// Exists says whether the entry is there.
func (e Entry) Exists() (bool, error) {
	_, err := os.Stat(e.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Get returns the entry's folder. If it is not there, build fills a temporary
// folder, which then becomes the entry. Of several processes that want the same
// entry at the same time one builds and the others wait for it.
func (e Entry) Get(ctx context.Context, build func(ctx context.Context, dir string) error) (string, error) {
	if ok, err := e.Exists(); ok || err != nil {
		return e.Path(), err
	}
	if err := os.MkdirAll(e.Dir, 0o755); err != nil {
		return "", err
	}
	unlock, err := filelock.Lock(ctx, e.Path()+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if ok, err := e.Exists(); ok || err != nil {
		return e.Path(), err // built while this process waited for the lock
	}
	dir := e.Path() + ".unfinished"
	if err := os.RemoveAll(dir); err != nil { // of a process that was killed while it built
		return "", err
	}
	if err := e.fill(ctx, dir, build); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return e.Path(), nil
}

func (e Entry) fill(ctx context.Context, dir string, build func(ctx context.Context, dir string) error) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := build(ctx, dir); err != nil {
		return err
	}
	return os.Rename(dir, e.Path())
}
