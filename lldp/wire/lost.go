package wire

import "time"

// askApart is the time between two questions about a link's carrier at least: a flood
// of frames makes no flood of questions.
const askApart = 100 * time.Millisecond

// asks says whether lost is to be called before the next frame of a link is heard: a
// frame may come before the news that the cable it came by is another one.
func (e *engine) asks(index int, now time.Time) bool {
	p := e.ports[index]
	if p == nil || now.Sub(p.asked) < askApart {
		return false
	}
	p.asked = now
	return true
}

// lost takes how often a link has lost its carrier by now.
func (e *engine) lost(index int, losses uint32, now time.Time) (changed bool) {
	p := e.ports[index]
	if p == nil || !grown(p.link.CarrierLosses, losses) {
		return false
	}
	p.link.CarrierLosses, p.ahead = losses, true
	p.carrier++
	p.schedule.start(now)
	e.schedule(p)
	return true
}

// grown says whether a count is later than another one, as long as they are less than
// half of all numbers apart.
func grown(from, to uint32) bool { return int32(to-from) > 0 }

// caughtUp takes out of news what is older than what lost has told, and says whether
// they tell of a loss that it has told already.
func (p *port) caughtUp(l *Link) (ahead bool) {
	ahead = p.ahead
	if grown(l.CarrierLosses, p.link.CarrierLosses) {
		l.CarrierLosses = p.link.CarrierLosses
		return ahead
	}
	p.ahead = false
	return ahead
}
