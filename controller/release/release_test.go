package release_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/release"
)

func equal(a, b any) bool { return equality.Semantic.DeepEqual(a, b) }

// Whatever happens, in whatever order, with a controller that is killed at any
// action and sees old things: the promises hold at every moment, and when it is
// quiet again the release has ended or says what it waits for.
func TestPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		defer func() {
			if t.Failed() {
				t.Logf("what happened:\n%s", w)
			}
		}()
		for range rapid.IntRange(0, 40).Draw(t, "events") {
			w.event(t)
			w.promises(t)
			w.goOn(t, rapid.IntRange(0, 12).Draw(t, "rounds"))
		}
		w.calm(t)
		w.ended(t)
	})
}

// goOn lets everybody work for some rounds.
func (w *world) goOn(t *rapid.T, rounds int) {
	for range rounds {
		for _, step := range []func() bool{func() bool { return w.control(fresh, -1) }, w.agents, w.kubelets} {
			step()
			w.promises(t)
		}
	}
}

// event is one thing that happens.
func (w *world) event(t *rapid.T) {
	b := w.boxes[rapid.IntRange(0, len(w.boxes)-1).Draw(t, "switch")]
	stale := func(int) bool { return rapid.IntRange(0, 3).Draw(t, "stale") == 0 }
	switch what := rapid.IntRange(0, 29).Draw(t, "event"); {
	case what < 9:
		w.control(stale, rapid.IntRange(-1, 2).Draw(t, "dies"))
	case what < 14:
		w.agents()
	case what < 19:
		w.kubelets()
	case what < 22:
		w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{1, 40, 130, 310}).Draw(t, "seconds")) * time.Second)
	case what == 22:
		b.down = !b.down
		w.note("%s down: %v", b.name, b.down)
	case what == 23:
		b.silent = !b.silent
	case what == 24:
		b.refuses, b.pullFails = rapid.Bool().Draw(t, "refuses"), rapid.Bool().Draw(t, "pull fails")
	case what == 25:
		w.release.Spec.Paused = !w.release.Spec.Paused
		w.note("paused: %v", w.release.Spec.Paused)
	case what == 26:
		w.spoil(t)
	case what == 27:
		w.target = w.targetOf(rapid.IntRange(0, 5).Draw(t, "version"))
		w.note("target %s", w.target.Revision)
	case what == 28 && !w.out(b) && b.maintenance == nil && b.answer == nil:
		w.rejoin(b)
	default:
		w.approve(w.release.Status.Approval)
		w.retry()
	}
}

// spoil makes a version bad that nobody runs well.
func (w *world) spoil(t *rapid.T) {
	service := rapid.SampledFrom([]string{"bgp", v1alpha1.ServiceAgent}).Draw(t, "bad service")
	hash := hashOf(service, rapid.IntRange(1, 5).Draw(t, "bad version"))
	for _, b := range w.boxes {
		if p := b.pods[service]; p != nil && p.hash == hash || b.labels[service] == hash {
			return
		}
		for _, c := range w.status(b.name).Services {
			if c.From == hash {
				return
			}
		}
	}
	w.note("%s is bad", hash)
	if rapid.Bool().Draw(t, "crashes") {
		w.bad[hash] = true
	} else {
		w.worse[hash] = true
	}
}

func (w *world) approve(what string) {
	if what != "" {
		w.release.Annotations[v1alpha1.AnnotationApproved] = what
	}
}

func (w *world) retry() {
	if stop := w.release.Status.Stop; stop != nil {
		w.release.Annotations[v1alpha1.AnnotationRetry] = stop.Retry
	}
}

