package neighbors

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Whether SONiC's lldp service is away decides who speaks. Each line is what is
// seen at a second, and whether the service counts as away then.
func TestAbsence(t *testing.T) {
	type line struct {
		at   int
		seen service
		away bool
	}
	enabled, disabled := service{Feature: "enabled"}, service{Feature: "disabled"}
	up, down := service{Feature: "enabled", System: "up"}, service{Feature: "enabled", System: "down"}
	for name, lines := range map[string][]line{
		"it runs":                            {{0, up, false}, {500, up, false}},
		"it says nothing of itself":          {{0, enabled, false}, {500, enabled, false}},
		"it is always on":                    {{0, service{Feature: "always_enabled"}, false}},
		"nobody wants it":                    {{0, disabled, true}, {500, disabled, true}},
		"SONiC was built without it":         {{0, service{}, true}},
		"it is always off":                   {{0, service{Feature: "always_disabled"}, true}},
		"it is switched off":                 {{0, enabled, false}, {5, disabled, false}, {124, disabled, false}, {125, disabled, true}},
		"it is switched off, and runs on":    {{0, up, false}, {5, service{Feature: "disabled", System: "up"}, false}, {500, service{System: "up"}, false}},
		"it is switched on":                  {{0, disabled, true}, {5, enabled, false}},
		"it restarts":                        {{0, up, false}, {5, down, false}, {60, up, false}, {130, down, false}, {200, up, false}},
		"it has crashed for good":            {{0, up, false}, {5, down, false}, {125, down, true}, {300, up, false}},
		"it has crashed before we came":      {{0, down, false}, {120, down, true}},
		"CONFIG_DB lacks it for a moment":    {{0, up, false}, {5, service{}, false}, {6, up, false}},
		"it is away again after coming back": {{0, disabled, true}, {5, enabled, false}, {6, disabled, false}, {126, disabled, true}},
	} {
		t.Run(name, func(t *testing.T) {
			a := absence{silence: 2 * time.Minute}
			for _, l := range lines {
				now := start().Add(time.Duration(l.at) * time.Second)
				a.look(now, l.seen)
				if a.away != l.away {
					t.Errorf("%d s: away is %v", l.at, a.away)
				}
				if next := a.next(); !next.IsZero() && !next.After(now) {
					t.Errorf("%d s: the next look is at %v, before %v", l.at, next, now)
				}
			}
		})
	}
}

func TestPace(t *testing.T) {
	p := pace{settle: 200 * time.Millisecond, apart: 2 * time.Second}
	var told []string
	changes := map[int]bool{0: true, 100: true, 190: true, 300: true, 400: true, 5000: true, 9000: true}
	for ms := 0; ms < 12_000; ms += 10 {
		now := start().Add(time.Duration(ms) * time.Millisecond)
		if changes[ms] {
			p.changed(now)
		}
		if ms == 9100 {
			p.unchanged() // it was taken back
		}
		if p.take(now) {
			told = append(told, fmt.Sprint(ms))
		}
	}
	if diff := cmp.Diff([]string{"200", "2200", "5200"}, told); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
