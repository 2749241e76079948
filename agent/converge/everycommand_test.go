package converge_test

import (
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/box"
)

// Fewer of them takes `go test ./agent/converge -run EveryCommand -kill-step 4`.
var killStep = flag.Int("kill-step", 1, "the agent is killed after every so many commands, from one of the first on")

// firstKill is after how many commands the agent is killed first.
func firstKill(t *testing.T) int {
	first := rand.IntN(*killStep)
	t.Logf("killed after %d commands, and then after every %d", first, *killStep)
	return first
}

// The agent is killed at every single command of a long change. If it comes back
// and the API server still wants the change, the rows are exactly the new ones.
// The next change goes back, and is killed there too.
func TestKillAtEveryCommand(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	specs, rows := r.ends()
	for n, killed := firstKill(t), true; killed; n += *killStep {
		killed = false
		for _, to := range []int{1, 0} {
			killed = r.cut(n, specs[to]) || killed
			r.start()
			r.apply(specs[to])
			if diff := cmp.Diff(rows[to], r.rows()); diff != "" {
				t.Fatalf("killed after %d commands, rows (-want +got):\n%s", n, diff)
			}
			r.end()
		}
	}
}

// A change of many VLANs goes to Redis in other transactions than a small one, and is
// killed before each of them, too.
func TestKillAtEveryCommandOfALargeChange(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	many := []int32{}
	for vlan := int32(100); vlan < 180; vlan++ {
		many = append(many, vlan)
	}
	small, large := moving("small", 20001), moving("large", 20001, many...)
	r.start()
	r.apply(large)
	want := r.rows()
	r.apply(small)
	r.end()
	for n := firstKill(t); r.cut(n, large); n += *killStep {
		r.start()
		r.apply(large)
		if diff := cmp.Diff(want, r.rows()); diff != "" {
			t.Fatalf("killed after %d commands, rows (-want +got):\n%s", n, diff)
		}
		r.apply(small)
		r.end()
	}
}

// If the API server cannot be asked when it comes back, the rows are exactly the
// old ones.
func TestKillAtEveryCommandWithoutAPIServer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	specs, rows := r.ends()
	for n := firstKill(t); r.cut(n, specs[1]); n += *killStep {
		r.start()
		r.becomes("the old rows are back", rows[0])
		r.end()
	}
	if diff := cmp.Diff(rows[1], r.rows()); diff != "" {
		t.Errorf("rows when nothing is killed any more (-want +got):\n%s", diff)
	}
}

// ends are two specs that differ in everything that a change can be, and the
// rows that they mean; the first is in force.
func (r *rig) ends() (specs [2]v1alpha1.SwitchConfigSpec, rows [2]box.Rows) {
	r.t.Helper()
	specs = [2]v1alpha1.SwitchConfigSpec{
		moving("old", 20001, 100, 101, 102, 103, 104, 105), moving("new", 20002, 110, 111, 112, 113, 114, 115),
	}
	r.start()
	for _, i := range []int{1, 0} {
		r.apply(specs[i])
		rows[i] = r.rows()
	}
	r.end()
	return specs, rows
}

// moving is a spec with the given VLANs, and with VLAN 200 in a VRF that it is
// moved to.
func moving(revision string, vrf int32, vlans ...int32) v1alpha1.SwitchConfigSpec {
	s := spec(revision, append(vlans, 200)...)
	red := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "tenant", Name: "red"}
	s.VRFs = append(s.VRFs, v1alpha1.VRFConfig{VNI: 20002, VLAN: 3002, Owner: red})
	s.Segments[len(s.Segments)-1].VRF = vrf
	return s
}

// cut lets an agent begin to put a spec into force, and kills it after a number
// of commands. It reports whether there were as many.
func (r *rig) cut(commands int, spec v1alpha1.SwitchConfigSpec) bool {
	r.t.Helper()
	return r.through(commands, func() { r.write(spec) }, func(f report.Facts) bool {
		return f.AppliedRevision == spec.Revision && f.AppliedGeneration == r.generation && f.Programmed.OK && f.Confirmed.Reason == "Confirmed"
	})
}

// through runs an agent behind a proxy that kills it after a number of commands,
// or until it is done.
func (r *rig) through(commands int, begin func(), done func(report.Facts) bool) bool {
	r.t.Helper()
	p := startProxy(r.t, r.box.Socket(), commands)
	direct := r.config.Files.DatabaseConfig
	r.config.Files.DatabaseConfig = p.databases(direct)
	r.start()
	r.config.Files.DatabaseConfig = direct
	begin()
	killed := false
	r.until("the agent is killed, or done", func(f report.Facts) bool {
		select {
		case <-p.dead:
			killed = true
		default:
		}
		return killed || done(f)
	})
	r.end()
	p.close()
	return killed
}