// promises hold at every moment. (That no service comes before its image is
// checked where labels are set.)
func (w *world) promises(t *rapid.T) {
	groups, at, spines, spare := map[string]string{}, map[string]bool{}, 0, 0
	for _, b := range w.boxes {
		if p := w.status(b.name).Phase; p == v1alpha1.SwitchWaiting || p == v1alpha1.SwitchRolledBack {
			for service := range b.had { // it went back to having none
				if b.labels[service] == "" && b.pods[service] == nil {
					delete(b.had, service)
				}
			}
		}
		if b.role == v1alpha1.RoleSpine {
			spines++
		}
		if !w.out(b) {
			if b.role == v1alpha1.RoleSpine {
				spare++
			}
			continue
		}
		if other := groups[b.group]; other != "" {
			t.Fatalf("%s and %s of %s are both out", other, b.name, b.group)
		}
		groups[b.group], at[b.group] = b.name, true
		if b.drained && w.withAgent && b.pods[v1alpha1.ServiceAgent] == nil && w.release.Spec.Strategy.Drain.Mode != v1alpha1.DrainAlways {
			t.Fatalf("%s is drained, and has no agent", b.name)
		}
	}
	if len(at) > int(w.release.Spec.Strategy.Groups) {
		t.Fatalf("%d groups have a switch that is out: %v", len(at), at)
	}
	if spines > 0 && spare == 0 {
		t.Fatal("no spine is left")
	}
	if s := w.release.Status.Stop; s != nil && (s.Reason == "" || s.Message == "" || s.Switch == "") {
		t.Fatalf("stopped without a reason: %+v", s)
	}
}

// calm ends what troubles the fabric from outside, and lets everybody finish.
func (w *world) calm(t *rapid.T) {
	for _, b := range w.boxes {
		b.down, b.silent, b.pullFails = false, false, false
	}
	if !w.settle(func() { w.promises(t) }) {
		t.Fatalf("it does not come to rest: %s", w.release.Status.Message)
	}
}

// ended says that the release has ended or says what it waits for, and that no
// switch is left half done.
func (w *world) ended(t *rapid.T) {
	s := w.release.Status
	w.note("%s: %s", s.Phase, s.Message)
	if s.Message == "" {
		t.Fatalf("phase %s and nothing is said", s.Phase)
	}
	for _, b := range w.boxes {
		r := w.status(b.name)
		switch {
		case r.Phase == v1alpha1.SwitchRollingBack && s.Stop != nil: // what it had crashes, too
			t.Fatalf("%s does not come back: %s", b.name, r.Message)
		case b.drained || b.maintenance != nil:
			t.Fatalf("%s is still in maintenance, phase %s: %s", b.name, r.Phase, r.Message)
		case w.out(b):
			t.Fatalf("%s is out, phase %s: %s", b.name, r.Phase, r.Message)
		case r.Phase == v1alpha1.SwitchWaiting && r.Reason == "":
			t.Fatalf("%s waits and does not say for what", b.name)
		}
	}
	if s.Phase == v1alpha1.ReleaseProgressing {
		t.Fatalf("nothing happens, and it says %s", s.Message)
	}
	w.completes(t)
}

// completes: with nothing bad and everything approved, every switch gets there.
func (w *world) completes(t *rapid.T) {
	w.bad, w.worse, w.release.Spec.Paused = map[string]bool{}, map[string]bool{}, false
	for _, b := range w.boxes {
		b.refuses = false
	}
	for range 2 * len(w.boxes) {
		w.approve(w.release.Status.Approval)
		w.retry()
		w.calm(t)
	}
	if s := w.release.Status; s.Phase != v1alpha1.ReleaseComplete && !strings.Contains(s.Message, "MinAvailable") {
		t.Fatalf("it ends as %s: %s", s.Phase, s.Message)
	}
}

