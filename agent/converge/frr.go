package converge

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/switchlet/switchlet/agent/render"
	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/frr"
)

// FRR says how to reach the FRR of the switch, and where is kept what is said to
// it. The zero value is a switch whose FRR cannot be reached.
type FRR struct {
	// Shell is a way to FRR as it is at the moment, with a name for people; nil
	// if there is none.
	Shell func() (frr.Shell, string)
	// Statements is the record of what the agent said.
	Statements *state.Statements
	// File is the frr.conf that FRR reads when it starts; empty to leave it alone.
	File string
	// Recheck is how often FRR is asked whether it still has everything. Default
	// 15 s.
	Recheck time.Duration
}

const (
	defaultRecheck = 15 * time.Second
	// workLimit is how long FRR may take for one change. What it has not taken by
	// then is found out and sent again.
	workLimit = time.Minute
	// maxFRRPause is the longest pause before an FRR that cannot be reached is
	// tried again.
	maxFRRPause = 30 * time.Second
)

// routing is what the Converger knows of FRR. FRR is changed by a goroutine of
// its own, so that one that hangs does not keep CONFIG_DB waiting.
type routing struct {
	frrWorker
	// bgp is what the spec that was last put into force says of the underlay, and
	// usable the last of them that FRR could take.
	bgp, usable *v1alpha1.BGPConfig
	// target is what FRR should have, and settled the one that it last had.
	target, settled *target
	// recheck is when FRR is to be asked again although nothing has changed, and
	// retry when to try again after a failure.
	recheck, retry time.Time
	failures       int
	lost           time.Time // since when FRR cannot be reached
	trouble        error     // FRR could not be reached, or something not be recorded
	refused        string    // what FRR did not take that is not a tenant's
	conflicts      []v1alpha1.Problem
	drift          drift // what others took out
	file           frrFile
}

// init makes it ready, for a switch that has its last good configuration.
func (r *routing) init(c *Converger) {
	r.cfg, r.log, r.wake = c.cfg.FRR, c.cfg.Log, c.signal
	r.cfg.Recheck = cmp.Or(r.cfg.Recheck, defaultRecheck)
	r.file.name = r.cfg.File
	r.drift.metric = c.cfg.Metrics.Drift
	if c.good != nil {
		r.bgp, r.usable = c.good.Spec.BGP, c.good.Spec.BGP
	}
}

// target is what FRR should have, by a spec and the VRFs that CONFIG_DB has.
type target struct {
	spec     *v1alpha1.SwitchConfigSpec
	vnis     []int32
	config   *frr.Config // nil if it cannot be told: what FRR has stays
	tree     frr.Tree
	problems []v1alpha1.Problem
	err      error // of spec.bgp: the underlay stays as it was
	draining bool
}

// empty: there is nothing that FRR should have.
func (t *target) empty() bool { return t.config != nil && len(t.tree) == 0 }

// equal: FRR should have the same.
func (t *target) equal(other *target) bool {
	return t.config != nil && (t.err == nil) == (other.err == nil) && reflect.DeepEqual(t.config, other.config)
}

// aim finds out what FRR should have. A VRF is for FRR only once its row is in
// CONFIG_DB by the agent's hand: it could be somebody else's of the same name.
func (c *Converger) aim(spec *v1alpha1.SwitchConfigSpec) *target {
	rows, ledger := c.session.mirror.Rows(), c.cfg.Store.Ledger()
	var vnis []int32
	for i := range spec.VRFs {
		key := sonic.VRF{Name: sonic.VRFName(int(spec.VRFs[i].VNI))}.Row().Key
		if _, there := rows[key]; there && ledger.Has(key) && !c.quarantine.left(spec.VRFs[i].Owner) {
			vnis = append(vnis, spec.VRFs[i].VNI)
		}
	}
	r := &c.routing
	if r.target != nil && r.target.spec == spec && r.target.draining == c.overlay.Routes && slices.Equal(r.target.vnis, vnis) {
		return r.target
	}
	fresh := newTarget(spec, vnis, r.usable, c.box())
	if fresh.err == nil {
		r.usable = spec.BGP
	}
	if old := r.target; old != nil && fresh.equal(old) {
		old.spec, old.vnis, old.err, old.draining = spec, vnis, fresh.err, fresh.draining
		return old
	}
	r.target, r.retry = fresh, time.Time{}
	return fresh
}

// newTarget keeps the underlay as it was if there is no use for what the spec
// says of it: a switch without BGP has lost its way to everybody.
func newTarget(spec *v1alpha1.SwitchConfigSpec, vnis []int32, usable *v1alpha1.BGPConfig, box render.Box) *target {
	there := make(map[int32]bool, len(vnis))
	for _, vni := range vnis {
		there[vni] = true
	}
	t := &target{spec: spec, vnis: vnis, draining: box.Draining}
	wanted := func(vrf *v1alpha1.VRFConfig) bool { return there[vrf.VNI] }
	if t.config, t.err = render.BGP(spec, box, wanted); t.err != nil && usable != nil {
		before := *spec
		before.BGP = usable
		t.config, _ = render.BGP(&before, box, wanted) // nil if that was of no use either
	}
	if t.config == nil {
		return t
	}
	tree, problems := frr.Build(t.config)
	t.tree, t.problems = tree, box.BGPProblems(problems)
	return t
}

// route makes FRR what the spec says, once CONFIG_DB is. It does not wait for it.
func (c *Converger) route(ctx context.Context, d desired, spec *v1alpha1.SwitchConfigSpec, now time.Time) {
	r := &c.routing
	t := c.aim(spec)
	switch {
	case d.paused || t.config == nil || r.busy() || !r.isDue(t, now):
	case t.empty() && r.saidNothing():
		r.settled, r.recheck, r.trouble, r.refused, r.conflicts = t, time.Time{}, nil, "", nil
	default:
		r.start(ctx, work{target: t, want: t.tree, again: t == r.settled, report: d.drift == v1alpha1.DriftReport})
	}
	c.keepFRRFile(now)
	c.facts.Routed = c.routed(t, d.paused)
}

// isDue reports whether FRR has to be asked, or changed.
func (r *routing) isDue(t *target, now time.Time) bool {
	if t == r.settled {
		return !r.recheck.IsZero() && !now.Before(r.recheck)
	}
	return !now.Before(r.retry)
}

// attempts is how often FRR may refuse something of a change before that is taken for
// its last word.
const attempts = 3

// untold reports whether FRR has yet to take what is on trial: what it breaks shows only
// then. One that cannot be reached takes nothing, and breaks nothing.
func (r *routing) untold() bool {
	t := r.target
	return t != nil && t.config != nil && t != r.settled && r.trouble == nil && r.failures < attempts
}

// next is when FRR is to be asked; zero while that is under way, or need not be.
// If the time has come and something else is in the way, it is a little later.
func (r *routing) next(now time.Time) time.Time {
	if r.busy() || r.target == nil {
		return time.Time{}
	}
	next := r.retry
	if r.target == r.settled {
		next = r.recheck
	}
	if !next.IsZero() && !next.After(now) {
		return now.Add(poll)
	}
	return next
}

// told are the problems of owners with FRR.
func (r *routing) told() []v1alpha1.Problem {
	if r.target == nil {
		return nil
	}
	return slices.Concat(r.target.problems, r.conflicts)
}
