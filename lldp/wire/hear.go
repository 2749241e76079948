package wire

import (
	"time"

	"github.com/switchlet/switchlet/lldp/frame"
)

// hear takes an Ethernet frame that a link brought. What is the same as the last
// frame of one of its neighbours, as nearly all are, costs a comparison.
func (e *engine) hear(index int, raw []byte, now time.Time) (changed bool) {
	p := e.ports[index]
	if p == nil {
		return false
	}
	p.counters.In++
	if len(raw) < headerSize {
		p.counters.Malformed++
		return false
	}
	if known := p.heard(raw); known != nil {
		wasStale := known.carrier != p.carrier
		known.again(p.carrier, now)
		return wasStale
	}
	if !p.bucket.take(now) {
		p.counters.Discarded++
		return false
	}
	destination, source, f, err := parse(raw)
	if err != nil {
		p.counters.Malformed++
		return false
	}
	k := key{f.ChassisID, f.PortID, destination}
	changed = e.tell(p, k, raw, source, f, now)
	e.schedule(p)
	return changed
}

// tell takes what a frame says.
func (e *engine) tell(p *port, k key, raw []byte, source MAC, f frame.Frame, now time.Time) (changed bool) {
	i := p.find(k)
	switch {
	case f.Shutdown() && i < 0:
		return false
	case f.Shutdown():
		p.drop(i)
		return true
	case i >= 0:
		p.entries[i].hear(raw, source, f, p.carrier, now)
		return true
	}
	own := f.ChassisID == e.cfg.Chassis
	if !p.room(own) {
		p.counters.Overflow++
		return false
	}
	p.entries = append(p.entries, entry{key: k, own: own, first: now})
	p.entries[len(p.entries)-1].hear(raw, source, f, p.carrier, now)
	if !own {
		p.schedule.newNeighbor(now)
	}
	return true
}

// restore takes neighbours of an earlier run. Each is stale until it is heard, and
// is forgotten if that does not happen within its time to live.
func (e *engine) restore(neighbors []Neighbor) {
	for _, n := range neighbors {
		e.restored[n.Interface] = append(e.restored[n.Interface], n)
	}
}

// adopt gives a new port its neighbours of an earlier run.
func (e *engine) adopt(p *port, now time.Time) {
	for _, n := range e.restored[p.link.Name] {
		k := key{n.Frame.ChassisID, n.Frame.PortID, n.Destination}
		if n.Frame.Shutdown() || n.Frame.ChassisID == e.cfg.Chassis || p.find(k) >= 0 || len(p.entries) == maxNeighbors {
			continue
		}
		p.entries = append(p.entries, entry{
			key: k, source: n.Source, frame: n.Frame,
			first: n.FirstSeen, last: n.LastSeen, expires: now.Add(n.Frame.TTL),
		})
	}
	delete(e.restored, p.link.Name)
}
