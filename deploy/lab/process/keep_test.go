package process_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/process"
)

func TestKeepStartsAgainUntilItIsTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	attempts := 0
	done := make(chan struct{})
	go func() {
		defer close(done)
		process.Keep(ctx, slog.New(slog.NewTextHandler(io.Discard, nil)), start(t, "exit 1"), func(context.Context) (*process.Process, error) {
			attempts++
			if attempts == 1 {
				return nil, errors.New("no such program")
			}
			cancel() // what is started now is left alone
			return start(t, "exec sleep 60"), nil
		})
	}()
	<-done
	if attempts != 2 {
		t.Errorf("%d attempts to start it again, want 2: one failed, one good", attempts)
	}
}
