package converge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/agent/probe"
	"github.com/switchlet/switchlet/agent/report"
)

// An agent that is killed during the trial goes on with it.
func TestKillDuringTheTrial(t *testing.T) {
	for _, test := range []struct {
		name string
		api  bool
	}{{"the API server wants the change", true}, {"the API server cannot be asked", false}} {
		t.Run(test.name, func(t *testing.T) {
			r := onTrial(t)
			r.start()
			r.apply(spec("r1", 100))
			old := r.rows()
			r.config.Rules.Deadline = time.Hour
			r.write(spec("r2", 101))
			r.until("the change is on trial", func(f report.Facts) bool { return f.AppliedRevision == "r2" && f.Confirmed.Reason == "OnTrial" })
			r.link(false)
			r.end()
			r.config.Rules.Deadline = 100 * time.Millisecond
			r.start()
			if test.api {
				r.generation = 1
				r.write(spec("r2", 101))
				r.until("it is taken back", rolledBack("r2"))
			}
			r.becomes("the old rows are back", old)
		})
	}
}

// An agent that comes back in the middle of a change waits for the API server:
// nothing flaps.
func TestRestartDuringTheTrialDoesNotFlap(t *testing.T) {
	r := onTrial(t)
	r.config.Rules.Window, r.config.Orphan = time.Second, time.Hour
	r.start()
	r.apply(spec("r1", 100))
	r.write(spec("r2", 101))
	r.until("the change is on trial", func(f report.Facts) bool { return f.AppliedRevision == "r2" })
	r.end()
	changes := r.follow()
	r.start()
	r.until("the agent waits", func(f report.Facts) bool {
		return strings.HasPrefix(f.Programmed.Message, "An earlier agent was stopped in the middle of revision r2.")
	})
	r.generation = 1
	r.apply(spec("r2", 101))
	if got := changes(); len(got) > 0 {
		t.Errorf("CONFIG_DB was changed: %v", got)
	}
}

// The agent is killed at every command by which it takes a change back: the next
// one ends where the change began.
func TestKillAtEveryCommandOfARollback(t *testing.T) {
	r := onTrial(t)
	r.config.Rules = probe.Rules{Window: 20 * time.Millisecond, Steady: 20 * time.Millisecond, Deadline: 20 * time.Millisecond}
	r.start()
	r.apply(moving("r1", 20001, 100))
	old := r.rows()
	r.end()
	for n, killed := firstKill(t), true; killed; n += *killStep {
		r.link(true)
		change := moving(fmt.Sprintf("r2-%d", n), 20002, int32(101+n)) // other rows each time: what broke something is not tried again
		r.config.Rules.Window = time.Hour
		r.start()
		r.write(change)
		r.until("the change is on trial", func(f report.Facts) bool { return f.AppliedRevision == change.Revision })
		r.end()
		r.link(false)
		killed = r.through(n, func() { r.write(change) }, rolledBack(change.Revision))
		r.start() // without the API server
		r.becomes("the old rows are back", old)
		r.until("it is over", func(f report.Facts) bool { return f.Inventory != nil })
		r.end()
	}
}
