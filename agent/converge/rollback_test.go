package converge_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/switchlet/switchlet/agent/probe"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// uplink is routed on every box.
const uplink = "Ethernet120"

// onTrial is a rig whose changes are on trial for a time that a test can act in,
// and taken back soon.
func onTrial(t *testing.T) *rig {
	t.Helper()
	t.Parallel()
	r := newRig(t)
	r.config.Patience = 10 * time.Second // the default: a part of it is for daemons when a change is taken back
	r.config.Rules = probe.Rules{Window: 400 * time.Millisecond, Steady: 20 * time.Millisecond, Deadline: 300 * time.Millisecond}
	return r
}

// cutOff makes the API server unreachable as long as a row is there.
func (r *rig) cutOff(row string) {
	r.config.APIServer = func(ctx context.Context) error {
		if r.operator.Exists(ctx, row).Val() > 0 {
			return errors.New("no route to host")
		}
		return nil
	}
}

// session is what bgpmon says of a BGP session.
func (r *rig) session(state string) {
	r.t.Helper()
	r.must(r.daemons.Put(r.t.Context(), swss.Write{DB: swss.StateDB, Key: "NEIGH_STATE_TABLE|10.1.1.1", Fields: swss.Row{"state": state}}))
}

func (r *rig) link(plugged bool) {
	r.t.Helper()
	r.must(r.daemons.SetLink(r.t.Context(), uplink, plugged))
}

// written waits for a row.
func (r *rig) written(row string) {
	r.t.Helper()
	r.eventually(row+" is written", func() error {
		if r.operator.Exists(r.t.Context(), row).Val() == 0 {
			return errors.New("it is not there")
		}
		return nil
	})
}

func rolledBack(revision string) func(report.Facts) bool {
	return func(f report.Facts) bool {
		return f.BadRevision == revision && f.Programmed.Reason == "RolledBack" && f.Confirmed.Reason == "RolledBack" && !f.Programmed.OK && !f.Confirmed.OK
	}
}

// A change that breaks what worked before it is taken back by the switch alone,
// and not tried again; the next one is.
func TestChangeThatBreaksSomething(t *testing.T) {
	for _, test := range []struct {
		name       string
		harm, mend func(*rig)
		lost       string
	}{
		{"the API server is cut off", nil, nil, "apiserver: cannot be reached: no route to host"},
		{"an uplink goes down", func(r *rig) { r.link(false) }, func(r *rig) { r.link(true) }, "uplink/Ethernet120: oper_status is down"},
		{"a BGP session is lost", func(r *rig) { r.session("Active") }, func(r *rig) { r.session("Established") }, "bgp/10.1.1.1: state is Active"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := onTrial(t)
			r.session("Established")
			if test.harm == nil {
				r.cutOff("VLAN|Vlan102")
			}
			r.start()
			r.apply(spec("r1", 100, 101))
			old := r.rows()
			begin := time.Now()
			r.write(spec("r2", 101, 102))
			r.written("VLAN|Vlan102")
			if test.harm != nil {
				test.harm(r)
			}
			r.becomes("the old rows are back", old)
			t.Logf("the old rows are back %v after the change came, the deadline being %v", time.Since(begin).Round(time.Millisecond), r.config.Rules.Deadline)
			f := r.until("the reports say so", rolledBack("r2"))
			if !strings.Contains(f.Programmed.Message, test.lost) || f.AppliedRevision != "r1" || f.AppliedGeneration != 1 {
				t.Errorf("facts are %+v", f)
			}
			r.end()
			r.start() // without the API server
			r.until("the agent has looked around", func(f report.Facts) bool { return f.Inventory != nil })
			r.generation = 1
			r.write(spec("r2", 101, 102))
			r.until("it is not tried again after a restart", rolledBack("r2"))
			r.becomes("the old rows stay", old)
			if test.mend != nil {
				test.mend(r)
			}
			r.apply(spec("r3", 101, 103))
			f = r.until("all is well", func(f report.Facts) bool { return f.Rendered.OK })
			if f.BadRevision != "" || len(f.Problems) > 0 {
				t.Errorf("facts are %+v", f)
			}
		})
	}
}

// The owners whose rows were in the change are told, and nobody else.
func TestOwnersOfARolledBackChange(t *testing.T) {
	r := onTrial(t)
	r.cutOff("VLAN|Vlan200")
	r.start()
	first := moving("r1", 20002, 100)
	second := moving("r2", 20002, 100)
	first.Segments = first.Segments[:1] // VLAN 200, of blue, comes in r2
	red := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "tenant", Name: "red"}
	second.Segments[1].Owner = red
	r.apply(first)
	r.write(second)
	f := r.until("it is taken back", rolledBack("r2"))
	owners := map[string]string{}
	for _, p := range f.Problems {
		if p.Reason != "RolledBack" {
			t.Errorf("problem %+v", p)
		}
		owners[p.Owner.String()] = p.Message
	}
	web := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPCAttachment, Namespace: "tenant", Name: "web"}
	if len(owners) != 2 || owners[web.String()] == "" {
		t.Errorf("owners are %v", owners)
	}
	const message = "Revision r2 changes VLAN|Vlan200 and 3 more rows, and was taken back by the switch. What worked before it did not work with it: apiserver: cannot be reached: no route to host. What was in force before stays. It is not tried again before its owner wants something else, or spec.paused of the Switch was true and is false again."
	if got := owners[red.String()]; got != message {
		t.Errorf("message is %q", got)
	}
	r.write(first)
	r.until("they are told nothing any more", func(f report.Facts) bool {
		return len(f.Problems) == 0 && f.Programmed.OK && f.Confirmed.OK && f.BadRevision == ""
	})
}

