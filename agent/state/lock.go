package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Lock has the folder be this agent's alone, until it is released or the agent ends.
// While another agent has it, as when its pod has not ended yet, busy is called once and
// its end is waited for. The folder is made if there is none.
func Lock(ctx context.Context, dir string, busy func()) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("lock the state on disk: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the state on disk: %w", err)
	}
	err = flock(f, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		busy()
		return await(ctx, f)
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", f.Name(), errors.Join(err, f.Close()))
	}
	return func() { _ = f.Close() }, nil // which unlocks
}

// await waits for the lock. If ctx is done before, the kernel's wait goes on, and what it
// gives is given back.
func await(ctx context.Context, f *os.File) (release func(), err error) {
	locked := make(chan error, 1)
	go func() { locked <- flock(f, unix.LOCK_EX) }()
	select {
	case err = <-locked:
	case <-ctx.Done():
		go func() { <-locked; _ = f.Close() }()
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", f.Name(), errors.Join(err, f.Close()))
	}
	return func() { _ = f.Close() }, nil
}

func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
