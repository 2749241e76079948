package labtest

import (
	"context"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/swss"
	"github.com/switchlet/switchlet/deploy/lab/swss/live"
)

// Daemons runs the stand-in for SONiC's daemons on a box, which act at once,
// until the test ends.
func Daemons(t testing.TB, b *box.Box) *live.Service {
	t.Helper()
	s, err := live.New(live.Config{DatabaseConfig: b.DatabaseConfig()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if err := s.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// NoMistakes fails the test if a writer made any that the daemons count, or
// made them log an error.
func NoMistakes(t testing.TB, s *live.Service) {
	t.Helper()
	if mistakes := s.Mistakes(); len(mistakes) > 0 {
		t.Errorf("mistakes:\n%s", swss.Report(mistakes))
	}
	for _, line := range s.Errors() {
		t.Errorf("the daemons logged: %s", line)
	}
}