// Each case is a release of bgp and lldp from version 0 to 2 over four switches in
// two groups, and what became of it.
func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*world)
		phase  v1alpha1.ReleasePhase
		says   string
		have   string // the version of bgp on each switch
	}{
		{"all is well", func(*world) {}, v1alpha1.ReleaseComplete, "4 switches run it, 4 of them are well.", "2 2 2 2"},
		{"the new version crashes", func(w *world) { w.bad["bgp-v2"] = true }, v1alpha1.ReleaseStopped, "sw1: CrashLoop: bgp: CrashLoopBackOff", "0 0 0 0"},
		{"the new version breaks something", func(w *world) { w.worse["bgp-v2"] = true }, v1alpha1.ReleaseStopped, "sw1: PostcheckFailed: After 5m0s: BGPSessions: leaf9 is missing", "0 0 0 0"},
		{"an agent is silent", func(w *world) { w.boxes[1].silent = true }, v1alpha1.ReleaseStopped, "sw2: AgentSilent: The agent does not answer.", "2 0 0 0"},
		{"an image cannot be had", func(w *world) { w.boxes[0].pullFails = true }, v1alpha1.ReleaseStopped, "sw1: PullFailed: It could not fetch registry.example.com/bgp-v2, registry.example.com/lldp-v1: no such host. The switch has what it had.", "0 0 0 0"},
		{"a host would be cut off", func(w *world) { w.boxes[2].refuses = true }, v1alpha1.ReleaseStopped, "sw3: DrainFailed: host7 has no other switch.", "2 2 0 0"},
		{"a host is cut off on request", func(w *world) { w.boxes[2].refuses, w.release.Spec.Strategy.Drain.Force = true, true }, v1alpha1.ReleaseComplete, "4 switches", "2 2 2 2"},
		{"a switch is off", func(w *world) { w.boxes[1].down = true }, v1alpha1.ReleaseWaiting, "sw2: Unavailable: Its Node is not ready.", "0 0 2 2"},
		{"the first group is looked at", func(w *world) { w.release.Spec.Strategy.Approval = v1alpha1.ApprovalFirst }, v1alpha1.ReleaseAwaitingApproval, "1 groups are begun on: kubectl switchlet release approve core.", "2 2 0 0"},
		{"paused from the start", func(w *world) { w.release.Spec.Paused = true }, v1alpha1.ReleasePaused, "spec.paused is true.", "0 0 0 0"},
		{"a switch joins anew", func(w *world) { w.rejoin(w.boxes[3]) }, v1alpha1.ReleaseComplete, "4 switches", "2 2 2 2"},
		{"a switch is kept drained by hand", func(w *world) { w.boxes[0].byHand = true }, v1alpha1.ReleaseWaiting, "sw1: Drained: spec.drained of Switch sw1 is true: kubectl switchlet switch undrain sw1.", "0 0 2 2"},
		{"the agent, too", func(w *world) { w.addAgent() }, v1alpha1.ReleaseComplete, "4 switches run it, 4 of them are well.", "2 2 2 2"},
		{"the new agent crashes", func(w *world) { w.addAgent(); w.bad["agent-v2"] = true }, v1alpha1.ReleaseStopped, "sw1: CrashLoop: agent: CrashLoopBackOff", "0 0 0 0"},
		{"the new agent does nothing", func(w *world) { w.addAgent(); w.worse["agent-v2"] = true }, v1alpha1.ReleaseStopped, "sw1: AgentSilent: After 5m0s: The agent does not answer.", "0 0 0 0"},
		{"and nothing is checked", func(w *world) { w.addAgent(); w.worse["agent-v2"] = true; w.release.Spec.Strategy.Checks = nil }, v1alpha1.ReleaseStopped, "sw1: AgentSilent: After 5m0s: The agent does not answer.", "0 0 0 0"},
		{"it does nothing on a switch that is drained for it", func(w *world) {
			w.addAgent()
			w.worse["agent-v2"] = true
			w.release.Spec.Strategy.Drain.Mode = v1alpha1.DrainAlways
		}, v1alpha1.ReleaseStopped, "sw1: AgentSilent", "0 0 0 0"},
		{"a switch joins anew, and has the agent that is deployed", func(w *world) { w.addAgent(); w.rejoin(w.boxes[3]) }, v1alpha1.ReleaseComplete, "4 switches", "2 2 2 2"},
		{"another release has a switch", func(w *world) { w.boxes[0].maintenance = &v1alpha1.SwitchMaintenance{Release: "other", Drain: true} }, v1alpha1.ReleaseWaiting, "HeldByOther: SwitchConfig sw1 is still in the maintenance of NOSRelease other.", "0 0 2 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(strategy(), "group/a", "group/a", "group/b", "group/b")
			c.change(w)
			if !w.settle(func() {}) {
				t.Fatalf("it does not come to rest:\n%s", w)
			}
			s := w.release.Status
			if s.Phase != c.phase || !strings.Contains(s.Message, c.says) {
				t.Errorf("%s: %s\nwant %s: %s\n%s", s.Phase, s.Message, c.phase, c.says, w)
			}
			var have []string
			for _, b := range w.boxes {
				have = append(have, strings.TrimPrefix(b.pods["bgp"].hash, "bgp-v"))
				if b.drained && b.maintenance == nil {
					t.Errorf("%s is drained at the end", b.name)
				}
				agent := map[bool]string{true: "agent-v2", false: v1alpha1.HashDeployed}[b.pods["bgp"].hash == "bgp-v2"]
				if p := b.pods[v1alpha1.ServiceAgent]; w.withAgent && (p == nil || p.hash != agent) {
					t.Errorf("the agent of %s is %+v, want %s", b.name, p, agent)
				}
			}
			if got := fmt.Sprint(strings.Join(have, " ")); got != c.have {
				t.Errorf("the switches run %s, want %s\n%s", got, c.have, w)
			}
		})
	}
}

