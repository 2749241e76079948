package state_test

import (
	"context"
	"errors"
	"testing"

	"github.com/switchlet/switchlet/agent/state"
)

// Two agents never have the folder of a switch at once: one waits until the other has
// ended, or is told to end itself.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	release, err := state.Lock(t.Context(), dir, func() { t.Error("nobody has it") })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := state.Lock(ctx, dir, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("of one that is told to end: %v", err)
	}
	waits, got := make(chan bool), make(chan error)
	go func() {
		release, err := state.Lock(t.Context(), dir, func() { close(waits) })
		if err == nil {
			release()
		}
		got <- err
	}()
	<-waits
	select {
	case err := <-got:
		t.Fatalf("both have it: %v", err)
	default:
	}
	release()
	if err := <-got; err != nil {
		t.Error(err)
	}
}
