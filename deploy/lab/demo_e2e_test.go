package main_test

import (
	"strings"
	"testing"
	"time"
)

// The demonstration as a person runs it: where that is possible its switches forward,
// and who reaches whom through them is as the VPCs say, before a host is re-cabled,
// after that, and once a VPC is gone.
func TestDemoThatForwards(t *testing.T) {
	l := newLab(t, "e2eshow", true)
	forwards(t)
	begin := time.Now()
	output := l.must(t, "demo", "--forward")
	t.Logf("it took %s", time.Since(begin).Round(100*time.Millisecond))
	for _, want := range []string{
		"switches forward, ",
		"found all 6 cables by LLDP",
		"the underlay is in force on 3 switches",
		"No row appeared in CONFIG_DB of spine1 with the VPCs",
		"leaf1/Ethernet0 has lost them",
		"its rows are gone",
		"are byte for byte as before",
		"0 mistakes in what was written or in its order, 0 errors logged",
		"bin/lab matrix",
	} {
		if !strings.Contains(output, want) {
			t.Errorf("lab demo does not say %q", want)
		}
	}
	const (
		inBlue, inRed = "1  host2/eth1  db   - ✓ ✓ ✓ │ · · · ·", "5  host1/eth1  app  · · · · │ - ✓ ✓ ✓"
		redIsGone     = "5  host1/eth1  app  · · · · │ - · · ·"
		zero          = " 0 differences"
		both, blue    = "8 endpoints, 56 pairs, 24 of them reach each other", "8 endpoints, 56 pairs, 12 of them reach each other"
	)
	for want, times := range map[string]int{inBlue: 3, inRed: 2, redIsGone: 1, both: 2, blue: 1, zero: 3, "Established": 4} {
		if got := strings.Count(output, want); got != times {
			t.Errorf("lab demo says %q %d times, want %d", want, got, times)
		}
	}
	if t.Failed() {
		t.Log(output)
	}
	if got := l.must(t, "matrix"); !strings.Contains(got, "4 endpoints, 12 pairs, 12 of them reach each other") {
		t.Errorf("lab matrix after the demonstration:\n%s", got)
	}
	tr := l.trace(t)
	l.must(t, "down")
	tr.gone(t)
}

// A leaf that a change cuts off from everybody takes it back by itself.
func TestDemoOfAChangeThatCutsALeafOff(t *testing.T) {
	l := newLab(t, "e2ecut", true)
	forwards(t)
	output := l.must(t, "demo", "--forward", "--cut-off")
	for _, want := range []string{
		"leaf1 has lost BGP on all uplinks",
		"it took the change back without the API server",
		"was taken back.",
		"leaf1 is Ready with the corrected change",
		"are byte for byte as before",
	} {
		if !strings.Contains(output, want) {
			t.Errorf("lab demo --cut-off does not say %q", want)
		}
	}
	if got := strings.Count(output, "4 endpoints, 12 pairs, 12 of them reach each other"); got != 3 {
		t.Errorf("the matrix is right %d times, want before the change, while leaf1 cannot be managed, and in the end", got)
	}
	if t.Failed() {
		t.Log(output)
	}
}
