package neighbors

import "time"

// pace makes one update of several changes in a burst, and keeps updates apart.
type pace struct {
	settle time.Duration // from the first change to its update
	apart  time.Duration // from one update to the next

	due  time.Time // zero if there is nothing to tell
	last time.Time
}

// changed notes a change.
func (p *pace) changed(now time.Time) {
	if p.due.IsZero() {
		p.due = now.Add(p.settle)
		if next := p.last.Add(p.apart); !p.last.IsZero() && next.After(p.due) {
			p.due = next
		}
	}
}

// unchanged notes that all is as it was at the last update.
func (p *pace) unchanged() { p.due = time.Time{} }

// take reports whether to tell now.
func (p *pace) take(now time.Time) bool {
	if p.due.IsZero() || now.Before(p.due) {
		return false
	}
	p.due, p.last = time.Time{}, now
	return true
}
