package converge_test

import (
	"testing"
	"time"

	"github.com/switchlet/switchlet/agent/report"
)

// An agent that may not write, or does not know what, has nothing to do: it does not look
// again and again at what it will do later.
func TestAgentRests(t *testing.T) {
	for _, test := range []struct {
		name string
		rest func(r *rig)
	}{
		{"it has never heard of a spec", func(r *rig) {
			r.start()
		}},
		{"it is paused before a change, and was restarted", func(r *rig) {
			r.start()
			r.apply(spec("r1", 100))
			r.pause(true)
			r.write(spec("r2", 101))
			r.until("it is paused", func(f report.Facts) bool { return f.Programmed.Reason == "Paused" })
			r.end()
			r.start()
			r.pause(true)
			r.write(spec("r2", 101))
			r.until("it is paused again", func(f report.Facts) bool { return f.Programmed.Reason == "Paused" })
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			test.rest(r)
			r.until("it is connected", func(f report.Facts) bool { return f.Connected.OK })
			const while = time.Second // how often it looks takes time to see
			before := r.reported()
			time.Sleep(while)
			if rounds := r.reported() - before; rounds > 10 {
				t.Errorf("%d rounds within %v", rounds, while)
			}
		})
	}
}
