package converge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/agent/metrics"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// changesByHand are what somebody else may do to rows of VLAN 100, and what is
// told of it.
func changesByHand() []changeByHand {
	return []changeByHand{
		{"a field is changed", func(r *rig) { r.hset("VLAN|Vlan100", "description", "mine") },
			`VLAN Vlan100 description: have "mine", want "switchlet tenant/blue/s100"`},
		{"a row is deleted", func(r *rig) { r.del("VLAN_MEMBER|Vlan100|Ethernet0") },
			`VLAN_MEMBER Vlan100|Ethernet0 : have "", want ""`},
		{"a VRF's VNI is changed", func(r *rig) { r.hset("VRF|Vrf20001", "vni", "7") },
			`VRF Vrf20001 vni: have "7", want "20001"`},
		{"a field is removed", func(r *rig) { r.must(r.operator.HDel(r.t.Context(), "VLAN_INTERFACE|Vlan100", "mac_addr").Err()) },
			`VLAN_INTERFACE Vlan100 mac_addr: have "", want "00:00:5e:00:01:01"`},
	}
}

type changeByHand struct {
	name string
	do   func(*rig)
	told string
}

// text is drift for comparison, without times.
func text(drift []v1alpha1.Drift) string {
	var lines []string
	for _, d := range drift {
		lines = append(lines, fmt.Sprintf("%s %s %s: have %q, want %q", d.Table, d.Key, d.Field, d.Have, d.Want))
	}
	return strings.Join(lines, "\n")
}

// driftRig is a rig for changes by hand.
func driftRig(t *testing.T, policy v1alpha1.DriftPolicy) *rig {
	t.Helper()
	t.Parallel()
	r := newRig(t)
	r.byHand, r.policy = true, policy
	r.config.Metrics = metrics.NewAgent()
	return r
}

// With policy Revert, what somebody changed is put back, and told with when.
func TestDriftIsReverted(t *testing.T) {
	for _, change := range changesByHand() {
		t.Run(change.name, func(t *testing.T) {
			r := driftRig(t, v1alpha1.DriftRevert)
			r.start()
			r.apply(spec("r1", 100))
			want := r.rows()
			change.do(r)
			f := r.until("it is told", func(f report.Facts) bool { return len(f.Drift) > 0 && f.Drift[0].RevertedAt != nil })
			r.becomes("it is put back", want)
			if diff := cmp.Diff(change.told, text(f.Drift)); diff != "" {
				t.Errorf("drift (-want +got):\n%s", diff)
			}
			if age := time.Since(f.Drift[0].Since.Time); age < 0 || age > time.Minute {
				t.Errorf("since %v", f.Drift[0].Since)
			}
			table, _, _ := strings.Cut(change.told, " ")
			if shown := string(r.config.Metrics.Set.Text()); !strings.Contains(shown, `switchlet_agent_drift_total{table="`+table+`"} 1`) {
				t.Errorf("metrics:\n%s", shown)
			}
		})
	}
}

// With policy Report it stays as it is, also over a restart and while the spec
// changes something else, until the policy is Revert.
func TestDriftIsReported(t *testing.T) {
	for _, change := range changesByHand() {
		t.Run(change.name, func(t *testing.T) {
			r := driftRig(t, v1alpha1.DriftReport)
			r.start()
			r.apply(spec("r1", 100))
			want := r.rows()
			change.do(r)
			changed := r.rows()
			told := func(f report.Facts) bool {
				return text(f.Drift) == change.told && f.Drift[0].RevertedAt == nil && len(f.Problems) > 0
			}
			r.until("it is told", told)
			r.becomes("it stays", changed)
			r.end()
			r.start() // without the API server
			r.until("it is told after a restart", told)
			r.generation = 1
			generation := r.write(spec("r2", 100, 101))
			r.until("something else is put into force", func(f report.Facts) bool { return f.AppliedGeneration == generation && told(f) })
			r.written("VLAN|Vlan101")
			for key, fields := range changed {
				if diff := cmp.Diff(fields, r.rows()[key]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", key, diff)
				}
			}
			r.policy = v1alpha1.DriftRevert
			r.pause(false)
			r.until("it is put back", func(f report.Facts) bool {
				return len(f.Problems) == 0 && len(f.Drift) > 0 && f.Drift[0].RevertedAt != nil
			})
			if missing := want.Minus(r.rows()); len(missing) > 0 {
				t.Errorf("rows that are not as they were:\n%s", missing)
			}
		})
	}
}

