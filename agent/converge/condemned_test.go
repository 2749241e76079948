package converge_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// What broke something does not come back with the next revision, which is made
// for somebody else: its owner keeps what it had, also after a restart, until it
// wants something else or people let it try again.
func TestWhatBrokeSomethingStaysOut(t *testing.T) {
	r := onTrial(t)
	r.cutOff("VLAN|Vlan102")
	r.start()
	red := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "tenant", Name: "red"}
	attachment := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPCAttachment, Namespace: "tenant", Name: "red"}
	with := func(revision string, vlans ...int32) v1alpha1.SwitchConfigSpec {
		s := spec(revision, vlans...)
		for i := range s.Segments {
			if s.Segments[i].VLAN == 102 || s.Segments[i].VLAN == 104 {
				s.Segments[i].Owner, s.Segments[i].Ports[0].Owner = red, attachment
			}
		}
		return s
	}
	r.apply(with("r1", 100))
	r.write(with("r2", 100, 102))
	r.until("red's subnet is taken back", rolledBack("r2"))
	generation := r.write(with("r3", 100, 101, 102))
	inForce := func(f report.Facts) bool {
		return f.AppliedGeneration == generation && f.Programmed.OK && f.Confirmed.Reason == "Confirmed" && f.BadRevision == ""
	}
	f := r.until("the next revision is in force without it", inForce)
	if !hasProblem(v1alpha1.KindVPC, "tried on the switch and taken back")(f) {
		t.Errorf("problems are %+v", f.Problems)
	}
	rows := r.rows()
	if rows["VLAN|Vlan101"] == nil || rows["VLAN|Vlan102"] != nil {
		t.Error("not the other subnet alone was made")
	}
	r.end()
	r.start() // without the API server
	r.until("the agent has looked around", func(f report.Facts) bool { return f.Inventory != nil })
	r.generation = generation - 1
	r.write(with("r3", 100, 101, 102))
	r.until("it is still left out after a restart", inForce)
	r.becomes("nothing has changed", rows)
	generation = r.write(with("r4", 100, 101, 104))
	r.until("red wants something else", inForce)
	if r.rows()["VLAN|Vlan104"] == nil {
		t.Error("what red wants now was not made")
	}
}

// Pausing the Switch and letting it go on says that somebody has looked into it.
func TestWhatBrokeSomethingIsTriedAgain(t *testing.T) {
	r := onTrial(t)
	r.cutOff("broken")
	r.start()
	r.apply(spec("r1", 100))
	r.write(spec("r2", 100, 102))
	r.written("VLAN|Vlan102")
	r.must(r.operator.Set(t.Context(), "broken", "1", 0).Err())
	r.until("it is taken back", rolledBack("r2"))
	r.del("broken")
	r.pause(true)
	r.eventually("it is paused", func() error {
		text, err := os.ReadFile(filepath.Join(r.box.StateDir(), "last-good.json"))
		if err == nil && !strings.Contains(string(text), `"paused":true`) {
			err = errors.New("last-good.json does not say so")
		}
		return err
	})
	r.pause(false)
	r.until("it is tried again", func(f report.Facts) bool { return f.AppliedRevision == "r2" && f.Confirmed.Reason == "Confirmed" })
}
