package converge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic/frr"
)

// edit changes what FRR has in a context, as somebody with vtysh does: a line
// becomes another, or goes.
func (f *fakeFRR) edit(context, line, becomes string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := &f.tree
	for _, around := range strings.Split(context, " / ") {
		at = inside(at, around)
	}
	i := slices.IndexFunc(*at, func(n frr.Node) bool { return n.Line == line })
	if becomes == "" {
		*at = slices.Delete(*at, i, i+1)
		return
	}
	(*at)[i].Line = becomes
}

const (
	tenantBGP   = "router bgp 65001 vrf Vrf20001"
	tenantID    = "bgp router-id 10.255.0.1"
	driftOfID   = `frr router bgp 65001 vrf Vrf20001 bgp router-id 10.255.0.1: have "", want "bgp router-id 10.255.0.1"`
	driftToMine = `frr router bgp 65001 vrf Vrf20001 bgp router-id 10.255.0.1: have "bgp router-id 10.9.9.9", want "bgp router-id 10.255.0.1"`
)

// A statement of the agent's that somebody takes out of FRR is put back, and
// told; with policy Report it is told and left, also while the spec changes
// something else, until the policy is Revert. A statement that somebody said in
// its place is left in any case.
func TestDriftOfFRR(t *testing.T) {
	for _, test := range []struct {
		name, becomes, told string
		policy              v1alpha1.DriftPolicy
		stays               bool
	}{
		{"taken out", "", driftOfID, v1alpha1.DriftRevert, false},
		{"taken out, and reported", "", driftOfID, v1alpha1.DriftReport, true},
		{"replaced", "bgp router-id 10.9.9.9", driftToMine, v1alpha1.DriftRevert, true},
		{"replaced, and reported", "bgp router-id 10.9.9.9", driftToMine, v1alpha1.DriftReport, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRoutedRig(t)
			r.policy = test.policy
			r.boot()
			r.told(routed("r1", 1))
			r.frr.edit(tenantBGP, tenantID, test.becomes)
			told := func(f report.Facts) bool {
				return text(f.Drift) == test.told && (f.Drift[0].RevertedAt == nil) == test.stays
			}
			r.until("it is told", told)
			if !test.stays {
				r.has("it is put back", routed("r1", 1))
				return
			}
			r.apply(routed("r2", 1, 2))
			r.until("something else is put into force", func(f report.Facts) bool { return told(f) && f.Routed.OK })
			r.eventually("it stays", func() error {
				got := r.frr.text()
				if strings.Contains(got, tenantBGP+"\n "+tenantID+"\n") || !strings.Contains(got, "vni 20002") || !strings.Contains(got, test.becomes) {
					return fmt.Errorf("%s", got)
				}
				return nil
			})
			if test.becomes != "" {
				r.frr.edit(tenantBGP, test.becomes, "") // it is let go of
			}
			r.policy = v1alpha1.DriftRevert
			r.pause(false)
			r.has("it is put back", routed("r2", 1, 2))
			r.until("and told", func(f report.Facts) bool { return len(f.Drift) > 0 && f.Drift[0].RevertedAt != nil })
		})
	}
}

// What a daemon of FRR forgets when it starts again is nobody's drift, whatever
// the policy, and put back.
func TestRestartOfFRRIsNoDrift(t *testing.T) {
	r := newRoutedRig(t)
	r.policy = v1alpha1.DriftReport
	r.boot()
	r.told(routed("r1", 1))
	r.frr.use(func() { // bgpd alone
		r.frr.tree = slices.DeleteFunc(r.frr.tree, func(n frr.Node) bool { return strings.HasPrefix(n.Line, "router bgp ") })
	})
	r.has("it is told again", routed("r1", 1))
	f := r.until("all is well", func(f report.Facts) bool { return f.Routed.OK })
	if diff := cmp.Diff("", text(f.Drift)); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
}
