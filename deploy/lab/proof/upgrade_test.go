package proof_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
)

// FRR, lldpd and the agent run in pods on all switches, from images that the agents before
// them fetched. They are upgraded while hosts send to each other, and a version that does not
// come up is taken back where it was tried first.
func TestUpgrade(t *testing.T) {
	count := func(flag string, n *int) []string { return []string{flag, strconv.Itoa(*n)} }
	r := start(t, slices.Concat([]string{"--switch-pods"}, count("--spines", said.spines), count("--leaves", said.leaves), count("--hosts", said.hosts)), nil)
	images := r.build()
	r.install(r.push(images, "bgp", "v1"), r.push(images, "lldp", "v1"), r.push(images, "agent", "v1"))
	r.says("v1")
	r.pair()
	endpoints := r.tenants()
	r.confirmed()
	t.Run("better", func(t *testing.T) { r.with(t).better(images, endpoints) })
	t.Run("broken", func(t *testing.T) { r.with(t).broken(images, endpoints) })
	r.check(endpoints)
	r.content()
}

// with is the rig in a test below another one.
func (r *rig) with(t *testing.T) *rig {
	below := *r
	below.T = t
	return &below
}

// better brings a version to all switches, one of which is away when the release begins. The
// controller is killed on the way.
func (r *rig) better(images stock, endpoints []matrix.Endpoint) {
	r.Helper()
	version := "v2-" + time.Now().Format("150405") // one that nobody has, whichever lab this is
	bgp, lldp, agent := r.push(images, "bgp", version), r.push(images, "lldp", version), r.push(images, "agent", version)
	last := r.leaves[len(r.leaves)-1]
	back := r.away(last)
	j := r.journal()
	j.killController(v1alpha1.SwitchPulling, v1alpha1.SwitchDraining, v1alpha1.SwitchReplacing, v1alpha1.SwitchUndraining)
	r.change(func(spec *v1alpha1.NOSReleaseSpec) {
		set(spec, bgp)
		set(spec, lldp)
		set(spec, agent)
		spec.Strategy = oneByOne()
	})
	r.waits(map[string]string{last: "Unavailable", r.leaves[len(r.leaves)-2]: "GroupBusy"})
	back()
	r.arrived()
	report := j.stop(endpoints)
	r.runs(bgp)
	r.runs(lldp)
	r.runs(agent)
	r.says(version)
	r.spared(endpoints, report)
	if j.killed == 0 {
		r.Error("the controller was never killed")
	}
}

// broken releases an image whose bgpd does not start.
func (r *rig) broken(images stock, endpoints []matrix.Endpoint) {
	r.Helper()
	rel := r.release()
	i := slices.IndexFunc(rel.Spec.Services, func(s v1alpha1.ReleaseService) bool { return s.Name == "bgp" })
	now := rel.Spec.Services[i]
	wrong := r.push(images, "bgp", "v3-"+time.Now().Format("150405"), "BGPD_OPTIONS=--no-such-option")
	j := r.journal()
	r.change(func(spec *v1alpha1.NOSReleaseSpec) {
		set(spec, wrong)
		spec.Strategy = oneByOne()
	})
	stop := r.stopped()
	report := j.stop(endpoints)
	// Which of both it is depends on how soon the kubelet has tried three times.
	if stop.Reason != "CrashLoop" && stop.Reason != "PostcheckFailed" {
		r.Errorf("the release stopped for %s, want CrashLoop or PostcheckFailed", stop.Reason)
	}
	for _, name := range r.switches {
		if name != stop.Switch && j.began(name) {
			r.Errorf("%s was begun on, and %s had failed", name, stop.Switch)
		}
	}
	r.runs(now)
	r.spared(endpoints, report)
}

// failover is how long a host takes to use its other NIC: its bond looks at the carrier
// every 100 ms, and the fabric has to learn where it is now. A host that has no other goes
// on by its switch, which forwards while its FRR is away.
const failover = time.Second

// spared fails if flows stopped for longer than that. What a host of one leaf sends to one
// that has moved to another is only logged: that goes on without FRR if the other leaf has
// heard in time where the host is, which takes BGP a second of a machine that is not busy.
func (r *rig) spared(endpoints []matrix.Endpoint, report watch.Report) {
	r.Helper()
	dual := map[matrix.ID]bool{}
	for i := range endpoints {
		dual[endpoints[i].ID()] = kind(&endpoints[i]) == "dual"
	}
	for _, f := range report.Flows {
		moved := !dual[f.Pair.From] && dual[f.Pair.To]
		if gap(f) > failover && !moved || f.Received == 0 {
			r.Errorf("%s → %s stopped for %v, want at most %v", f.From, f.To, gap(f), failover)
		}
	}
}

// oneByOne is a release with a drain before each switch is touched, also of switches whose
// hosts have no other: their ports stay up.
func oneByOne() v1alpha1.ReleaseStrategy {
	return v1alpha1.ReleaseStrategy{
		Groups: 1, MinAvailable: []v1alpha1.RoleMinimum{{Role: v1alpha1.RoleSpine}}, // there may be one only
		Drain:                   v1alpha1.ReleaseDrain{Mode: v1alpha1.DrainAuto, TimeoutSeconds: 120, Force: true},
		ProgressDeadlineSeconds: 180, SoakSeconds: new(int32(1)),
	}
}

// arrival is how long a release may take on all switches.
func (r *rig) arrival() time.Duration { return time.Duration(len(r.switches)) * 4 * time.Minute }

// arrived waits until all switches run what the release says.
func (r *rig) arrived() {
	r.Helper()
	took := r.within(r.arrival(), "the release is on all switches", func() string {
		rel := r.release()
		if rel.Status.ObservedGeneration == rel.Generation && rel.Status.Phase == v1alpha1.ReleaseComplete {
			return ""
		}
		return r.progress()
	})
	r.Logf("the release is on all switches after %v", took.Round(time.Second))
}

// pair makes leaves one and two, and three and four, redundant to each other.
func (r *rig) pair() {
	r.Helper()
	for n, name := range r.leaves {
		for {
			var sw v1alpha1.Switch
			r.ok(r.cluster.Get(r.Context(), client.ObjectKey{Name: name}, &sw))
			sw.Spec.RedundancyGroup = fmt.Sprintf("rack%d", n/2+1)
			if r.cluster.Update(r.Context(), &sw) == nil {
				break
			}
		}
	}
}
