package filelock_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/filelock"
)

func TestTheSecondWaitsForTheFirst(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lock")
	unlock, err := filelock.Lock(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := filelock.Lock(impatient, file); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Lock() of a locked file = %v, want to wait until the deadline", err)
	}
	unlock()
	unlock, err = filelock.Lock(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}
