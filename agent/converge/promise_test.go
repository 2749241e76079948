package converge_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/switchlet/switchlet/agent/probe"
)

// The promise, with the times that the agent has by default: what breaks
// something is taken back within 15 s, by the switch alone.
func TestTakenBackWithinFifteenSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 11 seconds")
	}
	t.Parallel()
	r := newRig(t)
	r.config.Rules = probe.Rules{}
	broken := make(chan struct{})
	r.config.APIServer = func(context.Context) error {
		select {
		case <-broken:
			return errors.New("no route to host")
		default:
			return nil
		}
	}
	r.start()
	r.write(spec("r1", 100))
	r.written("VLAN|Vlan100")
	begin := time.Now()
	close(broken)
	r.becomes("what was there before is back", r.before)
	if took := time.Since(begin); took > 15*time.Second {
		t.Errorf("it took %v", took)
	} else {
		t.Logf("it took %v", took.Round(time.Millisecond))
	}
	r.until("the reports say so", rolledBack("r1"))
}
