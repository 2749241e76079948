package labtest

import (
	"context"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/swss"
	"github.com/switchlet/switchlet/deploy/lab/swss/live"
)

// restTimeout is generous: daemons come to rest within milliseconds.
const restTimeout = 30 * time.Second

// Daemons are the stand-in for SONiC's daemons on a box, once they have come to
// rest. It may be called in a Cleanup too.
func Daemons(t testing.TB, b *box.Box) *live.Service {
	t.Helper()
	if b.Daemons() == nil {
		t.Fatal("the box has no daemons: leave out box.Config.NoDaemons")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), restTimeout)
	defer cancel()
	if err := b.Daemons().Quiet(ctx); err != nil {
		t.Fatal(err)
	}
	return b.Daemons()
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
