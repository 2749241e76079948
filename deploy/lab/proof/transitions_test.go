package proof_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/serve"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
)

// VPCs, subnets, attachments, modes and labels of hosts change at random, one change
// while others are under way, and every endpoint sends to every other one all the time.
// No packet ever comes to another VPC or another broadcast domain, SONiC's daemons
// complain of nothing, those whom nobody changes lose nothing, and in the end everyone
// reaches whom he must.
func TestTransitions(t *testing.T) {
	r := start(t, []string{"--spines", "1", "--leaves", "2", "--hosts", "3"}, nil)
	seed := *said.seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("to repeat the walk: -seed %d -transitions %d", seed, *said.transitions)
	random := rand.New(rand.NewPCG(seed, 0))
	r.clear()
	hosts := r.names()[:3]
	for _, h := range hosts {
		r.label(h, map[string]string{"group": "none", "gold": map[bool]string{true: "yes", false: "no"}[h != hosts[2]]})
	}
	r.apply(vpc("gold", dual("web", 1)), attach("gold", "gold", "web", "gold=yes", v1alpha1.ModeTagged))
	gold := r.ready(4)
	r.insist() // or a change of others that is taken back would take it along
	r.set("gold", gold)
	r.ok(r.matrix.Watch(r.Context(), serve.WatchRequest{Rate: 2, ForbiddenRate: 1, Keep: true}))

	follower := r.follow(gold)
	w := newWorld(hosts)
	follower.order(w)
	for _, c := range w.begin() {
		r.make(c)
	}
	begin := time.Now()
	awaited, made := 0, 0
	for n := range *said.transitions {
		if time.Since(begin) > *said.within {
			break
		}
		made++
		c := w.step(random)
		t.Logf("%8s %d: %s", time.Since(begin).Round(time.Millisecond), n+1, c.what)
		follower.order(w)
		r.make(c)
		switch random.IntN(4) {
		case 0:
			awaited++
			r.settle(w)
		case 1:
			pause(r.Context(), time.Duration(random.IntN(1000))*time.Millisecond)
		}
	}
	r.settle(w)
	took := time.Since(begin)
	t.Logf("%d changes within %v, %.1f a second; %d awaited", made, took.Round(time.Second), float64(made)/took.Seconds(), awaited)

	endpoints := follower.stop(r)
	r.check(endpoints)
	report, err := r.matrix.Stop(r.Context())
	r.ok(err)
	t.Log("\n" + report.Text())
	report.Leaks = slices.DeleteFunc(report.Leaks, follower.early)
	r.leakless(report)
	r.inside(report, follower)
	r.constant(report)
	r.content()
}

// leakless fails on leaks, and if too little was sent for that to say anything.
func (r *rig) leakless(report watch.Report) {
	r.Helper()
	for _, l := range report.Leaks {
		r.Errorf("leak: %+v", l)
	}
	if report.Heard == 0 {
		r.Error("nothing was heard at all")
	}
}

// constant fails if those whom nobody changed lost packets.
func (r *rig) constant(report watch.Report) {
	r.Helper()
	flows := 0
	for _, f := range report.Flows {
		if !strings.Contains(f.From, "/gold/") {
			continue
		}
		flows++
		if f.Lost > 0 || f.Received == 0 {
			r.Errorf("%s → %s, which nobody changed: %d sent, %d received, %d lost, the longest gap %+v", f.From, f.To, f.Sent, f.Received, f.Lost, f.Longest)
		}
	}
	if want := 4 * 3 * 2; flows != want {
		r.Errorf("%d flows of the VPC that nobody changes, want %d", flows, want)
	}
}

// make writes a change. An object that is on its way out is waited for.
func (r *rig) make(c change) {
	r.Helper()
	switch {
	case c.host != "":
		r.label(c.host, map[string]string{"group": c.label})
	case c.remove != nil:
		r.ok(client.IgnoreNotFound(r.cluster.Delete(r.Context(), c.remove)))
	default:
		r.apply(c.apply)
	}
}

const (
	// settled is how long it may take until everyone is where he should be: what a switch
	// has left out it tries again after pauses that grow.
	settled = 5 * time.Minute
	// resumption is the time between two attempts to have switches try again.
	resumption = 30 * time.Second
)

