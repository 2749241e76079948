package proof_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
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
	labtest.Unproven(t)
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
	r.set("gold", gold)
	r.ok(r.matrix.Watch(r.Context(), serve.WatchRequest{Rate: 5, ForbiddenRate: 1}))

	follower := r.follow(gold)
	w := newWorld(hosts)
	begin := time.Now()
	awaited := 0
	for n := range *said.transitions {
		c := w.step(random)
		t.Logf("%8s %d: %s", time.Since(begin).Round(time.Millisecond), n+1, c.what)
		r.make(c)
		switch random.IntN(4) {
		case 0:
			awaited++
			r.settle(w)
			w.rested()
		case 1:
			pause(r.Context(), time.Duration(random.IntN(1000))*time.Millisecond)
		}
	}
	r.settle(w)
	took := time.Since(begin)
	t.Logf("%d changes within %v, %.1f a second; %d awaited", *said.transitions, took.Round(time.Second), float64(*said.transitions)/took.Seconds(), awaited)

	endpoints := follower.stop(r)
	r.check(endpoints)
	report, err := r.matrix.Stop(r.Context())
	r.ok(err)
	t.Log("\n" + report.Text())
	report.Leaks = slices.DeleteFunc(report.Leaks, follower.early)
	r.leakless(report)
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

// settle waits until everyone is where the world says, and Ready.
func (r *rig) settle(w world) {
	r.Helper()
	want, _ := w.endpoints()
	r.within(patience, "everyone is where he should be", func() string {
		objects, err := r.objects(r.Context())
		r.ok(err)
		have := map[string]bool{}
		var wrong []string
		for _, a := range objects.Attachments {
			if a.Spec.VPC == "gold" || !slices.Contains(w.vpcs[a.Spec.VPC], a.Spec.Subnet) {
				continue
			}
			c := meta.FindStatusCondition(a.Status.Conditions, "Ready")
			if c == nil || c.Status != "True" || c.ObservedGeneration != a.Generation {
				wrong = append(wrong, fmt.Sprintf("%s: %+v", a.Name, c))
			}
			for _, p := range a.Status.Places {
				have[endpointName(p.Host+"/"+p.NIC, a.Spec.VPC, a.Spec.Subnet, a.Spec.Mode)] = true
			}
		}
		if !maps.Equal(have, want) {
			wrong = append(wrong, fmt.Sprintf("there are %v, want %v", slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(want))))
		}
		return strings.Join(wrong, "; ")
	})
}

// follower makes the endpoints what the cluster says, until it is stopped.
type follower struct {
	end  context.CancelFunc
	done sync.WaitGroup
	now  []matrix.Endpoint
	err  error
	past []moment
}

// moment is what was where: the subnet of each NIC and VLAN tag.
type moment struct {
	at             time.Time
	wanted, inside map[string]string
}

// wires are the subnets of endpoints, by NIC and VLAN tag.
func wires(endpoints []matrix.Endpoint) map[string]string {
	all := map[string]string{}
	for _, e := range endpoints {
		all[fmt.Sprint(e.Place(), " ", e.VLAN)] = e.Segment()
	}
	return all
}

// early says whether what looks like a leak is frames at a NIC to which the sender's
// subnet was just brought, at which nobody was any more who had another one with this
// tag: the switch is ready before the endpoint is.
func (f *follower) early(l watch.Leak) bool {
	place, _, _ := strings.Cut(l.At, " ")
	_, segment, _ := strings.Cut(l.From, " ")
	wire := fmt.Sprint(place, " ", l.VLAN)
	brought := false
	for i, m := range f.past {
		until := time.Now()
		if i+1 < len(f.past) {
			until = f.past[i+1].at
		}
		if until.Before(l.First) || m.at.After(l.Last.Add(soon)) {
			continue
		}
		brought = brought || m.wanted[wire] == segment
		if there := m.inside[wire]; there != "" && there != segment && m.at.Before(l.Last) {
			return false
		}
	}
	return brought
}

// soon is how much later than the switch the API server may be looked at.
const soon = 2 * time.Second

// follow begins to follow, with the endpoints that are there.
func (r *rig) follow(now []matrix.Endpoint) *follower {
	ctx, end := context.WithCancel(r.Context())
	f := &follower{end: end, now: now}
	f.done.Go(func() {
		for n := 1; ctx.Err() == nil; n++ {
			if err := f.turn(ctx, r, n); ctx.Err() == nil {
				f.err = err
			}
			pause(ctx, 50*time.Millisecond)
		}
	})
	r.Cleanup(func() { end(); f.done.Wait() })
	return f
}

// turn sets the endpoints if they have changed. What fails is tried again: two may want
// one VLAN tag of a NIC for a moment.
func (f *follower) turn(ctx context.Context, r *rig, n int) error {
	objects, err := r.objects(ctx)
	if err != nil {
		return err
	}
	endpoints := f.inForce(objects, r.isHost)
	if f.err == nil && n > 0 && reflect.DeepEqual(endpoints, f.now) {
		return nil
	}
	f.now = endpoints
	return r.matrix.Set(ctx, fmt.Sprintf("turn %d", n), endpoints, matrix.VPCRules().Expect(endpoints))
}

// inForce are the endpoints that may send: those of attachments that are Ready, as a host
// waits for that before it lets anybody use an attachment, and of those that are not any
// more the ones that could before. Untagged frames are of whatever subnet the switch
// thinks that they are of.
func (f *follower) inForce(objects matrix.Objects, isHost func(string) bool) []matrix.Endpoint {
	all, _ := matrix.Endpoints(objects, mtu, isHost)
	now := moment{at: time.Now(), wanted: wires(all)}
	objects.Attachments = slices.DeleteFunc(slices.Clone(objects.Attachments), func(a v1alpha1.VPCAttachment) bool {
		c := meta.FindStatusCondition(a.Status.Conditions, "Ready")
		return c == nil || c.Status != "True" || c.ObservedGeneration != a.Generation
	})
	ready, _ := matrix.Endpoints(objects, mtu, isHost)
	all = slices.DeleteFunc(all, func(e matrix.Endpoint) bool {
		same := func(other matrix.Endpoint) bool { return reflect.DeepEqual(e, other) }
		return !slices.ContainsFunc(ready, same) && !slices.ContainsFunc(f.now, same)
	})
	now.inside = wires(all)
	f.past = append(f.past, now)
	return all
}

// stop ends it, once it has done what the cluster says now, and returns the endpoints.
func (f *follower) stop(r *rig) []matrix.Endpoint {
	r.Helper()
	f.end()
	f.done.Wait()
	f.err = nil
	r.ok(f.turn(r.Context(), r, 0))
	return f.now
}

// pause waits.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
