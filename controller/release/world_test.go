package release_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/release"
)

// world is a fabric with everybody who has a hand in a release: agents, the
// controller of DaemonSets, kubelets, people. What the controller sees of it may
// be older than what it is.
type world struct {
	now     time.Time
	release *v1alpha1.NOSRelease
	target  release.Target
	boxes   []*box
	// agents: the release has the agent, too. Its hash says nothing of a version that
	// is deployed without a release.
	withAgent bool
	// bad are the versions that crash, by hash; worse those that run and break
	// something that the checks see, of agents those that run and do nothing.
	bad, worse map[string]bool
	seen       []release.Switch // what the controller saw last
	history    []string
	check      func(*box) release.Result // the user's own, called "mine"
}

// box is a switch as it really is.
type box struct {
	name, group string
	role        v1alpha1.SwitchRole
	selected    bool
	down        bool // its node is off
	silent      bool // its agent does nothing
	refuses     bool // it cannot be drained
	byHand      bool // spec.drained is true
	pullFails   bool
	labels      map[string]string
	pods        map[string]*pod // by service: no switch has two of one
	maintenance *v1alpha1.SwitchMaintenance
	answer      *v1alpha1.MaintenanceStatus
	drained     bool // of traffic, whatever is said of it
	pulled      map[string]bool
	wentBack    bool            // it was rolled back, so that it may have no agent that fetches another one
	had         map[string]bool // the services that ran here
}

type pod struct {
	hash  string
	ready bool
	ends  bool
}

func image(hash string) string { return "registry.example.com/" + hash }

// hashOf is version n of a service.
func hashOf(service string, n int) string { return fmt.Sprintf("%s-v%d", service, n) }

func targetOf(n int) release.Target {
	return release.Target{Revision: fmt.Sprintf("core-r%d", n), Services: []release.Service{
		{Name: "bgp", Hash: hashOf("bgp", n), Disruptive: true},
		{Name: "lldp", Hash: hashOf("lldp", (n+1)/2)},
	}}
}

// targetOf is version n of the release.
func (w *world) targetOf(n int) release.Target {
	t := targetOf(n)
	if w.withAgent {
		t.Services = append(t.Services, release.Service{Name: v1alpha1.ServiceAgent, Hash: hashOf(v1alpha1.ServiceAgent, (n+2)/2)})
	}
	return t
}

// addAgent has the release have the agent, which every switch has as it was deployed.
func (w *world) addAgent() {
	w.withAgent = true
	w.target = w.targetOf(2)
	for _, b := range w.boxes {
		b.deployAgent()
	}
}

// deployAgent gives a box the agent that it has without a release.
func (b *box) deployAgent() {
	b.labels[v1alpha1.ServiceAgent] = v1alpha1.HashDeployed
	b.pods[v1alpha1.ServiceAgent], b.had[v1alpha1.ServiceAgent] = &pod{hash: v1alpha1.HashDeployed, ready: true}, true
	b.pulled[image(v1alpha1.HashDeployed)] = true
}

// deaf says whether nobody on a box does what it is asked for.
func (w *world) deaf(b *box) bool {
	if b.down || b.silent || !w.withAgent {
		return b.down || b.silent
	}
	p := b.pods[v1alpha1.ServiceAgent]
	return p == nil || !p.ready || w.bad[p.hash] || w.worse[p.hash]
}

func newWorld(strategy v1alpha1.ReleaseStrategy, groups ...string) *world {
	w := &world{
		now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), target: targetOf(2), bad: map[string]bool{}, worse: map[string]bool{},
		release: &v1alpha1.NOSRelease{ObjectMeta: metav1.ObjectMeta{Name: "core", Annotations: map[string]string{}}, Spec: v1alpha1.NOSReleaseSpec{Strategy: strategy}},
	}
	for i, group := range groups {
		b := &box{name: fmt.Sprintf("sw%d", i+1), group: group, role: v1alpha1.RoleLeaf, selected: true}
		if group == "role/spine" {
			b.role = v1alpha1.RoleSpine
		}
		b.run(targetOf(0))
		w.boxes = append(w.boxes, b)
	}
	return w
}

// strategy is one in which nothing is slow.
func strategy() v1alpha1.ReleaseStrategy {
	return v1alpha1.ReleaseStrategy{
		Groups: 1, SoakSeconds: new(int32(30)), ProgressDeadlineSeconds: 300,
		Drain:  v1alpha1.ReleaseDrain{Mode: v1alpha1.DrainAuto, TimeoutSeconds: 120},
		Checks: []v1alpha1.SwitchCheck{v1alpha1.CheckBGPSessions, v1alpha1.CheckUplinks},
	}
}