// What somebody adds to a row is theirs.
func TestForeignFieldIsNoDrift(t *testing.T) {
	r := driftRig(t, v1alpha1.DriftRevert)
	r.start()
	r.apply(spec("r1", 100))
	r.hset("VLAN|Vlan100", "mtu", "9000")
	r.apply(spec("r2", 100, 101))
	if f := r.until("facts", func(report.Facts) bool { return true }); len(f.Drift) > 0 {
		t.Errorf("drift is %+v", f.Drift)
	}
}

// With policy Report, a change that was not finished is: half of it is nobody's
// drift.
func TestUnfinishedChangeIsNoDrift(t *testing.T) {
	r := driftRig(t, v1alpha1.DriftReport)
	r.start()
	r.apply(spec("r1", 100))
	r.end()
	if !r.cut(3, spec("r2", 101)) {
		t.Fatal("the agent was not killed")
	}
	r.start()
	r.apply(spec("r2", 101))
	if f := r.until("facts", func(report.Facts) bool { return true }); len(f.Drift) > 0 || len(f.Problems) > 0 {
		t.Errorf("drift is %+v, problems %+v", f.Drift, f.Problems)
	}
	r.apply(nothing("r3"))
	r.becomes("nothing is left", r.before)
}

// With policy Report, what a reload of SONiC's configuration takes away is put
// back: nobody deleted it by hand.
func TestReloadIsNoDrift(t *testing.T) {
	r := driftRig(t, v1alpha1.DriftReport)
	r.start()
	r.apply(spec("r1", 100))
	want := r.rows()
	r.must(r.operator.Set(t.Context(), "CONFIG_DB_INITIALIZED", "0", 0).Err())
	r.until("the agent waits", func(f report.Facts) bool { return f.Connected.Reason == "ConfigDBNotInitialized" })
	r.must(r.box.Reload(t.Context()))
	r.becomes("the rows are back", want)
	if f := r.until("facts", func(f report.Facts) bool { return f.Connected.OK }); len(f.Drift) > 0 {
		t.Errorf("drift is %+v", f.Drift)
	}
}

// With policy Report, that holds also for what somebody changes while the agent is
// writing something else, and waits for a daemon.
func TestDriftInTheMiddleOfAChange(t *testing.T) {
	r := driftRig(t, v1alpha1.DriftReport)
	r.config.Patience = time.Minute
	r.start()
	r.apply(spec("r1", 100, 101))
	const member = "VLAN_MEMBER|Vlan101|Ethernet0"
	r.hang(member)
	generation := r.write(spec("r2", 100, 102))
	r.gone(member)
	r.hset("VLAN|Vlan100", "description", "mine")
	r.heal()
	f := r.until("the change is in force, and it is told", func(f report.Facts) bool {
		return f.AppliedGeneration == generation && len(f.Drift) > 0
	})
	if diff := cmp.Diff(changesByHand()[0].told, text(f.Drift)); diff != "" || f.Drift[0].RevertedAt != nil {
		t.Errorf("drift is %+v (-want +got):\n%s", f.Drift, diff)
	}
	rows := r.rows()
	if rows["VLAN|Vlan100"]["description"] != "mine" || rows["VLAN_MEMBER|Vlan102|Ethernet0"] == nil || rows["VLAN|Vlan101"] != nil {
		t.Errorf("rows are %v", rows)
	}
	r.policy = v1alpha1.DriftRevert
	r.pause(false)
	r.until("it is put back", func(f report.Facts) bool { return len(f.Problems) == 0 && f.Drift[0].RevertedAt != nil })
}
