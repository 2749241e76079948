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
	// vpcs and attachments are those whose status may have changed.
	vpcs, attachments chan event.TypedGenericEvent[types.NamespacedName]
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
	// problems of the plan, by the object that has them.
	problems map[v1alpha1.ObjectReference]v1alpha1.Problem
	// left are the identifiers that the spec has no more, with the generation
	// that had them last: the switch may still use them, or go back to them.
	left map[identifier]int64
}

// identifier is a VNI or the address of a VTEP.
type identifier struct {
	vni  int32
	vtep string
}

// identifiers of a spec.
func identifiers(spec *v1alpha1.SwitchConfigSpec) map[identifier]bool {
	all := make(map[identifier]bool, 1+len(spec.VRFs)+len(spec.Segments))
	if spec.VTEP != "" {
		all[identifier{vtep: spec.VTEP}] = true
	}
	if spec.BGP != nil {
		all[identifier{vtep: spec.BGP.RouterID}] = true
	}
	for _, v := range spec.VRFs {
		all[identifier{vni: v.VNI}] = true
	}
	for _, s := range spec.Segments {
		all[identifier{vni: s.VNI}] = true
	}
	return all
}

// leave takes over what the last compilation left, as far as the switch has not
// confirmed that it is gone, and adds what this one leaves.
func (c *compiled) leave(last *compiled, before, after *v1alpha1.SwitchConfig) {
	confirmed := before.Status.ConfirmedGeneration
	c.left = map[identifier]int64{}
	for id, generation := range last.left {
		if generation >= confirmed {
			c.left[id] = generation
		}
	}
	now := identifiers(&after.Spec)
	for id := range identifiers(&before.Spec) {
		if !now[id] {
			c.left[id] = before.Generation
		}
	}
	for id := range now {
		delete(c.left, id)
	}
}

// mayUse says whether a switch may still use an identifier that its spec has no
// more: until it has confirmed a generation without it.
func (p *progress) mayUse(config *v1alpha1.SwitchConfig, id identifier) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.switches[config.Name]
	if c == nil || c.uid != config.UID {
		return false
	}
	generation, left := c.left[id]
	return left && generation >= config.Status.ConfirmedGeneration
}

func newProgress() *progress {
	events := func() chan event.TypedGenericEvent[types.NamespacedName] {
		return make(chan event.TypedGenericEvent[types.NamespacedName], 1024)
	}
	return &progress{
		switches: map[string]*compiled{}, vpcs: events(), attachments: events(),
		waiting: map[v1alpha1.PoolName]map[types.NamespacedName]bool{v1alpha1.PoolVNI: {}, v1alpha1.PoolVTEP: {}},
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
// that this may have changed.
func (p *progress) done(ctx context.Context, before, after *v1alpha1.SwitchConfig, problems []v1alpha1.Problem) {
	now := parts(&after.Spec)
	next := &compiled{
		uid:        after.UID,
		generation: after.Generation,
		since:      make(map[types.NamespacedName]int64, len(now)),
		problems:   make(map[v1alpha1.ObjectReference]v1alpha1.Problem, len(problems)),
	}
	for _, problem := range problems {
		next.problems[problem.Owner] = problem
	}
	p.mu.Lock()
	last := p.switches[after.Name]
	p.mu.Unlock()
	if last == nil || last.uid != after.UID {
		next.leave(&compiled{}, before, after)
		last, before = &compiled{}, &v1alpha1.SwitchConfig{}
	} else {
		next.leave(last, before, after)
	}
	vpcs, attachments := changes(last, next, parts(&before.Spec), now)
	p.mu.Lock()
	p.switches[after.Name] = next
	p.mu.Unlock()
	p.notify(ctx, vpcs, attachments)
}

// changes fills in next.since and tells which objects' statuses may change.
func changes(last, next *compiled, then, now map[types.NamespacedName]*part) (vpcs, attachments []types.NamespacedName) {
	for name, part := range now {
		if since, ok := last.since[name]; ok && reflect.DeepEqual(part, then[name]) {
			next.since[name] = since
			continue
		}
		next.since[name] = next.generation
		vpcs = append(vpcs, name)
		attachments = append(attachments, part.attachments()...)
	}
	for name, part := range then {
		if now[name] == nil {
			vpcs = append(vpcs, name)
			attachments = append(attachments, part.attachments()...)
		}
	}
	for owner, problem := range next.problems {
		if last.problems[owner] != problem {
			attachments = append(attachments, owner.NamespacedName())
		}
	}
	for owner := range last.problems {
		if _, ok := next.problems[owner]; !ok {
			attachments = append(attachments, owner.NamespacedName())
		}
	}
	return vpcs, attachments
}

// notify has statuses looked at. It gives up when the program ends, since then
// nobody reads the events.
func (p *progress) notify(ctx context.Context, vpcs, attachments []types.NamespacedName) {
	send := func(to chan event.TypedGenericEvent[types.NamespacedName], names []types.NamespacedName) {
		for _, name := range names {
			select {
			case to <- event.TypedGenericEvent[types.NamespacedName]{Object: name}:
			case <-ctx.Done():
				return
			}
		}
	}
	send(p.vpcs, vpcs)
	send(p.attachments, attachments)
}

// problem is what the plan says of an attachment. It reports false while
// nothing has been compiled for the switch.
func (p *progress) problem(name string, attachment types.NamespacedName) (*v1alpha1.Problem, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.switches[name]
	if c == nil {
		return nil, false
	}
	if problem, ok := c.problems[plan.AttachmentRef(attachment)]; ok {
		return &problem, true
	}
	return nil, true
}

// applied says whether a switch has put a VPC's part into force.
func (p *progress) applied(config *v1alpha1.SwitchConfig, vpc types.NamespacedName) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.switches[config.Name]
	if c == nil {
		return false
	}
	since, ok := c.since[vpc]
	return ok && config.Status.AppliedGeneration >= since
}

// between are the VPCs whose part a switch has put into force when it went from
// one applied generation to another.
func (p *progress) between(name string, from, to int64) []types.NamespacedName {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.switches[name]
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

// part is what one VPC has in a SwitchConfig.
type part struct {
	vtep, mac string
	vrfs      []v1alpha1.VRFConfig
	segments  []v1alpha1.SegmentConfig
}

// parts sorts a spec by VPC.
func parts(spec *v1alpha1.SwitchConfigSpec) map[types.NamespacedName]*part {
	out := make(map[types.NamespacedName]*part, len(spec.VRFs))
	of := func(owner v1alpha1.ObjectReference) *part {
		name := owner.NamespacedName()
		if out[name] == nil {
			out[name] = &part{vtep: spec.VTEP, mac: spec.AnycastMAC}
		}
		return out[name]
	}
	for _, v := range spec.VRFs {
		p := of(v.Owner)
		p.vrfs = append(p.vrfs, v)
	}
	for _, s := range spec.Segments {
		p := of(s.Owner)
		p.segments = append(p.segments, s)
	}
	return out
}

// attachments are those that the part is made of.
func (p *part) attachments() []types.NamespacedName {
	var out []types.NamespacedName
	for _, s := range p.segments {
		for _, port := range s.Ports {
			out = append(out, port.Owner.NamespacedName())
		}
	}
	return slices.Compact(out)
}
