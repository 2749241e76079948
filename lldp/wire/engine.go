package wire

import (
	"bytes"
	"container/heap"
	"maps"
	"slices"
	"time"
)

// engine decides what an Agent does. It is pure: links, frames and the time come
// in, what is to be done comes out.
type engine struct {
	cfg   Config // complete
	ports map[int]*port
	queue queue
	// restored are neighbours of an earlier run, by interface, until that comes.
	restored map[string][]Neighbor
}

func newEngine(cfg Config) *engine {
	return &engine{cfg: cfg, ports: map[int]*port{}, restored: map[string][]Neighbor{}}
}

// effects are what is to be done.
type effects struct {
	send []outgoing
	// join and leave are the indexes of links to hear LLDP's group addresses on,
	// and not to any more.
	join, leave []int
	// changed says that ports or neighbours are not what they were.
	changed bool
}

// outgoing is an Ethernet frame for a link.
type outgoing struct {
	index int
	frame []byte
}

func (fx *effects) add(more effects) {
	fx.send = append(fx.send, more.send...)
	fx.join = append(fx.join, more.join...)
	fx.leave = append(fx.leave, more.leave...)
	fx.changed = fx.changed || more.changed
}

// setLinks takes all links there are: those that are not among them are gone.
func (e *engine) setLinks(all []Link, now time.Time) effects {
	var fx effects
	here := map[int]bool{}
	for _, l := range all {
		here[l.Index] = true
		fx.add(e.setLink(l, now))
	}
	for _, index := range slices.Sorted(maps.Keys(e.ports)) {
		if !here[index] {
			fx.add(e.removeLink(index))
		}
	}
	return fx
}

// setEvent takes a change of one link.
func (e *engine) setEvent(event linkEvent, now time.Time) effects {
	if event.gone {
		return e.removeLink(event.link.Index)
	}
	return e.setLink(event.link, now)
}

// setLink takes a link that is new or not what it was.
func (e *engine) setLink(l Link, now time.Time) effects {
	p := e.ports[l.Index]
	if !l.Ethernet || !e.cfg.Select(l) {
		if p == nil {
			return effects{}
		}
		fx := effects{send: p.farewell(), leave: []int{l.Index}}
		fx.add(e.removeLink(l.Index))
		return fx
	}
	if p == nil {
		return e.addPort(l, now)
	}
	ahead := p.caughtUp(&l)
	if p.link == l {
		return effects{}
	}
	fx := e.changeLink(p, l, ahead, now)
	fx.changed = true
	e.schedule(p)
	return fx
}

func (e *engine) addPort(l Link, now time.Time) effects {
	p := &port{link: l, schedule: newSchedule(now), bucket: bucket{since: now}, carrier: 1}
	e.announce(p)
	e.adopt(p, now)
	if l.Running {
		p.schedule.start(now)
	}
	e.ports[l.Index] = p
	p.wake = p.alarm()
	heap.Push(&e.queue, p)
	return effects{join: []int{l.Index}, changed: true}
}

// announce makes what is said on a port.
func (e *engine) announce(p *port) {
	var err error
	p.problem = ""
	if p.say, p.goodbye, err = e.cfg.announcement(p.link); err != nil {
		p.problem = err.Error()
	}
}

// changeLink takes what a port's link is now. If it has another port ID with its
// new name, the old one is taken back: neighbours would keep both.
// ahead says that the last loss of its carrier is known already.
func (e *engine) changeLink(p *port, l Link, ahead bool, now time.Time) effects {
	var fx effects
	before, farewell := *p, p.farewell()
	p.link = l
	e.announce(p)
	e.adopt(p, now)
	unplugged := l.CarrierLosses != before.link.CarrierLosses
	if unplugged || !l.Running && before.link.Running && !ahead {
		p.carrier++
	}
	switch {
	case l.Running && (unplugged || !before.link.Running):
		p.schedule.start(now)
	case !bytes.Equal(p.identity(), before.identity()):
		fx.send = farewell
		p.schedule.start(now)
	case !bytes.Equal(p.say, before.say):
		p.schedule.changed(now)
	}
	return fx
}

// refresh asks again what to say on each port.
func (e *engine) refresh(now time.Time) effects {
	var fx effects
	for _, index := range slices.Sorted(maps.Keys(e.ports)) {
		p := e.ports[index]
		before, farewell, problem := *p, p.farewell(), p.problem
		e.announce(p)
		if !bytes.Equal(p.identity(), before.identity()) {
			fx.send = append(fx.send, farewell...)
		}
		if !bytes.Equal(p.say, before.say) {
			p.schedule.changed(now)
		}
		fx.changed = fx.changed || p.problem != problem
		e.schedule(p)
	}
	return fx
}

// removeLink takes that a link is gone, and whoever was heard there.
func (e *engine) removeLink(index int) effects {
	p := e.ports[index]
	if p == nil {
		return effects{}
	}
	heap.Remove(&e.queue, p.place)
	delete(e.ports, index)
	return effects{changed: true}
}

// due does what is to be done by now.
func (e *engine) due(now time.Time) effects {
	var fx effects
	for len(e.queue) > 0 {
		p := e.queue[0]
		if p.wake.IsZero() || now.Before(p.wake) {
			return fx
		}
		fx.changed = p.age(now) || fx.changed
		if p.sends() && !now.Before(p.schedule.next) && p.schedule.take(now, e.cfg.Interval) {
			fx.send = append(fx.send, outgoing{p.link.Index, p.say})
		}
		e.schedule(p)
	}
	return fx
}

// next is when due has to be called again; zero for never.
func (e *engine) next() time.Time {
	if len(e.queue) == 0 {
		return time.Time{}
	}
	return e.queue[0].wake
}

func (e *engine) schedule(p *port) {
	p.wake = p.alarm()
	heap.Fix(&e.queue, p.place)
}

// sent takes whether the kernel took a frame.
func (e *engine) sent(index int, ok bool) {
	switch p := e.ports[index]; {
	case p == nil:
	case ok:
		p.counters.Out++
	default:
		p.counters.SendErrors++
	}
}

// farewell takes back what was said on a port.
func (p *port) farewell() []outgoing {
	if !p.sends() {
		return nil
	}
	return []outgoing{{p.link.Index, p.goodbye}}
}

// farewells take back what was said on all ports.
func (e *engine) farewells() []outgoing {
	var all []outgoing
	for _, p := range e.queue {
		all = append(all, p.farewell()...)
	}
	return all
}
