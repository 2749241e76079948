package wire

import "time"

// Numbers of IEEE 802.1AB-2016, 9.2.5.
const (
	fastInit  = 4           // txFastInit: frames of a fast start
	fastEvery = time.Second // msgFastTx
	maxCredit = 5           // txCreditMax: frames at one moment; one a second comes back
)

// schedule says when a link's next frame is to be sent: at once when there is
// something new, four times at a second's distance after a start or when a
// neighbour has appeared, and then in the interval; and however much is new, never
// more than maxCredit at once and one a second.
type schedule struct {
	next     time.Time
	fast     int
	credit   int
	credited time.Time // when the last credit came back
}

func newSchedule(now time.Time) schedule {
	return schedule{credit: maxCredit, credited: now}
}

// start is for a link that has come up.
func (s *schedule) start(now time.Time) { s.fast, s.next = fastInit, now }

// newNeighbor is for somebody who has not heard this side yet.
func (s *schedule) newNeighbor(now time.Time) {
	if s.fast == 0 {
		s.fast = fastInit
	}
	s.next = now
}

// changed is for something new to say.
func (s *schedule) changed(now time.Time) { s.next = now }

// take says whether a frame is to be sent now. It is called when next has come.
func (s *schedule) take(now time.Time, interval time.Duration) bool {
	s.refill(now)
	if s.credit == 0 {
		s.next = s.credited.Add(time.Second)
		return false
	}
	s.credit--
	if s.fast > 0 {
		s.fast--
	}
	if s.next = now.Add(interval); s.fast > 0 {
		s.next = now.Add(min(fastEvery, interval))
	}
	return true
}

func (s *schedule) refill(now time.Time) {
	back := max(0, now.Sub(s.credited)/time.Second)
	s.credited = s.credited.Add(back * time.Second)
	s.credit = int(min(maxCredit, time.Duration(s.credit)+back))
}
