package cache_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/cache"
)

func TestKeyTellsPartsApart(t *testing.T) {
	if cache.Key([]byte("ab"), []byte("c")) == cache.Key([]byte("a"), []byte("bc")) {
		t.Error("the same bytes in other parts have the same key")
	}
}

func TestManyWhoWantOneEntryBuildItOnce(t *testing.T) {
	entry := cache.Entry{Dir: filepath.Join(t.TempDir(), "cache"), Name: "greeting", Key: cache.Key([]byte("hello"))}
	var builds atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			dir, err := entry.Get(t.Context(), func(_ context.Context, dir string) error {
				builds.Add(1)
				return os.WriteFile(filepath.Join(dir, "text"), []byte("hello"), 0o644)
			})
			if err != nil {
				t.Error(err)
				return
			}
			if text, err := os.ReadFile(filepath.Join(dir, "text")); string(text) != "hello" {
				t.Errorf("text = %q, %v, want hello", text, err)
			}
		})
	}
	all.Wait()
	if n := builds.Load(); n != 1 {
		t.Errorf("built %d times, want 1", n)
	}
}

func TestFailedBuildLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	entry := cache.Entry{Dir: dir, Name: "greeting", Key: "0"}
	broken := errors.New("broken")
	_, err := entry.Get(t.Context(), func(_ context.Context, dir string) error {
		if err := os.WriteFile(filepath.Join(dir, "half"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("Get() = %v, want the build's error", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "greeting-*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 || left[0] != entry.Path()+".lock" {
		t.Errorf("left behind: %v, want the lock only", left)
	}
}

// A process that is killed while it builds leaves its folder behind.
func TestInterruptedBuildBeginsAnew(t *testing.T) {
	entry := cache.Entry{Dir: t.TempDir(), Name: "greeting", Key: "0"}
	half := entry.Path() + ".unfinished"
	if err := os.MkdirAll(filepath.Join(half, "half"), 0o755); err != nil {
		t.Fatal(err)
	}
	path, err := entry.Get(t.Context(), func(_ context.Context, dir string) error {
		if dir != half {
			t.Errorf("built in %s, want %s", dir, half)
		}
		return os.WriteFile(filepath.Join(dir, "text"), nil, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	if files, err := os.ReadDir(path); err != nil || len(files) != 1 || files[0].Name() != "text" {
		t.Errorf("the entry has %v, %v, want text only", files, err)
	}
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Errorf("%s is still there (%v)", half, err)
	}
}
