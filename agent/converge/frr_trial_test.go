package converge_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/agent/probe"
	"github.com/switchlet/switchlet/agent/report"
)

// frr.conf is kept where FRR reads it; elsewhere the condition says what is lost.
func TestFRRFile(t *testing.T) {
	r := newRoutedRig(t)
	const mine = "hostname leaf1\n!\n"
	r.must(os.WriteFile(r.file, []byte(mine), 0o640))
	r.mode("separated")
	r.boot()
	r.apply(routed("r1", 1))
	f := r.until("FRR was told", func(f report.Facts) bool { return f.Routed.OK && f.Routed.Reason == "Routed" })
	if !strings.Contains(f.Routed.Message, "docker_routing_config_mode of DEVICE_METADATA|localhost is \"separated\"") || r.saved() != mine {
		t.Errorf("Routed is %+v, frr.conf %q", f.Routed, r.saved())
	}
	r.mode("split-unified")
	r.becomesFile("it is saved", func(text string) bool { return strings.HasPrefix(text, mine) && strings.Contains(text, "vni 20001") })
	f = r.until("the condition has no word of it", func(f report.Facts) bool { return !strings.Contains(f.Routed.Message, "docker_routing_config_mode") })
	if !f.Routed.OK {
		t.Errorf("Routed is %+v", f.Routed)
	}
	r.told(routed("r2", 2))
	r.becomesFile("the change is saved", func(text string) bool {
		return strings.HasPrefix(text, mine) && strings.Contains(text, "vni 20002") && !strings.Contains(text, "vni 20001")
	})
	r.apply(nothing("r3"))
	r.becomesFile("all is taken out", func(text string) bool {
		return strings.HasPrefix(text, mine) && !strings.Contains(text, "router bgp 65001")
	})
}

func (r *routedRig) saved() string {
	text, err := os.ReadFile(r.file)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

func (r *routedRig) becomesFile(what string, ok func(string) bool) {
	r.t.Helper()
	r.eventually(what, func() error {
		if text := r.saved(); !ok(text) {
			return fmt.Errorf("frr.conf is:\n%s", text)
		}
		return nil
	})
}

// A change of the underlay is on trial although no row of CONFIG_DB changes: a
// session that is lost with it brings the old one back, a neighbour that was
// taken away on purpose does not.
func TestUnderlayOnTrial(t *testing.T) {
	r := newRoutedRig(t)
	r.config.Rules = probe.Rules{Window: 500 * time.Millisecond, Steady: 50 * time.Millisecond, Deadline: 300 * time.Millisecond}
	r.frr.sessions = map[string]string{"Ethernet48": "Established", "Ethernet52": "Established"}
	r.boot()
	r.told(routed("r1", 1))
	bad := routed("r2", 1)
	bad.BGP.ASN = 65002
	r.frr.refuse = func(command string) string {
		if strings.HasPrefix(command, "router bgp 65002") {
			r.frr.sessions["Ethernet48"] = "Active"
		} else if strings.HasPrefix(command, "router bgp 65001") && !strings.Contains(command, " no ") {
			r.frr.sessions["Ethernet48"] = "Established"
		}
		return ""
	}
	r.write(bad)
	f := r.until("it is taken back", func(f report.Facts) bool { return f.BadRevision == "r2" })
	if !strings.Contains(f.Confirmed.Message, "Ethernet48") {
		t.Errorf("Confirmed is %+v", f.Confirmed)
	}
	r.has("FRR has r1 again", routed("r1", 1))
	fewer := routed("r3", 1)
	fewer.BGP.Uplinks = []string{"Ethernet48"}
	r.frr.use(func() {
		r.frr.refuse = func(command string) string {
			if strings.Contains(command, "no neighbor Ethernet52") {
				delete(r.frr.sessions, "Ethernet52")
			}
			return ""
		}
	})
	r.told(fewer)
	r.has("a neighbour less is no loss", fewer)
}

// A change is not confirmed before FRR has taken it, however long that takes: what FRR
// breaks brings the old revision back.
func TestSlowFRROnTrial(t *testing.T) {
	r := newRoutedRig(t)
	r.config.Rules = probe.Rules{Window: 50 * time.Millisecond, Steady: 20 * time.Millisecond, Deadline: 300 * time.Millisecond}
	r.frr.sessions = map[string]string{"Ethernet48": "Established"}
	r.boot()
	r.told(routed("r1", 1))
	r.until("r1 is confirmed", func(f report.Facts) bool { return f.Confirmed.Reason == "Confirmed" })
	bad := routed("r2", 1)
	bad.BGP.ASN = 65002
	answers, rounds := make(chan struct{}), 0
	r.frr.use(func() {
		r.frr.refuse = func(command string) string {
			if strings.HasPrefix(command, "router bgp 65002") {
				r.frr.sessions["Ethernet48"] = "Active"
			} else if strings.HasPrefix(command, "router bgp 65001") && !strings.Contains(command, " no ") {
				r.frr.sessions["Ethernet48"] = "Established"
			}
			return ""
		}
		r.frr.hangs, rounds = answers, r.frr.shows
	})
	r.write(bad)
	r.until("it is on trial", func(f report.Facts) bool { return f.Confirmed.Reason == "OnTrial" })
	r.eventually("the probes were asked for several windows", func() error {
		var asked int
		r.frr.use(func() { asked = r.frr.shows - rounds })
		if asked < 20 {
			return fmt.Errorf("asked %d times", asked)
		}
		return nil
	})
	r.frr.use(func() { r.frr.hangs = nil })
	close(answers)
	r.until("it is taken back", func(f report.Facts) bool { return f.BadRevision == "r2" })
	r.has("FRR has r1 again", routed("r1", 1))
}
