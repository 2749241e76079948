package reconcile

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/plan"
)

// progress remembers what was compiled for each switch, so that one VPC's
// status does not change, nor is looked at, because another one's part of the
// same SwitchConfig did. It is empty after a restart and fills with the first
// compilation of each group; until then statuses are left as they are.
type progress struct {
	mu       sync.Mutex
	switches map[string]*compiled
	// vpcs, attachments, peerings and switches (changed) are those whose status may
	// have changed.
	vpcs, attachments, peerings, changed chan event.TypedGenericEvent[types.NamespacedName]
	// waiting are the requests that found a pool used up, by pool.
	waiting map[v1alpha1.PoolName]map[types.NamespacedName]bool
}

// compiled is what was compiled for one switch.
type compiled struct {
	// uid and generation of the SwitchConfig as it was last written. One that
	// was deleted and made again counts its generations from 1.
	uid        types.UID
	generation int64
	// since is the generation in which each VPC's part got its present form.
	since map[types.NamespacedName]int64
	// ports says since which generation a subnet is at a port.
	ports map[carried]int64
	// problems of the plan, by the object that has them.
	problems map[v1alpha1.ObjectReference]v1alpha1.Problem
	// waiting are the places that wait for their host.
	waiting  map[plan.Carrier]plan.Wait
	underlay underlay
}

// underlay is what has become of a switch's part in the underlay.
type underlay struct {
	// uplinks that it speaks BGP over.
	uplinks int
	// problems of the Switch.
	problems []v1alpha1.Problem
}

// outcome is what a plan has made of the attachments on one switch.
type outcome struct {
	// vpcs of all attachments, by attachment.
	vpcs map[v1alpha1.ObjectReference]types.NamespacedName
	// problems, by the attachment that has them.
	problems map[v1alpha1.ObjectReference]v1alpha1.Problem
	// waiting are the places that wait for their host.
	waiting  map[plan.Carrier]plan.Wait
	underlay underlay
}

func newProgress() *progress {
	events := func() chan event.TypedGenericEvent[types.NamespacedName] {
		return make(chan event.TypedGenericEvent[types.NamespacedName], 1024)
	}
	return &progress{
		switches: map[string]*compiled{}, vpcs: events(), attachments: events(), peerings: events(), changed: events(),
		waiting: map[v1alpha1.PoolName]map[types.NamespacedName]bool{v1alpha1.PoolVNI: {}, v1alpha1.PoolVTEP: {}, v1alpha1.PoolASN: {}},
	}
}

// behind says whether a SwitchConfig from the cache is older than the one that
// was written last: a plan made from it would not know its own VLAN ids.
func (p *progress) behind(config *v1alpha1.SwitchConfig) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.switches[config.Name]
	return c != nil && c.uid == config.UID && c.generation > config.Generation
}

// wrote says whether a SwitchConfig is the one that was written last.
func (p *progress) wrote(config client.Object) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.switches[config.GetName()]
	return c != nil && c.uid == config.GetUID() && c.generation == config.GetGeneration()
}

// wants notes, before the pool is looked at, that a request needs a value of it:
// whatever is given back from then on is announced to it. satisfied ends that.
func (p *progress) wants(pool v1alpha1.PoolName, name types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting[pool][name] = true
}

func (p *progress) satisfied(pool v1alpha1.PoolName, name types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting[pool], name)
}

// waitingFor are the requests that wait for a value of a pool.
func (p *progress) waitingFor(pool v1alpha1.PoolName) []types.NamespacedName {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.waiting[pool]))
}

// done records what was compiled for a switch: before and after are its
// SwitchConfig before and after it was written. It has the statuses looked at
// that this may have changed, and returns the ports whose hosts it may concern, and
// whether it may concern all.
func (p *progress) done(ctx context.Context, before, after *v1alpha1.SwitchConfig, made outcome) (ports map[string]bool, all bool) {
	now := parts(&after.Spec)
	next := &compiled{
		uid:        after.UID,
		generation: after.Generation,
		since:      make(map[types.NamespacedName]int64, len(now)),
		problems:   made.problems,
		waiting:    made.waiting,
		underlay:   made.underlay,
	}
	ask := asked{vpcs: map[types.NamespacedName]bool{}, attachments: map[types.NamespacedName]bool{}, peerings: map[types.NamespacedName]bool{}}
	p.mu.Lock()
	last := p.switches[after.Name]
	p.mu.Unlock()
	if last != nil && last.uid == after.UID && last.generation > after.Generation {
		return nil, false // another group, which the switch has moved to, was faster
	}
	first := last == nil
	if first || last.uid != after.UID {
		last, before = &compiled{}, &v1alpha1.SwitchConfig{}
		for attachment := range made.vpcs { // they all waited for this
			ask.attachment(attachment, made)
		}
	}
	ask.changedParts(last, next, parts(&before.Spec), now)
	ask.changedProblems(last, next, made)
	ports, all = next.changedPorts(last, &after.Spec), first || problemsOfVPCs(last.problems, next.problems) || !maps.Equal(last.waiting, next.waiting)
	p.mu.Lock()
	p.switches[after.Name] = next
	p.mu.Unlock()
	p.notify(ctx, ask)
	if first || !reflect.DeepEqual(last.underlay, next.underlay) {
		send(ctx, p.changed, map[types.NamespacedName]bool{{Name: after.Name}: true})
	}
	return ports, all
}

// problem is what the plan says of an attachment, or of a VPC that pods need. It
// reports false while nothing has been compiled for the switch.
func (p *progress) problem(name string, owner v1alpha1.ObjectReference) (*v1alpha1.Problem, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.switches[name]
	if c == nil {
		return nil, false
	}
	if problem, ok := c.problems[owner]; ok {
		return &problem, true
	}
	return nil, true
}

// underlay is what has become of a switch's part in the underlay. It reports
// false while nothing has been compiled for the switch.
func (p *progress) underlay(name string) (underlay, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.switches[name]
	if c == nil {
		return underlay{}, false
	}
	return c.underlay, true
}

// applied says whether a switch has put a VPC's part into force.
func (p *progress) applied(config *v1alpha1.SwitchConfig, vpc types.NamespacedName) bool {
	since, ok := p.since(config, vpc)
	return ok && config.Status.AppliedGeneration >= since
}

// tried says whether what a switch reports is about a VPC's part as it is now,
// also when the switch has taken it back.
func (p *progress) tried(config *v1alpha1.SwitchConfig, vpc types.NamespacedName) bool {
	since, ok := p.since(config, vpc)
	return ok && config.Status.ObservedGeneration >= since
}

// since is the generation of a SwitchConfig in which a VPC's part got its
// present form.
func (p *progress) since(config *v1alpha1.SwitchConfig, vpc types.NamespacedName) (int64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.switches[config.Name]
	if c == nil || c.uid != config.UID {
		return 0, false
	}
	since, ok := c.since[vpc]
	return since, ok
}

// between are the VPCs whose part a switch has put into force, or taken back,
// when it went from one applied generation to another.
func (p *progress) between(was, is *v1alpha1.SwitchConfig) []types.NamespacedName {
	from, to := was.Status.AppliedGeneration, is.Status.AppliedGeneration
	if was.UID != is.UID { // it was deleted and made again
		from = 0
	}
	from, to = min(from, to), max(from, to)
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.switches[is.Name]
	if c == nil {
		return nil
	}
	var out []types.NamespacedName
	for vpc, since := range c.since {
		if from < since && since <= to {
			out = append(out, vpc)
		}
	}
	return out
}
