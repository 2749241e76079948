package converge_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// peered has two VPCs of routed take over each other's network.
func peered(s v1alpha1.SwitchConfigSpec) v1alpha1.SwitchConfigSpec {
	for i, other := range []int{1, 0} {
		s.VRFs[i].Imports = []v1alpha1.VRFImport{{
			VRF: s.VRFs[other].VNI, Prefixes: []string{strings.Replace(s.Segments[other].Gateways[0], ".1/", ".0/", 1)},
			Owner: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPCPeering, Namespace: "tenant", Name: s.VRFs[i].Owner.Name},
		}}
	}
	return s
}

// What a VRF takes over goes before anything else changes, and comes when both VRFs are
// there; the VRFs that stay keep what they have.
func TestRoutesOfOthersGoFirst(t *testing.T) {
	r := newRoutedRig(t)
	var came, went atomic.Int32
	exists := func(vrf string) bool { return r.operator.Exists(t.Context(), "VRF|"+vrf).Val() == 1 }
	r.frr.seen = func(command string) {
		switch {
		case strings.Contains(command, " / no import vrf Vrf"):
			went.Add(1)
			if exists("Vrf20003") || !exists("Vrf20001") || !exists("Vrf20002") {
				t.Errorf("%q when CONFIG_DB has changed already", command)
			}
		case strings.Contains(command, " / import vrf Vrf"):
			came.Add(1)
			if !strings.Contains(sortedTree(r.frr.tree), "import vrf route-map SWITCHLET-") {
				t.Errorf("%q without a route map", command)
			}
		}
	}
	r.boot()
	r.told(peered(routed("r1", 1, 2)))
	r.has("both take over", peered(routed("r1", 1, 2)))
	r.told(routed("r2", 1, 2, 3))
	r.has("nobody takes over, and there is a third", routed("r2", 1, 2, 3))
	r.apply(nothing("r3"))
	r.becomes("CONFIG_DB is as before", r.before)
	r.told(peered(routed("r4", 1, 2)))
	r.told(routed("r5", 1))
	r.has("one is left", routed("r5", 1))
	if came.Load() != 4 || went.Load() != 4 {
		t.Errorf("came %d times, went %d times, want 4 each", came.Load(), went.Load())
	}
}

// A VRF takes over nothing from one that SONiC does not take, and nothing at all while
// FRR refuses the route map that would judge it.
func TestNothingIsTakenOverUnjudged(t *testing.T) {
	r := newRoutedRig(t)
	r.frr.refuse = func(command string) string {
		if strings.Contains(command, "import vrf route-map SWITCHLET-20001-") {
			return "% busy"
		}
		return ""
	}
	r.boot()
	r.apply(peered(routed("r1", 1, 2)))
	r.eventually("the other VRF takes over", func() error {
		var got string
		r.frr.use(func() { got = sortedTree(r.frr.tree) })
		if !strings.Contains(got, "import vrf Vrf20001") {
			return errDown
		}
		if strings.Contains(got, "import vrf Vrf20002") {
			t.Errorf("taken over without a route map:\n%s", got)
		}
		return nil
	})
	facts := r.until("it is told whose import was refused", func(f report.Facts) bool {
		return slices.ContainsFunc(f.Problems, func(p v1alpha1.Problem) bool {
			return p.Owner.Kind == v1alpha1.KindVPCPeering && p.Owner.Name == "vpc1" && p.Reason == "RefusedByFRR" && strings.Contains(p.Message, "% busy")
		})
	})
	for _, p := range facts.Problems {
		if p.Owner.Kind != v1alpha1.KindVPCPeering {
			t.Errorf("%s suffers from it: %s", p.Owner, p.Message)
		}
	}
	if facts.Routed.Reason != "Refused" {
		t.Errorf("Routed is %+v", facts.Routed)
	}
}
