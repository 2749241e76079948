package converge_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic/frr"
)

// FRR forgets everything when its container restarts, and is told again. While
// nothing happens nothing is sent.
func TestFRRRestarts(t *testing.T) {
	r := newRoutedRig(t)
	r.boot()
	r.told(routed("r1", 1, 2))
	r.frr.commands()
	var reads int
	r.frr.use(func() { reads = r.frr.reads })
	r.eventually("FRR is asked again and again", func() error {
		var now int
		r.frr.use(func() { now = r.frr.reads })
		if now < reads+3 {
			return fmt.Errorf("it was asked %d times", now-reads)
		}
		return nil
	})
	if sent := r.frr.commands(); len(sent) > 0 {
		t.Errorf("FRR was told %q", sent)
	}
	r.frr.use(func() { r.frr.tree = nil })
	r.has("FRR is told again", routed("r1", 1, 2))
	r.end()
	r.frr.commands()
	r.boot()
	r.told(routed("r1", 1, 2))
	if sent := r.frr.commands(); len(sent) > 0 {
		t.Errorf("after a restart of the agent FRR was told %q", sent)
	}
}

// An agent that ends after any number of commands to FRR is followed by one that
// goes on to exactly what is wanted, and nothing of others' is touched.
func TestEndAfterAnyCommandToFRR(t *testing.T) {
	r := newRoutedRig(t)
	r.config.Patience = 100 * time.Millisecond // FRR is away for good
	r.config.Orphan = time.Minute
	mine := frr.Tree{{Line: "route-map RM_SET_SRC permit 10", Inside: frr.Tree{{Line: "set src 10.1.0.32"}}}}
	r.frr.tree = append(r.frr.tree, mine...)
	old, next := routed("r0", 1, 2), routed("r1", 2, 3)
	next.BGP.Uplinks = []string{"Ethernet52", "Ethernet56"}
	r.boot()
	r.told(old)
	for commands := 0; ; commands += 2 {
		r.frr.use(func() { r.frr.cut = commands })
		next.Revision, old.Revision = fmt.Sprintf("next%d", commands), fmt.Sprintf("old%d", commands)
		r.write(next)
		through := false
		r.until("the connection breaks, or all is told", func(f report.Facts) bool {
			through = f.Routed.OK && f.AppliedRevision == next.Revision
			return through || f.Routed.Reason == "FRRUnreachable"
		})
		r.end()
		r.frr.use(func() { r.frr.cut, r.frr.down = -1, false })
		r.boot()
		r.told(next)
		r.hasBeside("the next spec, after "+fmt.Sprint(commands), mine, next)
		r.told(old)
		r.hasBeside("the old one again, after "+fmt.Sprint(commands), mine, old)
		if through {
			t.Logf("%d commands", commands)
			return
		}
	}
}

func (r *routedRig) hasBeside(what string, others frr.Tree, spec v1alpha1.SwitchConfigSpec) {
	r.t.Helper()
	want := words(wantFRR(r.t, spec), sortedTree(others))
	r.eventually(what, func() error {
		var got map[string]bool
		r.frr.use(func() { got = words(sortedTree(r.frr.tree)) })
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("FRR's statements (-want +got):\n%s", diff)
		}
		return nil
	})
}

// When the record is lost, what FRR has exactly as wanted is the agent's.
func TestStatementsLost(t *testing.T) {
	r := newRoutedRig(t)
	r.boot()
	r.told(routed("r1", 1, 2))
	r.end()
	r.frr.commands()
	r.must(os.Remove(filepath.Join(r.box.StateDir(), "frr-statements")))
	r.boot()
	r.told(routed("r1", 1, 2))
	if sent := r.frr.commands(); len(sent) > 0 {
		t.Errorf("FRR was told %q", sent)
	}
	r.told(routed("r2", 2))
	r.has("they go when they are not wanted", routed("r2", 2))
}

// An FRR that cannot be reached keeps nobody's VLANs waiting; it is told later.
func TestFRRUnreachable(t *testing.T) {
	for _, test := range []struct {
		name  string
		away  func(*fakeFRR)
		again func(*fakeFRR)
	}{
		{"refuses connections", func(f *fakeFRR) { f.down = true }, func(f *fakeFRR) { f.down = false }},
		{"hangs", func(f *fakeFRR) { f.hangs = make(chan struct{}) }, func(f *fakeFRR) { close(f.hangs); f.hangs = nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRoutedRig(t)
			r.boot()
			r.told(routed("r1", 1, 2))
			r.frr.use(func() { test.away(r.frr) })
			// A marker that comes a little later than others was not waited for since FRR was.
			r.must(r.daemons.Slow(t.Context(), "VLAN_INTERFACE|Vlan103", 200*time.Millisecond))
			begin := time.Now()
			generation := r.write(routed("r2", 2, 3))
			r.until("CONFIG_DB has it", func(f report.Facts) bool { return f.AppliedGeneration == generation && f.Programmed.OK })
			if took := time.Since(begin); took > 10*time.Second {
				t.Errorf("CONFIG_DB waited %v for FRR", took)
			}
			if rows := r.rows(); rows["VRF|Vrf20001"] != nil || rows["VRF|Vrf20003"] == nil {
				t.Errorf("CONFIG_DB does not have r2: %v", rows)
			}
			if test.name == "refuses connections" {
				f := r.until("the condition says so", func(f report.Facts) bool { return f.Routed.Reason == "FRRUnreachable" })
				if !strings.Contains(f.Routed.Message, "connection refused (asked by way of a fake)") || !f.Programmed.OK {
					t.Errorf("facts are %+v", f)
				}
			}
			r.frr.use(func() { test.again(r.frr) })
			r.has("FRR is told when it is back", routed("r2", 2, 3))
			r.until("and the conditions say so", func(f report.Facts) bool { return f.Routed.OK && f.Confirmed.Reason == "Confirmed" })
		})
	}
}
