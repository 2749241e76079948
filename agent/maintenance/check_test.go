package maintenance

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

func damaged(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, append(text, '!'), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestChecks(t *testing.T) {
	const sessions, routes = v1alpha1.CheckBGPSessions, v1alpha1.CheckEVPNRoutes
	two := []string{"Ethernet48", "Ethernet52"}
	for _, c := range []struct {
		name  string
		check v1alpha1.SwitchCheck
		was   []string
		known bool
		is    Finding
		says  string // empty: it holds
	}{
		{"all are there", sessions, two, true, Finding{Values: two}, ""},
		{"one more", sessions, two[:1], true, Finding{Values: two}, ""},
		{"one less", sessions, two, true, Finding{Values: two[:1]}, "not established: Ethernet52"},
		{"another neighbour", v1alpha1.CheckLLDPNeighbors, []string{"spine1 at Ethernet48"}, true, Finding{Values: []string{"spine2 at Ethernet48"}}, "not heard: spine1 at Ethernet48"},
		{"it cannot be told", sessions, two, true, Finding{Err: errors.New("FRR cannot be reached")}, "FRR cannot be reached"},
		{"what was is not known", sessions, nil, false, Finding{Values: two}, "What was before is not known any more"},
		{"nine tenths of the routes", routes, []string{"1000"}, true, Finding{Values: []string{"900"}}, ""},
		{"less", routes, []string{"1000"}, true, Finding{Values: []string{"899"}}, "899 of 1000 EVPN routes are left"},
		{"nothing is installed", v1alpha1.CheckInstalledRoutes, []string{"12"}, true, Finding{Values: []string{"0"}}, "0 of 12 routes that zebra had of BGP's are left"},
		{"it is not converged", v1alpha1.CheckAgentConverged, []string{"CONFIG_DB"}, true, Finding{Wrong: "Converging: …"}, "Converging"},
		{"the first bgp service", v1alpha1.CheckAgentConverged, []string{"CONFIG_DB"}, true, Finding{Values: []string{"CONFIG_DB", "FRR"}}, ""},
		{"FRR is lost", v1alpha1.CheckAgentConverged, []string{"CONFIG_DB", "FRR"}, true, Finding{Values: []string{"CONFIG_DB"}}, "not in force: FRR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := after(c.check, c.was, c.known, c.is)
			if got.OK != (c.says == "") || !strings.HasPrefix(got.Message, c.says) {
				t.Errorf("%+v, want %q", got, c.says)
			}
		})
	}
	if got := before(sessions, Finding{Values: two}); !got.OK || got.Before != "2: Ethernet48, Ethernet52" {
		t.Errorf("%+v", got)
	}
	if got := before(v1alpha1.CheckAgentConverged, Finding{Wrong: "OnTrial"}); got.OK || got.Message != "OnTrial" {
		t.Errorf("%+v", got)
	}
}

// An agent that has just begun takes nothing for what there was before.
func TestNotLookedYet(t *testing.T) {
	nobody := []v1alpha1.LLDPNeighbor{}
	looked := report.Facts{Inventory: &report.Inventory{}}
	var g gauge
	for _, c := range []struct {
		check v1alpha1.SwitchCheck
		facts report.Facts
		heard []v1alpha1.LLDPNeighbor
	}{
		{v1alpha1.CheckUplinks, report.Facts{}, nobody},
		{v1alpha1.CheckLLDPNeighbors, report.Facts{}, nobody},
		{v1alpha1.CheckLLDPNeighbors, looked, nil},
	} {
		if got := before(c.check, g.find(t.Context(), c.check, c.facts, c.heard)); got.OK || got.Message != errNotLooked.Error() {
			t.Errorf("%+v", got)
		}
	}
	if got := g.find(t.Context(), v1alpha1.CheckLLDPNeighbors, looked, nobody); got.Err != nil {
		t.Errorf("nobody is heard: %+v", got)
	}
}

func TestTraffic(t *testing.T) {
	at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	var tr traffic
	see := func(second int, a, b uint64) {
		tr.see(at(second), map[string]octets{"Ethernet0": {in: a}, "Ethernet4": {out: b}}, 1_000_000, time.Second)
	}
	see(0, 0, 0)
	if tr.silent(at(0), 0) {
		t.Error("one look says nothing")
	}
	see(1, 1_000_000, 0)
	if tr.loud != "Ethernet0 8.0 Mbit/s" {
		t.Errorf("loud %q", tr.loud)
	}
	see(2, 1_010_000, 2_000_000_000)
	if tr.rates["Ethernet0"] != 10_000 || tr.rates["Ethernet4"] != 2e9 {
		t.Errorf("rates %v", tr.rates)
	}
	if tr.loud != "Ethernet4 16.0 Gbit/s" {
		t.Errorf("loud %q", tr.loud)
	}
	see(12, 1_020_000, 2_000_001_000)
	if tr.loud != "" || !tr.silent(at(12), 10*time.Second) || tr.silent(at(12), 11*time.Second) {
		t.Errorf("loud %q, quiet since %v", tr.loud, tr.quiet)
	}
	see(13, 0, 0)
	if !strings.Contains(tr.loud, "its counters were cleared") || tr.silent(at(13), 0) {
		t.Errorf("loud %q", tr.loud)
	}
}
