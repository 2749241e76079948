package converge

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/switchlet/switchlet/agent/render"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic/frr"
)

// hear takes what has become of changes of FRR. Owners of what it refused are
// left out, with all that is theirs.
func (c *Converger) hear(wanted render.Wanted, now time.Time) {
	r := &c.routing
	for _, o := range r.take(true) {
		if !r.reached(o.err, now) || o.target == nil {
			continue
		}
		r.tell(o.lost, now)
		c.tellDrift(now)
		r.conflicts, r.refused = c.box().BGPConflicts(o.result.Conflicts), ""
		if o.result.Sent > 0 && c.trial.watch != nil {
			c.trial.repeated = false
			c.trial.written(now)
		}
		c.blameFRR(o.result.Refused, wanted, now)
		if len(o.result.Refused) > 0 {
			r.retry = now.Add(retryPause(c.quarantine.retry, r.failures))
			r.failures++
			continue
		}
		r.settled, r.failures, r.recheck = o.target, 0, now.Add(r.cfg.Recheck)
	}
}

// reached takes note of whether FRR could be reached.
func (r *routing) reached(err error, now time.Time) bool {
	r.trouble = err
	if err == nil {
		if !r.lost.IsZero() {
			r.lost, r.failures = time.Time{}, 0
		}
		return true
	}
	if r.lost.IsZero() {
		r.lost, r.failures = now, 0
	}
	r.settled, r.retry = nil, now.Add(jitter(min(minPause<<min(r.failures, 16), maxFRRPause)))
	r.failures++
	return false
}

// blameFRR leaves out the tenants whose statements FRR refused. What concerns
// the switch as a whole, what VRFs take over from each other, and what FRR does not let
// go of, is tried again.
func (c *Converger) blameFRR(refused []frr.Refusal, wanted render.Wanted, now time.Time) {
	r := &c.routing
	for _, refusal := range refused {
		owner := c.box().OwnerOr(refusal.Owner)
		tenant := owner.Kind != v1alpha1.KindSwitch && !strings.HasPrefix(refusal.Line, "no ") && len(wanted.RowsOf(owner)) > 0
		if owner.Kind == v1alpha1.KindVPCPeering { // it has no rows that could be left out
			r.conflicts = append(r.conflicts, v1alpha1.Problem{Owner: owner, Reason: render.ReasonRefusedByFRR, Message: render.RefusedByFRR(refusal)})
		}
		switch {
		case !tenant && r.refused == "":
			r.refused = render.RefusedByFRR(refusal)
		case tenant && !c.quarantine.left(owner):
			c.quarantine.add(owner, render.ReasonRefusedByFRR, render.RefusedByFRR(refusal), wanted, now)
		}
	}
}

// routed says whether FRR has what it should.
func (c *Converger) routed(t *target, paused bool) report.State {
	r := &c.routing
	switch {
	case t.err != nil:
		return report.State{Reason: "InvalidSpec", Message: fmt.Sprintf("%v. The underlay stays as it is.", t.err)}
	case t.empty() && t == r.settled:
		return report.State{OK: true, Reason: "NotWanted", Message: "There is no spec.bgp, so the agent says nothing to FRR."}
	case r.trouble != nil:
		return r.unreachable()
	case r.refused != "":
		return report.State{Reason: "Refused", Message: r.refused}
	case t != r.settled && paused:
		return report.State{Reason: "Paused", Message: fmt.Sprintf("spec.paused of Switch %s is true: FRR is left as it is until it becomes false.", c.cfg.Node)}
	case t != r.settled:
		return report.State{Reason: v1alpha1.ReasonProgressing, Message: "FRR is being told."}
	}
	for _, p := range r.conflicts {
		if p.Owner.Kind == v1alpha1.KindSwitch {
			return report.State{Reason: "Conflict", Message: p.Message}
		}
	}
	state := r.file.told()
	if n := len(r.drift.rows); n > 0 {
		state.Message += fmt.Sprintf(" Somebody else changed %d statements of the agent's, see status.drift.", n)
	}
	return state
}

func (r *routing) unreachable() report.State {
	var disk diskError
	switch {
	case errors.As(r.trouble, &disk):
		return report.State{Reason: "WriteFailed", Message: fmt.Sprintf("%v. Nothing is said to FRR before it can be recorded on the disk. Make room or repair the disk.", r.trouble)}
	case errors.Is(r.trouble, errNoFRR):
		return report.State{Reason: "FRRUnreachable", Message: "No way to FRR was found: not bgpd's socket in the folder of --frr-vty-dir nor in a container below --docker-layers, no command in --frr-exec, no Docker at --docker-socket. The agent tries again. See whether the bgp container runs, and whether the folder of its layers is mounted into the agent."}
	}
	return report.State{Reason: "FRRUnreachable", Message: fmt.Sprintf("%s. The agent tries again; VLANs and VRFs go on without. Look at SONiC's bgp container if this lasts.", strings.TrimRight(r.said(r.trouble), "."))}
}