// settle waits until everyone is where the world says, and Ready. On a machine that is too
// busy a switch takes changes back that broke nothing: its BGP, or its way to the API
// server, does not come to a processor within its time. It is told to try again, as the
// network team would; no packet may leak meanwhile either.
func (r *rig) settle(w world) {
	r.Helper()
	want, _ := w.endpoints()
	resumed := time.Now()
	r.within(settled, "everyone is where he should be", func() string {
		objects, err := r.objects(r.Context())
		r.ok(err)
		wrong, back := unsettled(objects, w, want)
		if back && time.Since(resumed) > resumption {
			r.resume()
			resumed = time.Now()
		}
		return wrong
	})
}

// unsettled says who is not where the world says, or not Ready, and whether a switch took
// something back.
func unsettled(objects matrix.Objects, w world, want map[string]bool) (wrong string, back bool) {
	have := map[string]bool{}
	var all []string
	for _, a := range objects.Attachments {
		if !slices.Contains(w.vpcs[a.Spec.VPC], a.Spec.Subnet) {
			continue
		}
		c := meta.FindStatusCondition(a.Status.Conditions, "Ready")
		if c == nil || c.Status != "True" || c.ObservedGeneration != a.Generation {
			all = append(all, fmt.Sprintf("%s: %+v", a.Name, c))
			back = back || c != nil && c.Reason == "RolledBack"
		}
		for _, p := range a.Status.Places {
			have[endpointName(p.Host+"/"+p.NIC, a.Spec.VPC, a.Spec.Subnet, a.Spec.Mode)] = true
		}
	}
	if !maps.Equal(have, want) {
		all = append(all, fmt.Sprintf("there are %v, want %v", slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(want))))
	}
	return strings.Join(all, "; "), back
}

// insist waits until no change is on trial, and has leaves try again what they took back.
func (r *rig) insist() {
	r.Helper()
	resumed := time.Now()
	r.within(settled, "all changes are confirmed", func() string {
		wrong := r.unconfirmed()
		if strings.Contains(wrong, "RolledBack") && time.Since(resumed) > resumption {
			r.resume()
			resumed = time.Now()
		}
		return wrong
	})
}

// resume has all leaves try again what they took back.
func (r *rig) resume() {
	r.Helper()
	r.Log("a switch took changes back, and is told to try them again")
	for _, paused := range []bool{true, false} {
		for _, name := range r.switches {
			var s v1alpha1.Switch
			r.ok(r.cluster.Get(r.Context(), client.ObjectKey{Name: name}, &s))
			have := s.DeepCopy()
			s.Spec.Paused = paused
			r.ok(r.cluster.Patch(r.Context(), &s, client.MergeFrom(have)))
		}
		pause(r.Context(), 3*time.Second) // until the agents have seen it
	}
}

// inside fails on frames without a tag that left their VPC or their broadcast domain: what
// the switches had at their ports decides whose they were.
func (r *rig) inside(report watch.Report, f *follower) {
	r.Helper()
	endpoints := map[matrix.ID]*matrix.Endpoint{}
	for i := range report.Endpoints {
		endpoints[report.Endpoints[i].ID()] = &report.Endpoints[i]
	}
	tagged := func(frame watch.Frame) []segment {
		if at := endpoints[frame.At]; at != nil {
			return []segment{{at.VPC, at.Subnet}}
		}
		return f.wantedAt(frame.Place, frame.VLAN, time.Unix(0, frame.Heard))
	}
	p := r.readPorts(f.holders)
	wrong := 0
	for _, frame := range report.Frames {
		from := endpoints[frame.From]
		text, err := p.crossing(frame, from, tagged)
		r.ok(err)
		if text == "" {
			continue
		}
		if wrong++; wrong <= 20 {
			r.Errorf("leak: %v of %s to %s, VLAN %d: %s", frame.Kind, from, frame.Place, frame.VLAN, text)
		}
	}
	r.Logf("%d frames were sent or came without a tag, %d of them leaked", len(report.Frames), wrong)
}
