package ipam

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Whatever happens in whatever order, and whatever two controllers at once believe,
// no address is ever two hosts'.
func TestNoAddressTwice(t *testing.T) {
	for range worlds {
		rapid.Check(t, live)
	}
}

// worlds is how many times the usual number of worlds is tried: most of what can go
// wrong needs several rare things at once.
const worlds = 10

// live lets the world go through many events.
func live(t *rapid.T) {
	w := newWorld()
	defer w.finish()
	does := []func(*rapid.T){
		w.goOn, w.goWell, w.goWell, w.goWell, w.settle, w.reserve, w.forget, w.catchUp, w.crash,
		w.observe, w.handOut, w.handOut, w.dieOrReturn, w.releaseDead, w.edit,
	}
	for range rapid.IntRange(20, 200).Draw(t, "events") {
		rapid.SampledFrom(does).Draw(t, "event")(t)
		w.check(t)
	}
}

func host(t *rapid.T) string {
	return rapid.SampledFrom([]string{"host1", "host2"}).Draw(t, "host")
}

// leader is a controller's cache as it is now.
func (w *world) leader(t *rapid.T) *view {
	i := rapid.IntRange(0, 1).Draw(t, "leader")
	if rapid.IntRange(0, 2).Draw(t, "cache") > 0 {
		w.leaders[i] = w.look()
	}
	return w.leaders[i]
}

func (w *world) goOn(t *rapid.T) {
	if len(w.tasks) == 0 {
		return
	}
	one := w.tasks[rapid.IntRange(0, len(w.tasks)-1).Draw(t, "task")]
	for range rapid.IntRange(1, 12).Draw(t, "steps") {
		if !one.done {
			w.step(slices.Index(w.tasks, one))
		}
	}
}

// goWell has somebody do his work from beginning to end, with nothing between.
func (w *world) goWell(t *rapid.T) {
	if len(w.tasks) > 3 {
		return
	}
	before := len(w.tasks)
	rapid.SampledFrom([]func(*rapid.T){w.settle, w.settle, w.reserve, w.forget, w.releaseDead, w.observe, w.observe}).Draw(t, "work")(t)
	if len(w.tasks) > before {
		for one := w.tasks[before]; !one.done; {
			w.step(slices.Index(w.tasks, one))
		}
	}
}

// settle is what hostConfigReconciler does.
func (w *world) settle(t *rapid.T) {
	v, h := *w.leader(t), host(t)
	seen, there := v.configs[h]
	if !there || len(w.tasks) > 3 {
		return
	}
	n := v.need(w.subnet(v.network), h, rapid.IntRange(0, 6).Draw(t, "pods"))
	taken := func(p netip.Prefix) bool {
		for _, p := range append(Overlapping(p), p) {
			if _, ok := v.entries[Value(worldVNI, p)]; ok {
				return true
			}
		}
		return false
	}
	release := rapid.IntRange(0, 2).Draw(t, "no pod left") == 0
	w.start("settle "+h, func(b Book) {
		n.Current = w.current(b.(pausing), h, seen)
		var answer Answer
		var err error
		if release {
			answer, err = Release(context.Background(), b, n)
		} else {
			answer, err = Settle(context.Background(), b, n, taken)
		}
		if err != nil {
			panic(err)
		}
		b.(pausing).pause()
		w.write(h, seen, func(c *hostConfig) { c.spec, c.withheld = answer.Ranges, answer.Withheld })
	})
}

// reserve is what accounts.reserveOne does.
func (w *world) reserve(t *rapid.T) {
	v, h := *w.leader(t), host(t)
	seen, there := v.configs[h]
	if !there || len(w.tasks) > 3 {
		return
	}
	s := w.subnet(v.network)
	ip := netip.AddrFrom4([4]byte{10, 1, 0, byte(rapid.IntRange(2, 14).Draw(t, "address"))})
	user := v1alpha1.AddressUser{Namespace: "tenant-a", Pod: fmt.Sprintf("%s-%d", h, rapid.IntRange(1, 2).Draw(t, "pod"))}
	w.users[user] = true
	w.start("reserve "+ip.String()+" for "+user.String(), func(b Book) {
		standing, err := Reserve(context.Background(), b, s, worldVNI, ip, subnetHolder(), user)
		if err != nil || standing.User != user {
			return
		}
		if o := standing.Holder; o.Kind == v1alpha1.KindHost && o.Name != h && !w.leaveOut(b.(pausing), o.Name, ip) {
			return
		}
		n := v.need(s, h, 0)
		n.Current = w.current(b.(pausing), h, seen)
		n.Withheld, n.Singles = append(slices.Clone(n.Withheld), Single(ip)), append(n.Singles, ip)
		answer, err := Settle(context.Background(), b, n, func(netip.Prefix) bool { return false })
		if err != nil {
			panic(err)
		}
		b.(pausing).pause()
		w.write(h, seen, func(c *hostConfig) {
			c.spec, c.withheld = answer.Ranges, answer.Withheld
			if w.users[user] {
				c.reserved[ip] = user
			}
		})
	})
}

// leaveOut is what accounts.leaveOut does.
func (w *world) leaveOut(b pausing, host string, ip netip.Addr) bool {
	b.pause()
	c := w.configs[host]
	if c == nil {
		return false
	}
	other := c.clone()
	if !slices.Contains(other.withheld, Single(ip)) {
		b.pause()
		w.write(host, other, func(c *hostConfig) { c.withheld = append(slices.Clone(c.withheld), Single(ip)) })
		return false
	}
	return other.seen >= other.generation && !Has(other.spec, ip) && !Has(other.uses, ip)
}

