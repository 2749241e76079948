package converge

import (
	"context"
	"strings"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/frr"
)

// leave takes those VRFs out of FRR that a plan is about to delete from
// CONFIG_DB: FRR lets go of a VRF's routes and of its L3 VNI only while SONiC
// still has it. What VRFs take over from each other and the spec no longer says goes
// before anything else changes, too. It touches FRR only if it has any of this.
//
// An FRR that cannot be reached is waited for as long as the patience lasts. It
// most likely does not run, and has nothing then.
func (c *Converger) leave(ctx context.Context, plan sonic.Plan, spec *v1alpha1.SwitchConfigSpec, patience time.Duration) {
	r, reverting := &c.routing, c.trial.lost != ""
	gone := deletedVRFs(plan)
	staying, some := c.staysInFRR(plan, spec, gone)
	if !some {
		return
	}
	for deadline, failures := time.Now().Add(patience), 0; ; failures++ {
		left := time.Until(deadline)
		ended := c.awaitFRR(ctx, left)
		if c.trial.lost != "" && !reverting {
			return
		}
		if !ended || left <= 0 || ctx.Err() != nil {
			c.cfg.Log.Warn("rows change while FRR may still have VRFs or routes between them that are to go", "error", r.trouble, "VRFs", len(gone))
			return
		}
		r.start(ctx, work{want: staying})
		r.settled = nil
		if !c.awaitFRR(ctx, left) {
			continue
		}
		for _, o := range r.take(false) {
			r.reached(o.err, time.Now())
		}
		if r.trouble == nil || r.lostFor(time.Now()) >= patience {
			return
		}
		pause(ctx, min(backoff(failures), askPause, time.Until(deadline)))
	}
}

// staysInFRR is what FRR has without the VRFs that are deleted, and without what VRFs
// take over and no longer should. It reports whether that is less than FRR has.
func (c *Converger) staysInFRR(plan sonic.Plan, spec *v1alpha1.SwitchConfigSpec, gone map[string]bool) (frr.Tree, bool) {
	have := c.routing.inForce()
	if plan.Commands() == 0 || len(have) == 0 {
		return nil, false // what is to go from FRR alone goes at once
	}
	var wanted frr.Tree
	if spec != nil {
		var vnis []int32
		for _, v := range spec.VRFs {
			if !gone[sonic.VRFName(int(v.VNI))] {
				vnis = append(vnis, v.VNI)
			}
		}
		wanted = newTarget(spec, vnis, c.routing.usable, c.box()).tree
	}
	staying, some := frr.WithoutImports(have, wanted)
	return withoutVRFs(staying, gone), some || len(ofVRFs(have, gone)) > 0
}

// awaitFRR waits for the change of FRR under way, and reports whether it ended in
// time. It does not go on when what is on trial is lost.
func (c *Converger) awaitFRR(ctx context.Context, patience time.Duration) bool {
	for deadline := time.Now().Add(patience); ; {
		left := time.Until(deadline)
		if !c.judged() {
			return c.routing.await(ctx, left)
		}
		if c.lost(ctx, time.Now()) {
			return false
		}
		if c.routing.await(ctx, min(left, c.trial.pause)) {
			return true
		}
		if left <= 0 || ctx.Err() != nil {
			return false
		}
	}
}

// lostFor is for how long FRR has not been reached.
func (r *routing) lostFor(now time.Time) time.Duration {
	if r.lost.IsZero() {
		return 0
	}
	return now.Sub(r.lost)
}

// pause waits.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// deletedVRFs are the names of the VRFs that a plan deletes.
func deletedVRFs(plan sonic.Plan) map[string]bool {
	names := map[string]bool{}
	for _, stage := range plan.Stages {
		for _, command := range stage.Commands {
			if command.Op == sonic.Delete && command.Key.Table == sonic.TableVRF {
				names[command.Key.Name] = true
			}
		}
	}
	return names
}

// vrfOf is the VRF that a statement outside of all contexts is about, if any.
func vrfOf(line string) string {
	words := strings.Fields(line)
	switch {
	case len(words) == 2 && words[0] == "vrf":
		return words[1]
	case len(words) == 5 && words[0] == "router" && words[3] == "vrf":
		return words[4]
	}
	return ""
}

// ofVRFs has the statements about some VRFs.
func ofVRFs(tree frr.Tree, names map[string]bool) frr.Tree {
	var out frr.Tree
	for _, node := range tree {
		if names[vrfOf(node.Line)] {
			out = append(out, node)
		}
	}
	return out
}

// withoutVRFs has all others.
func withoutVRFs(tree frr.Tree, names map[string]bool) frr.Tree {
	out := frr.Tree{}
	for _, node := range tree {
		if !names[vrfOf(node.Line)] {
			out = append(out, node)
		}
	}
	return out
}