// An agent that has drained its switch and is cut off before it could say so: its
// switch counts as out until it has said that traffic is back, whatever it said
// of earlier steps.
func TestUnheardDrain(t *testing.T) {
	w := newWorld(strategy(), "group/a", "group/a")
	first := w.boxes[0]
	for range 100 {
		w.control(fresh, -1)
		if !first.drained {
			w.agents()
		}
	}
	if first.drained, first.silent = true, true; w.status("sw1").Phase != v1alpha1.SwitchDraining || first.answer.Drained {
		t.Fatalf("sw1 is %s:\n%s", w.status("sw1").Phase, w)
	}
	w.release.Spec.Paused = true
	w.settle(func() {})
	w.release.Spec.Paused = false
	w.settle(func() {
		if w.out(w.boxes[1]) {
			t.Fatalf("sw2 is out while sw1 is drained:\n%s", w)
		}
	})
	if r := w.status("sw2"); r.Reason != "GroupBusy" || w.status("sw1").Phase != v1alpha1.SwitchReleasing {
		t.Errorf("sw1 is %s, sw2 waits for %s: %s", w.status("sw1").Phase, r.Reason, r.Message)
	}
	first.silent = false
	if w.settle(func() {}); w.release.Status.Phase != v1alpha1.ReleaseComplete {
		t.Errorf("it ends as %s: %s", w.release.Status.Phase, w.release.Status.Message)
	}
}

// A switch that somebody drains while a release is at work on it is finished, and
// nobody waits for its traffic to come back; one that still has what it had is let go.
func TestDrainedByHandMeanwhile(t *testing.T) {
	for _, c := range []struct {
		phase v1alpha1.SwitchPhase
		have  string
	}{
		{v1alpha1.SwitchDraining, "bgp-v0"},
		{v1alpha1.SwitchVerifying, "bgp-v2"},
		{v1alpha1.SwitchUndraining, "bgp-v2"},
	} {
		w := newWorld(strategy(), "group/a", "group/b")
		first := w.boxes[0]
		for range 1000 {
			if w.status("sw1").Phase == c.phase && first.drained {
				break
			}
			w.control(fresh, -1)
			w.agents()
			w.kubelets()
		}
		first.byHand = true
		w.settle(func() {})
		if r := w.status("sw1"); first.pods["bgp"] == nil || first.pods["bgp"].hash != c.have || release.AtWork(r.Phase) || w.release.Status.Stop != nil {
			t.Errorf("drained by hand while %s: sw1 is %s, %s:\n%s", c.phase, r.Phase, r.Message, w)
		}
	}
}