// forget has a pod end that has an address of its own: its host takes it out of its
// HostConfig, and addressReconciler gives it back.
func (w *world) forget(t *rapid.T) {
	if len(w.users) == 0 {
		return
	}
	byName := func(a, b v1alpha1.AddressUser) int { return strings.Compare(a.Pod, b.Pod) }
	user := rapid.SampledFrom(slices.SortedFunc(maps.Keys(w.users), byName)).Draw(t, "pod")
	delete(w.users, user)
	for h, c := range w.configs {
		w.write(h, c.clone(), func(c *hostConfig) {
			maps.DeleteFunc(c.reserved, func(_ netip.Addr, u v1alpha1.AddressUser) bool { return u == user })
		})
	}
	w.start("give back what "+user.String()+" had", func(b Book) {
		for last := 2; last < 15; last++ {
			ip := netip.AddrFrom4([4]byte{10, 1, 0, byte(last)})
			e, _ := b.Look(context.Background(), Value(worldVNI, Single(ip)))
			if e == nil || e.User != user {
				continue
			}
			b.(pausing).pause()
			if w.users[user] || w.anywhere(ip) {
				continue
			}
			_ = b.Drop(context.Background(), Value(worldVNI, Single(ip)), e.Version) // it is looked at again
		}
	})
}

// anywhere is what addressReconciler.anywhere does.
func (w *world) anywhere(ip netip.Addr) bool {
	for _, c := range w.configs {
		if _, reserved := c.reserved[ip]; reserved || Has(c.uses, ip) || c.seen < c.generation {
			return true
		}
	}
	return false
}

func (w *world) catchUp(t *rapid.T) {
	i := rapid.IntRange(0, 1).Draw(t, "leader")
	now := w.look()
	switch rapid.SampledFrom([]string{"all", "Allocations", "HostConfigs"}).Draw(t, "what") {
	case "all":
		w.leaders[i] = now
	case "Allocations":
		w.leaders[i] = &view{now.entries, w.leaders[i].configs, w.leaders[i].network}
	default:
		w.leaders[i] = &view{w.leaders[i].entries, now.configs, now.network}
	}
}

// crash ends a task where it is.
func (w *world) crash(t *rapid.T) {
	if len(w.tasks) == 0 {
		return
	}
	i := rapid.IntRange(0, len(w.tasks)-1).Draw(t, "task")
	w.tasks = slices.Delete(w.tasks, i, i+1) // its goroutine waits for ever
}

func (w *world) observe(t *rapid.T) {
	h := host(t)
	c := w.configs[h]
	if c == nil {
		return
	}
	c.seen, c.hands = c.generation, slices.Clone(c.spec)
	w.tell(h, c)
}

// tell has an agent report: what it hands out, and what pods have.
func (w *world) tell(h string, c *hostConfig) {
	c.uses = slices.Clone(c.hands)
	for a := range w.inUse[h] {
		c.uses = append(c.uses, Range{a, a})
	}
	w.version++
	c.version = w.version
}

// handOut has a pod come, or go.
func (w *world) handOut(t *rapid.T) {
	h := host(t)
	c := w.configs[h]
	if c == nil {
		return
	}
	if rapid.IntRange(0, 2).Draw(t, "it goes") == 0 {
		for a := range w.inUse[h] {
			delete(w.inUse[h], a)
			break
		}
	} else {
		for _, r := range c.hands {
			if a := rapid.SampledFrom([]netip.Addr{r.First, r.Last}).Draw(t, "address"); !w.inUse[h][a] {
				w.inUse[h][a] = true
			}
		}
	}
}

// dieOrReturn has a host go, whose machine stops, or come back.
func (w *world) dieOrReturn(t *rapid.T) {
	h := host(t)
	if w.configs[h] == nil {
		w.join(h)
		return
	}
	delete(w.configs, h)
	w.inUse[h] = map[netip.Addr]bool{}
}

// releaseDead is what addressReconciler.ofGone does.
func (w *world) releaseDead(t *rapid.T) {
	var dead []string
	for value, e := range w.entries {
		if e.Holder.Kind == v1alpha1.KindHost && w.configs[e.Holder.Name] == nil {
			dead = append(dead, value)
		}
	}
	if len(dead) == 0 || len(w.tasks) > 3 {
		return
	}
	slices.Sort(dead)
	value := rapid.SampledFrom(dead).Draw(t, "block")
	w.start("give back "+value, func(b Book) {
		e, _ := b.Look(context.Background(), value)
		b.(pausing).pause()
		if e == nil || e.Holder.Kind != v1alpha1.KindHost || w.configs[e.Holder.Name] != nil {
			return
		}
		vni, block, err := ParseValue(value)
		if err != nil {
			panic(err)
		}
		dead := func(context.Context) (bool, error) {
			b.(pausing).pause()
			return w.configs[e.Holder.Name] == nil, nil
		}
		if _, err := Return(context.Background(), b, Block{vni, block}, dead); err != nil {
			panic(err)
		}
	})
}

// edit changes the network, and with it the length of blocks.
func (w *world) edit(t *rapid.T) {
	w.network = netip.MustParsePrefix(rapid.SampledFrom([]string{"10.1.0.0/28", "10.1.0.0/28", "10.1.0.0/22"}).Draw(t, "network"))
}

// current says whether a HostConfig is still as it was looked at.
func (w *world) current(b pausing, host string, seen hostConfig) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) {
		b.pause()
		c := w.configs[host]
		return c != nil && c.version == seen.version, nil
	}
}
