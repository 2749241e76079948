package ipam

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// world is an API server with Allocations and HostConfigs, hosts whose agents hand
// addresses out, and two controllers that both believe to be the leader. Each of
// their calls of the API server is a step of its own; between any two of them
// anything else can happen.
type world struct {
	entries map[string]Entry
	version int
	network netip.Prefix
	configs map[string]*hostConfig // by host
	inUse   map[string]map[netip.Addr]bool
	users   map[v1alpha1.AddressUser]bool // pods that exist
	leaders [2]*view
	tasks   []*task
}

// hostConfig is what is in one, its version aside from what its agent reports.
type hostConfig struct {
	version, generation int
	spec                []Range
	withheld            []netip.Prefix
	reserved            map[netip.Addr]v1alpha1.AddressUser
	// seen is the generation that the agent has seen, and hands out what was in it;
	// uses are the ranges that it reports.
	seen       int
	hands      []Range
	uses       []Range
	incarnated int
}

// view is what one controller has in its cache.
type view struct {
	entries map[string]Entry
	configs map[string]hostConfig
	network netip.Prefix
}

// task is a controller's work that is under way.
type task struct {
	name         string
	resume, rest chan struct{}
	done         bool
}

const worldVNI = 10101

func newWorld() *world {
	w := &world{
		entries: map[string]Entry{}, configs: map[string]*hostConfig{}, inUse: map[string]map[netip.Addr]bool{},
		users: map[v1alpha1.AddressUser]bool{}, network: netip.MustParsePrefix("10.1.0.0/28"),
	}
	for _, h := range []string{"host1", "host2"} {
		w.join(h)
	}
	for i := range w.leaders {
		w.leaders[i] = w.look()
	}
	return w
}

func (w *world) join(host string) {
	w.version++
	w.configs[host] = &hostConfig{version: w.version, generation: 1, reserved: map[netip.Addr]v1alpha1.AddressUser{}, incarnated: w.version}
	w.inUse[host] = map[netip.Addr]bool{}
}

// look is a cache that is up to date.
func (w *world) look() *view {
	v := &view{entries: maps.Clone(w.entries), configs: map[string]hostConfig{}, network: w.network}
	for name, c := range w.configs {
		v.configs[name] = c.clone()
	}
	return v
}

func (c *hostConfig) clone() hostConfig {
	out := *c
	out.spec, out.withheld, out.reserved = slices.Clone(c.spec), slices.Clone(c.withheld), maps.Clone(c.reserved)
	return out
}

// start begins a task, which goes on when it is stepped.
func (w *world) start(name string, work func(b Book)) {
	t := &task{name: name, resume: make(chan struct{}), rest: make(chan struct{})}
	w.tasks = append(w.tasks, t)
	go func() {
		<-t.resume
		work(pausing{w, t})
		t.done = true
		t.rest <- struct{}{}
	}()
}

// step lets a task go on to its next call.
func (w *world) step(i int) {
	t := w.tasks[i]
	t.resume <- struct{}{}
	<-t.rest
	if t.done {
		w.tasks = slices.Delete(w.tasks, i, i+1)
	}
}

// finish lets all tasks end.
func (w *world) finish() {
	for len(w.tasks) > 0 {
		w.step(0)
	}
}

// pausing is the API server as a task has it.
type pausing struct {
	*world
	task *task
}

func (p pausing) pause() {
	p.task.rest <- struct{}{}
	<-p.task.resume
}

func (p pausing) Make(_ context.Context, value string, e Entry) (Entry, error) {
	p.pause()
	if have, ok := p.entries[value]; ok {
		return have, nil
	}
	p.version++
	e.Version = fmt.Sprint(p.version)
	p.entries[value] = e
	e.Made = true
	return e, nil
}

func (p pausing) Look(_ context.Context, value string) (*Entry, error) {
	p.pause()
	e, ok := p.entries[value]
	if !ok {
		return nil, nil
	}
	return &e, nil
}

func (p pausing) Touch(_ context.Context, value, version string) error {
	p.pause()
	e, ok := p.entries[value]
	if !ok || e.Version != version {
		return ErrConflict
	}
	p.version++
	e.Version = fmt.Sprint(p.version)
	p.entries[value] = e
	return nil
}

func (p pausing) Drop(_ context.Context, value, version string) error {
	p.pause()
	if e, ok := p.entries[value]; !ok || e.Version != version {
		return ErrConflict
	}
	delete(p.entries, value)
	return nil
}

func (w *world) subnet(network netip.Prefix) Subnet {
	return Subnet{Network: network, Gateway: netip.MustParseAddr("10.1.0.1")}
}

func holder(host string) v1alpha1.Holder {
	return v1alpha1.Holder{ObjectReference: v1alpha1.ObjectReference{Kind: v1alpha1.KindHost, Name: host}}
}

func subnetHolder() v1alpha1.Holder {
	return v1alpha1.Holder{ObjectReference: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "tenant-a", Name: "blue"}, Subnet: "web"}
}

// need is what a controller believes that a host needs.
func (v *view) need(s Subnet, host string, pods int) Need {
	c := v.configs[host]
	n := Need{
		Subnet: s, VNI: worldVNI, Host: holder(host), Pods: pods, Spec: c.spec, Withheld: c.withheld,
		Uses: c.uses, Settled: c.seen >= c.generation,
	}
	for value, e := range v.entries {
		_, block, err := ParseValue(value)
		switch {
		case err != nil:
			panic(err)
		case block.IsSingleIP():
			n.Singles = append(n.Singles, block.Addr())
		case e.Holder == n.Host:
			n.Have = append(n.Have, block)
		}
	}
	slices.SortFunc(n.Have, comparePrefixes)
	return n
}

// write changes a HostConfig if it still is the version that was looked at.
func (w *world) write(host string, seen hostConfig, change func(*hostConfig)) bool {
	c := w.configs[host]
	if c == nil || c.version != seen.version {
		return false
	}
	before := fmt.Sprint(c.spec, c.reserved)
	change(c)
	if fmt.Sprint(c.spec, c.reserved) != before {
		c.generation++
	}
	w.version++
	c.version = w.version
	return true
}

// check looks for addresses that two hosts may give to pods.
func (w *world) check(t *rapid.T) {
	of := map[netip.Addr]string{}
	for _, host := range slices.Sorted(maps.Keys(w.inUse)) {
		for a := range w.mayUse(host) {
			if other, taken := of[a]; taken {
				t.Fatalf("%s is %s's and %s's", a, other, host)
			}
			of[a] = host
		}
		c := w.configs[host]
		if c == nil {
			continue
		}
		for a := range c.reserved {
			if Has(c.spec, a) {
				t.Fatalf("%s hands out %s, which is reserved there", host, a)
			}
		}
	}
}

// mayUse are the addresses that pods on a host have, or may get.
func (w *world) mayUse(host string) map[netip.Addr]bool {
	out := maps.Clone(w.inUse[host])
	c := w.configs[host]
	if c == nil {
		return out
	}
	for _, r := range slices.Concat(c.spec, c.hands) {
		for a := r.First; r.Contains(a); a = a.Next() {
			out[a] = true
		}
	}
	for a := range c.reserved {
		out[a] = true
	}
	return out
}