// run has a box run a target, as if it always had.
func (b *box) run(t release.Target) {
	b.labels, b.pods, b.pulled, b.had = map[string]string{}, map[string]*pod{}, map[string]bool{}, map[string]bool{}
	for _, s := range t.Services {
		b.labels[s.Name], b.pods[s.Name] = s.Hash, &pod{hash: s.Hash, ready: true}
		b.pulled[image(s.Hash)], b.had[s.Name] = true, true
	}
}

// observe is what the controller sees of a box.
func (w *world) observe(b *box) release.Switch {
	s := release.Switch{
		Name: b.name, Group: b.group, Role: b.role, Selected: b.selected, Labels: maps.Clone(b.labels), ByHand: b.byHand,
		Maintenance: b.maintenance.DeepCopy(), Answer: b.answer.DeepCopy(),
	}
	if w.check != nil {
		s.Results = map[string]release.Result{"mine": w.check(b)}
	}
	if b.down {
		s.Unavailable = "Its Node is not ready."
	}
	for _, service := range slices.Sorted(maps.Keys(b.pods)) {
		p := release.Pod{Service: service, Hash: b.pods[service].hash, Ready: b.pods[service].ready && !b.pods[service].ends}
		if w.bad[p.Hash] && !b.pods[service].ends {
			p.Ready, p.Trouble = false, "CrashLoopBackOff"
		}
		s.Pods = append(s.Pods, p)
	}
	return s
}

// inputs are what the controller sees: of each switch what it is, or, where stale
// says so, what it was when it was looked at last.
func (w *world) inputs(stale func(i int) bool) release.Inputs {
	in := release.Inputs{Now: w.now, Release: w.release.DeepCopy(), Target: w.target, Images: map[string][]string{}}
	for n := range 6 {
		for _, s := range w.targetOf(n).Services {
			in.Images[s.Hash] = []string{image(s.Hash)}
		}
	}
	for i, b := range w.boxes {
		s := w.observe(b)
		if i < len(w.seen) && stale(i) {
			s = w.seen[i]
		}
		in.Switches = append(in.Switches, s)
	}
	w.seen = in.Switches
	return in
}

func fresh(int) bool { return false }

// control is one run of the controller. It is killed before action number dies; a
// negative one lets it live. It reports whether there was anything to do.
func (w *world) control(stale func(int) bool, dies int) bool {
	in := w.inputs(stale)
	next := release.Next(in)
	if !equal(next, in.Release.Status) {
		if dies == 0 {
			return true
		}
		w.release.Status = next
		for _, r := range next.Switches {
			if b := w.box(r.Name); r.Phase == v1alpha1.SwitchRollingBack {
				b.wentBack = true
			}
		}
		w.note("status %s: %s", next.Phase, next.Message)
		return true
	}
	do := release.Work(in)
	n := 0
	alive := func() bool { n++; return dies < 0 || n <= dies }
	for _, r := range do.Requests {
		if alive() {
			w.box(r.Switch).maintenance = r.Maintenance
		}
	}
	for _, l := range do.Labels {
		if alive() {
			w.setLabel(l)
		}
	}
	return len(do.Requests)+len(do.Labels) > 0
}

func (w *world) setLabel(l release.Label) {
	b := w.box(l.Switch)
	w.note("%s: %s=%q", l.Switch, l.Service, l.Hash)
	if l.Hash == "" {
		delete(b.labels, l.Service)
		return
	}
	if !b.pulled[image(l.Hash)] && !(b.wentBack && l.Service == v1alpha1.ServiceAgent) {
		panic(fmt.Sprintf("%s: %s is to run, and its image is not there", b.name, l.Hash))
	}
	if have := b.labels[l.Service]; have != "" && have != l.Hash {
		panic(fmt.Sprintf("%s: %s is to run while %s is admitted", b.name, l.Hash, have))
	}
	b.labels[l.Service] = l.Hash
}

func (w *world) box(name string) *box {
	return w.boxes[slices.IndexFunc(w.boxes, func(b *box) bool { return b.name == name })]
}

// kubelets have pods come and go, one step at a time.
func (w *world) kubelets() (moved bool) {
	for _, b := range w.boxes {
		for _, service := range []string{"bgp", "lldp", v1alpha1.ServiceAgent} {
			moved = b.podStep(service) || moved
		}
	}
	return moved
}

func (b *box) podStep(service string) bool {
	p, hash := b.pods[service], b.labels[service]
	switch {
	case p == nil && hash == "":
		return false
	case p == nil:
		b.pods[service] = &pod{hash: hash}
	case p.ends && !b.down:
		delete(b.pods, service)
	case p.hash != hash && !p.ends:
		p.ends, p.ready = true, false
	case !p.ready && !p.ends && !b.down:
		p.ready, b.had[service] = true, true
	default:
		return false
	}
	return true
}

// agents do what they are asked for, one step at a time.
func (w *world) agents() (moved bool) {
	for _, b := range w.boxes {
		if !w.deaf(b) {
			moved = w.agentStep(b) || moved
		}
	}
	return moved
}

