package converge_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/switchlet/switchlet/agent/probe"
)

// The promise, with the times that the agent has by default: what breaks
// something is taken back within 15 s, by the switch alone. That holds also when
// a daemon does not follow and half of the change is still to be written, however
// long the agent would wait for it.
func TestTakenBackWithinFifteenSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 11 seconds")
	}
	const member, address = "VLAN_MEMBER|Vlan101|Ethernet0", "VLAN_INTERFACE|Vlan101|10.1.101.1/24"
	for _, test := range []struct {
		name, hang string
		patience   time.Duration
	}{
		{"all is written", "", 0},
		{"a marker does not come", member, 0},
		{"a marker is waited for longer than that", member, time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.start()
			r.apply(spec("r1", 100, 101))
			old := r.rows()
			r.end()
			if test.hang != "" {
				r.hang(test.hang)
			}
			r.config.Rules, r.config.Patience = probe.Rules{}, test.patience
			r.cutOffWithout(address)
			r.start()
			begin := time.Now()
			r.generation = 1
			r.write(spec("r2", 100, 102))
			r.gone(address)
			r.written(address)
			if took := time.Since(begin); took > 15*time.Second {
				t.Errorf("it took %v", took)
			} else {
				t.Logf("it took %v", took.Round(time.Millisecond))
			}
			r.heal()
			r.becomes("what was there before is back", old)
			r.until("the reports say so", rolledBack("r2"))
		})
	}
}

// cutOffWithout makes the API server unreachable while a row is not there.
func (r *rig) cutOffWithout(row string) {
	r.config.APIServer = func(ctx context.Context) error {
		if n, err := r.operator.Exists(ctx, row).Result(); err == nil && n == 0 {
			return errors.New("no route to host")
		}
		return nil
	}
}

// gone waits until a row is not there.
func (r *rig) gone(row string) {
	r.t.Helper()
	r.eventually(row+" is gone", func() error {
		if r.operator.Exists(r.t.Context(), row).Val() > 0 {
			return errors.New("it is there")
		}
		return nil
	})
}