// What fails for a moment, and what failed before the change, takes nothing back.
func TestChangeThatBreaksNothing(t *testing.T) {
	t.Run("a failure shorter than the deadline", func(t *testing.T) {
		r := onTrial(t)
		r.config.Rules.Deadline = 10 * time.Second
		var asked atomic.Int32
		r.config.APIServer = func(context.Context) error { asked.Add(1); return nil }
		r.start()
		r.apply(spec("r1", 100))
		r.write(spec("r2", 100, 101))
		r.written("VLAN|Vlan101")
		r.link(false)
		before := asked.Load()
		r.eventually("the failure lasts for longer than the window", func() error {
			if n := asked.Load() - before; n < 6 { // four times in each window
				return fmt.Errorf("the probes were asked %d times", n)
			}
			return nil
		})
		f := r.until("it is on trial", func(f report.Facts) bool { return f.AppliedRevision == "r2" })
		if f.Confirmed.Reason != "OnTrial" {
			t.Errorf("confirmed is %+v", f.Confirmed)
		}
		r.link(true)
		r.until("it is confirmed", func(f report.Facts) bool { return f.Confirmed.Reason == "Confirmed" && f.BadRevision == "" })
	})
	t.Run("a failure before the change", func(t *testing.T) {
		r := onTrial(t)
		r.link(false)
		r.start()
		r.apply(spec("r1", 100))
	})
}

// Changes that come faster than the trial lasts are confirmed one after the
// other, so that not all of them go when the last one breaks something.
func TestStreamOfChanges(t *testing.T) {
	r := onTrial(t)
	r.start()
	r.apply(spec("r0", 100))
	last := int32(0)
	for begin := time.Now(); time.Since(begin) < 4*r.config.Rules.Window; {
		last++
		revision := "r" + strconv.Itoa(int(last)) + time.Now().String()
		r.write(spec(revision, 100, 101+last))
		r.until("it is written", func(f report.Facts) bool { return f.AppliedRevision == revision })
	}
	r.link(false)
	r.until("the last one is taken back", func(f report.Facts) bool { return f.BadRevision != "" })
	good, err := os.ReadFile(filepath.Join(r.box.StateDir(), "last-good.json"))
	r.must(err)
	if strings.Contains(string(good), `"revision":"r0"`) {
		t.Error("none of the changes was confirmed")
	}
	t.Logf("%d changes", last)
}

// What is confirmed is written again after a change by hand, whatever else
// breaks meanwhile: it is not bad, and nothing goes back and forth.
func TestRepairIsNotOnTrial(t *testing.T) {
	r := onTrial(t)
	r.byHand = true
	r.start()
	r.apply(spec("r1", 100))
	want := r.rows()
	r.del("VLAN_MEMBER|Vlan100|Ethernet0")
	r.link(false)
	r.becomes("it is put back", want)
	changes := r.follow()
	if f := r.looks(); f.BadRevision != "" || f.Confirmed.Reason != "Confirmed" {
		t.Errorf("facts are %+v", f)
	}
	if got := changes(); len(got) > 0 {
		t.Errorf("CONFIG_DB was changed: %v", got)
	}
}

// Whoever goes back to the last good revision by hand, during the trial, is not
// stopped by what stays broken.
func TestBackToTheLastGoodRevision(t *testing.T) {
	r := onTrial(t)
	r.start()
	r.apply(spec("r1", 100))
	old := r.rows()
	r.write(spec("r2", 101))
	r.written("VLAN|Vlan101")
	r.link(false)
	r.apply(spec("r1", 100))
	r.becomes("the old rows are back", old)
	if f := r.until("facts", func(report.Facts) bool { return true }); f.BadRevision != "" {
		t.Errorf("facts are %+v", f)
	}
}

// That something worked while a change was being written says nothing about the
// change: its trial begins when it is all written.
func TestTrialBeginsWhenAllIsWritten(t *testing.T) {
	r := onTrial(t)
	r.cutOff("VLAN|Vlan102")
	r.start()
	r.apply(spec("r1", 100, 101))
	old := r.rows()
	// The last marker that is waited for takes longer than the trial.
	r.must(r.daemons.Slow(t.Context(), "VLAN_MEMBER|Vlan100|Ethernet0", 2*r.config.Rules.Window))
	r.write(spec("r2", 101, 102))
	r.until("it is taken back", rolledBack("r2"))
	r.becomes("the old rows are back", old)
}
