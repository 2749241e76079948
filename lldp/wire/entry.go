package wire

import (
	"bytes"
	"time"

	"github.com/switchlet/switchlet/lldp/frame"
)

// maxNeighbors is how many are kept on a link; as many are kept of what this
// machine hears of itself.
const maxNeighbors = 8

// key is what tells the neighbours of a link from each other (the MSAP identifier
// of IEEE 802.1AB-2016, 8.5.1, and the agent that it speaks for).
type key struct {
	chassis     frame.ChassisID
	port        frame.PortID
	destination MAC
}

// entry is a neighbour, or this machine itself, as heard on one link.
type entry struct {
	key    key
	source MAC
	frame  frame.Frame
	// raw is the last frame, by which the next one is recognized.
	raw []byte
	own bool

	first, last, expires time.Time
	// carrier is the link's count of carriers when the last frame came; 0 if none
	// came yet.
	carrier uint64
}

// hear takes a frame at the time given.
func (e *entry) hear(raw []byte, source MAC, f frame.Frame, carrier uint64, now time.Time) {
	e.raw = append(e.raw[:0], raw...)
	e.source, e.frame = source, f
	e.again(carrier, now)
}

// again is for a frame that is the same as the last one.
func (e *entry) again(carrier uint64, now time.Time) {
	e.last, e.expires, e.carrier = now, now.Add(e.frame.TTL), carrier
}

func (e *entry) neighbor(l Link, carrier uint64) Neighbor {
	return Neighbor{
		Interface:   l.Name,
		Source:      e.source,
		Destination: e.key.destination,
		Frame:       e.frame,
		FirstSeen:   e.first,
		LastSeen:    e.last,
		Stale:       !l.Running || e.carrier != carrier,
	}
}

// heard finds the entry whose last frame was the same.
func (p *port) heard(raw []byte) *entry {
	for i := range p.entries {
		if bytes.Equal(p.entries[i].raw, raw) {
			return &p.entries[i]
		}
	}
	return nil
}

// find is the place of an entry, or -1.
func (p *port) find(k key) int {
	for i := range p.entries {
		if p.entries[i].key == k {
			return i
		}
	}
	return -1
}

// room sees to it that there is room for one more, or says that there is none. One
// that has not been heard since the carrier was lost makes room for one that has.
func (p *port) room(own bool) bool {
	count, stale := 0, -1
	for i, e := range p.entries {
		if e.own != own {
			continue
		}
		count++
		if e.carrier != p.carrier && (stale < 0 || e.last.Before(p.entries[stale].last)) {
			stale = i
		}
	}
	if count < maxNeighbors {
		return true
	}
	if stale >= 0 {
		p.drop(stale)
	}
	return stale >= 0
}

// drop forgets an entry; the others keep their order.
func (p *port) drop(i int) {
	copy(p.entries[i:], p.entries[i+1:])
	last := len(p.entries) - 1
	p.entries[last] = entry{} // its frame may be forgotten
	p.entries = p.entries[:last]
}

// age forgets those whose time is over.
func (p *port) age(now time.Time) (changed bool) {
	for i := len(p.entries) - 1; i >= 0; i-- {
		if !now.Before(p.entries[i].expires) {
			p.drop(i)
			p.counters.AgedOut++
			changed = true
		}
	}
	return changed
}