func (w *world) agentStep(b *box) bool {
	m := b.maintenance
	switch {
	case m == nil && b.drained && b.byHand:
		return false
	case m == nil && b.drained:
		b.drained = false
	case m == nil && b.answer != nil:
		b.answer = nil
	case m == nil:
		return false
	case b.answer == nil || b.answer.ObservedStep != m.Step:
		b.answer = &v1alpha1.MaintenanceStatus{ObservedStep: m.Step, Drained: b.drained}
	default:
		return w.agentWork(b, m)
	}
	return true
}

// agentWork goes on with a step that was seen before.
func (w *world) agentWork(b *box, m *v1alpha1.SwitchMaintenance) bool {
	before := b.answer.DeepCopy()
	for _, i := range m.Images {
		if b.pullFails {
			b.answer.PullError = "no such host"
		} else if b.pulled[i] = true; !slices.Contains(b.answer.PulledImages, i) {
			b.answer.PulledImages = append(b.answer.PulledImages, i)
		}
	}
	switch {
	case b.byHand && b.drained && !m.Drain:
		b.answer.DrainReason = "spec.drained is true."
	case m.Drain && !m.Force && b.refuses:
		b.answer.DrainReason = "host7 has no other switch."
	case b.drained != m.Drain: // it is so before it is said
		b.drained = m.Drain
		return true
	default:
		b.answer.Drained = m.Drain
	}
	if b.drained == m.Drain || b.byHand {
		b.answer.Checks = w.measure(b, m)
	}
	return !equal(before, b.answer)
}

func (w *world) measure(b *box, m *v1alpha1.SwitchMaintenance) []v1alpha1.SwitchCheckResult {
	var out []v1alpha1.SwitchCheckResult
	for _, c := range m.Checks {
		r := v1alpha1.SwitchCheckResult{Name: string(c), Before: "2", OK: true}
		if m.Stage == v1alpha1.StageAfter {
			r.After = "2"
			if w.worse[b.labels["bgp"]] {
				r.After, r.OK, r.Message = "1", false, "leaf9 is missing"
			}
		}
		out = append(out, r)
	}
	return out
}

// out says whether a box does not do its work because of a release.
func (w *world) out(b *box) bool {
	if b.drained {
		return true
	}
	for service := range b.had {
		if p := b.pods[service]; p == nil || !p.ready || w.bad[p.hash] {
			return true
		}
	}
	return false
}

// settle lets everybody work, and time pass, until nothing happens any more. After
// each step it has somebody look.
func (w *world) settle(look func()) bool {
	for range 5000 {
		moved := false
		for _, step := range []func() bool{func() bool { return w.control(fresh, -1) }, w.agents, w.kubelets} {
			moved = step() || moved
			look()
		}
		if moved {
			continue
		}
		left := release.Wake(w.inputs(fresh))
		if left == 0 {
			return true
		}
		w.now = w.now.Add(left)
	}
	return false
}

func (w *world) note(format string, args ...any) {
	w.history = append(w.history, w.now.Format("15:04:05 ")+fmt.Sprintf(format, args...))
}

func (w *world) String() string { return strings.Join(w.history, "\n") }

func (w *world) status(name string) *v1alpha1.ReleaseSwitchStatus {
	all := w.release.Status.Switches
	if i := slices.IndexFunc(all, func(r v1alpha1.ReleaseSwitchStatus) bool { return r.Name == name }); i >= 0 {
		return &all[i]
	}
	return &v1alpha1.ReleaseSwitchStatus{}
}

// drawWorld is any fabric with any strategy.
func drawWorld(t *rapid.T) *world {
	s := strategy()
	s.Groups = int32(rapid.IntRange(1, 2).Draw(t, "groups"))
	s.Approval = rapid.SampledFrom([]v1alpha1.ApprovalMode{v1alpha1.ApprovalNone, v1alpha1.ApprovalFirst, v1alpha1.ApprovalEach}).Draw(t, "approval")
	s.Drain.Mode = rapid.SampledFrom([]v1alpha1.DrainMode{v1alpha1.DrainAuto, v1alpha1.DrainAlways, v1alpha1.DrainNever}).Draw(t, "drain")
	groups := rapid.SliceOfN(rapid.SampledFrom([]string{"group/a", "group/b", "group/c", "role/spine"}), 1, 6).Draw(t, "switches")
	w := newWorld(s, groups...)
	if rapid.Bool().Draw(t, "with agent") {
		w.addAgent()
	}
	if rapid.Bool().Draw(t, "joins") {
		w.rejoin(w.boxes[0])
	}
	return w
}

// rejoin has a box join anew: its Node and its pods are made again.
func (w *world) rejoin(b *box) {
	w.note("%s joins", b.name)
	b.labels, b.pods, b.had = map[string]string{}, map[string]*pod{}, map[string]bool{}
	if w.withAgent {
		b.deployAgent()
	}
}