// What a user's check was before decides what it has to be after, if the user says so.
func TestAsBefore(t *testing.T) {
	for _, c := range []struct {
		before, after bool
		required      v1alpha1.CheckRequired
		phase         v1alpha1.ReleasePhase
		reason        string
	}{
		{true, true, v1alpha1.CheckAlways, v1alpha1.ReleaseComplete, ""},
		{false, true, v1alpha1.CheckAlways, v1alpha1.ReleaseStopped, "PrecheckFailed"},
		{true, false, v1alpha1.CheckAlways, v1alpha1.ReleaseStopped, "PostcheckFailed"},
		{true, false, v1alpha1.CheckAsBefore, v1alpha1.ReleaseStopped, "PostcheckFailed"},
		{false, false, v1alpha1.CheckAsBefore, v1alpha1.ReleaseComplete, ""},
		{false, true, v1alpha1.CheckAsBefore, v1alpha1.ReleaseComplete, ""},
	} {
		w := newWorld(strategy(), "group/a")
		w.release.Spec.Checks = []v1alpha1.ReleaseCheck{{Name: "mine", Required: c.required}}
		w.check = func(b *box) release.Result {
			ok := c.before
			if w.status(b.name).Phase != v1alpha1.SwitchPrechecking {
				ok = c.after
			}
			return release.Result{Done: true, OK: ok, Value: "it is so"}
		}
		w.settle(func() {})
		s := w.release.Status
		if s.Phase != c.phase || s.Stop != nil && s.Stop.Reason != c.reason {
			t.Errorf("%v before, %v after, required %s: %s: %s", c.before, c.after, c.required, s.Phase, s.Message)
		}
	}
}

// A switch that has got its agent gets the rest before another one is begun on.
func TestTheRestFollowsTheAgent(t *testing.T) {
	w := newWorld(strategy(), "group/a", "group/a")
	w.addAgent()
	w.boxes[1].pods["lldp"].ready = false // it is not well, and so is the first
	w.settle(func() {})
	text := w.String()
	rest, next := strings.Index(text, `sw2: bgp="bgp-v2"`), strings.Index(text, `sw1: agent="agent-v2"`)
	if rest < 0 || next < 0 || next < rest {
		t.Errorf("sw1 was begun on before sw2 was done:\n%s", text)
	}
}

// Where neither the new agent runs nor the one before, a better one gets its turn,
// although nobody is there who could fetch it.
func TestAnotherAgent(t *testing.T) {
	w := newWorld(strategy(), "group/a")
	w.addAgent()
	w.bad["agent-v2"] = true
	for range 100 {
		if w.status("sw1").Phase == v1alpha1.SwitchRollingBack {
			break
		}
		w.control(fresh, -1)
		w.agents()
		w.kubelets()
	}
	w.bad[v1alpha1.HashDeployed] = true
	w.settle(func() {})
	if r := w.status("sw1"); r.Phase != v1alpha1.SwitchRollingBack || w.release.Status.Stop == nil {
		t.Fatalf("sw1 is %s:\n%s", r.Phase, w)
	}
	w.target = w.targetOf(4)
	w.settle(func() {})
	if s := w.release.Status; s.Phase != v1alpha1.ReleaseComplete || w.boxes[0].pods[v1alpha1.ServiceAgent].hash != "agent-v3" {
		t.Errorf("it ends as %s: %s, sw1 has %+v:\n%s", s.Phase, s.Message, w.boxes[0].pods[v1alpha1.ServiceAgent], w)
	}
}
