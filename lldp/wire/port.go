package wire

import "time"

// port is what the engine knows of a link that it speaks on.
type port struct {
	link Link
	// say is the Ethernet frame to send, and goodbye the one that takes it back;
	// empty if there is a problem.
	say, goodbye []byte
	problem      string

	schedule schedule
	bucket   bucket
	entries  []entry
	// carrier counts how often the link had one, from 1.
	carrier  uint64
	asked    time.Time // when the kernel was asked about it the last time
	ahead    bool      // it knows of a loss that the news of the link may not have told yet
	counters Counters

	// wake is when something is to be done, or earlier; zero for never. place is
	// where the port is in the engine's queue.
	wake  time.Time
	place int
}

// identity is the part of the goodbye that names the port; empty if there is a
// problem.
func (p *port) identity() []byte { return p.goodbye[min(len(p.goodbye), headerSize):] }

func (p *port) sends() bool { return p.link.Running && len(p.say) > 0 }

// alarm is the time of what is to be done next; zero for never.
func (p *port) alarm() time.Time {
	var at time.Time
	if p.sends() {
		at = p.schedule.next
	}
	for _, e := range p.entries {
		at = earlier(at, e.expires)
	}
	return at
}

// earlier is the earlier of two times of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// queue is a heap (container/heap) of ports, the one to wake first in front.
type queue []*port

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	a, b := q[i].wake, q[j].wake
	return !a.IsZero() && (b.IsZero() || a.Before(b))
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Push is for container/heap.
func (q *queue) Push(x any) {
	p, _ := x.(*port)
	p.place = len(*q)
	*q = append(*q, p)
}

// Pop is for container/heap.
func (q *queue) Pop() any {
	last := len(*q) - 1
	p := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return p
}
