package neighbors

import "time"

// service is what is known of SONiC's lldp service.
type service struct {
	// Feature is the state of FEATURE|lldp in CONFIG_DB, empty if there is none.
	Feature string
	// System is system_state of FEATURE|lldp in STATE_DB, up or down; empty on a
	// SONiC that is not made for Kubernetes (sonic-ctrmgrd, ctrmgr/container).
	System string
}

// wanted reports whether the service is switched on.
func (s service) wanted() bool { return s.Feature == "enabled" || s.Feature == "always_enabled" }

// runs reports whether the service runs. One that is switched on and says nothing
// of itself is taken to: without neighbours there is no other sign of it.
func (s service) runs() bool { return s.System == "up" || s.wanted() && s.System != "down" }

// absence tells a service that is away from one that is about to start or has
// not ended yet. It is told the time.
type absence struct {
	silence time.Duration // that makes the difference

	known bool
	away  bool
	since time.Time // that it does not run; zero while it does
}

// look takes what is seen now. A service that runs is back at once. At first
// sight it is away only if nobody wants it.
func (a *absence) look(now time.Time, s service) {
	first := !a.known
	a.known = true
	switch {
	case s.runs():
		a.away, a.since = false, time.Time{}
	case a.since.IsZero():
		a.since, a.away = now, first && !s.wanted()
	case now.Sub(a.since) >= a.silence:
		a.away = true
	}
}

// next is when to look again although nothing happens; zero if there is nothing
// to wait for.
func (a *absence) next() time.Time {
	if a.away || a.since.IsZero() {
		return time.Time{}
	}
	return a.since.Add(a.silence)
}
