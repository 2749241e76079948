package maintenance

import (
	"slices"
	"strings"
	"time"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Ways says what is known of the neighbours in BGP.
type Ways int

// What may be known.
const (
	// WaysUnknown: FRR cannot be asked, or there is no BGP.
	WaysUnknown Ways = iota
	// WaysNone: no neighbour is established.
	WaysNone
	// WaysSome: at least one is.
	WaysSome
)

// Seen is what is known at one moment.
type Seen struct {
	Now time.Time
	// Config and Switch say whether the API server has told of them since the
	// start. Request and ByHand are what they say.
	Config, Switch bool
	Request        *v1alpha1.SwitchMaintenance
	ByHand         bool
	// Overlay is what is in force, of what was asked for.
	Overlay report.Overlay
	// Ways of the switch to others.
	Ways Ways
	// Loud is the traffic that is left, for people; empty if there is none. It
	// counts only if Quiet, which says that it was so for long enough.
	Loud  string
	Quiet bool
	// InForce is for how long the overlay has been in force as asked for.
	InForce time.Duration
}

const (
	// spread is how long neighbours get to go elsewhere before ports are switched
	// off: BGP sends what has changed within a second, and switches take it.
	spread = 3 * time.Second
	// blind is how long a drain that is forced waits for traffic that it cannot see.
	blind = 10 * time.Second
	// unknownWays is how long a switch whose FRR cannot be asked waits before hosts
	// may come back.
	unknownWays = 30 * time.Second
)

// next is the record as it has to be now. What it asks for may be done when it is on
// the disk.
func (r Record) next(s Seen) Record {
	r = r.hears(s)
	drain := r.wanted(s.Now)
	if !drain && r.Request != nil && r.Request.Drain && r.Returned != r.Request.Step && r.overdue(s.Now) {
		r.Returned = r.Request.Step
	}
	switch {
	case drain && r.Level == InService && r.refusal() == "":
		r.Level, r.Spare, r.Routed, r.Drained = Leaving, spared(r.Request), s.Ways == WaysSome, false
	case drain && r.Level == Leaving && r.gone(s), drain && r.Level == Returning:
		r.Level = Shut
	case drain && r.Level == Shut:
		r.Drained = r.Drained || r.inForce(s) && (s.Quiet || r.forced() && s.Overlay.Uncounted != "" && s.InForce >= blind)
	case !drain && r.Level == Leaving:
		r.Level, r.Drained = InService, false
	case !drain && r.Level == Shut:
		r.Level = Returning
	case !drain && r.Level == Returning && r.mayReturn(s):
		r.Level = InService
	}
	if r.Level != InService && (r.Begun.IsZero() || r.Begun.After(s.Now)) {
		r.Begun = s.Now // it begins, by an agent that kept no such time, or the clock was set back
	}
	if r.Level == InService && r.inForce(s) {
		r.Drained, r.Spare, r.Routed, r.Begun = false, nil, false, time.Time{}
	}
	if r.Request == nil && r.rested(s) {
		r.Pass, r.Before, r.Returned = "", nil, ""
	}
	return r
}

// hears takes what the API server says.
func (r Record) hears(s Seen) Record {
	if s.Switch {
		r.ByHand = s.ByHand
	}
	switch m := s.Request; {
	case !s.Config:
	case m == nil:
		r.Request = nil
	case r.Request == nil || r.Request.Step != m.Step:
		r.Request, r.Since = m, s.Now
		if r.Pass != m.Pass {
			r.Pass, r.Before = m.Pass, nil
		}
		r.Images = lastImages(m.Images, r.Images)
	}
	if r.Since.After(s.Now) { // the clock was set back
		r.Since = s.Now
	}
	return r
}

// keptImages is how many images of a repository stay on the switch.
const keptImages = 2

// lastImages are those of both lists, of each repository the first.
func lastImages(newer, older []string) []string {
	count := map[string]int{}
	var out []string
	for _, image := range slices.Concat(newer, older) {
		repository, _, _ := strings.Cut(image, "@")
		if count[repository] < keptImages && !slices.Contains(out, image) {
			out = append(out, image)
			count[repository]++
		}
	}
	return out
}

// wanted says whether the switch has to be free of traffic. A drain that is in force
// stays while somebody keeps it by hand.
func (r Record) wanted(now time.Time) bool {
	m := r.Request
	asked := m != nil && m.Drain && r.Returned != m.Step && !r.overdue(now) && (m.Release != "" || r.ByHand)
	return asked || r.ByHand && (r.Level == Leaving || r.Level == Shut)
}

// overdue says whether nobody has gone on in time.
func (r Record) overdue(now time.Time) bool {
	d := r.Request.DeadlineSeconds
	return d > 0 && now.Sub(r.Since) >= time.Duration(d)*time.Second
}

// refusal says why a drain must not begin; empty if it may.
func (r Record) refusal() string {
	m := r.Request
	if m == nil || m.Force || len(m.SingleHomed) == 0 {
		return ""
	}
	var hosts []string
	for _, h := range m.SingleHomed {
		name := "whatever is"
		if h.Name != "" {
			name = "host " + h.Name
		}
		hosts = append(hosts, name+" at "+strings.Join(h.Ports, ", "))
	}
	return "It would be cut off, and has no other switch: " + strings.Join(hosts, "; ") + "."
}

// spared are the ports of hosts that have no other way.
func spared(m *v1alpha1.SwitchMaintenance) []string {
	var ports []string
	for _, h := range m.SingleHomed {
		ports = append(ports, h.Ports...)
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// forced says whether the drain goes on whatever is in the way.
func (r Record) forced() bool { return r.Request != nil && r.Request.Force }

// alone says whether FRR is not waited for: where no neighbour was there when the
// drain began, such as on a switch that gets its first bgp service, there is nobody
// to ask.
func (r Record) alone() bool { return r.forced() || !r.Routed }

// asks is what has to be put over the spec.
func (r Record) asks() (routes, ports bool) {
	return r.Level == Leaving || r.Level == Shut, r.Level == Shut || r.Level == Returning
}

// asked says whether what is known of the switch is about what is asked of it.
func (r Record) asked(s Seen) bool {
	routes, ports := r.asks()
	return s.Overlay.Routes == routes && s.Overlay.Ports == ports
}

func (r Record) inForce(s Seen) bool {
	return r.asked(s) && s.Overlay.PortsDone && (s.Overlay.RoutesDone || r.alone())
}

// gone says whether neighbours had the time to go elsewhere. The ports of hosts are
// not switched off before.
func (r Record) gone(s Seen) bool {
	return r.inForce(s) && s.InForce >= spread
}

// mayReturn says whether hosts may come back: where the switch had a way to others
// when the drain began, it has to have one again.
func (r Record) mayReturn(s Seen) bool {
	blind := s.Ways == WaysUnknown && s.InForce >= unknownWays
	switch {
	case !r.asked(s):
		return false
	case !s.Overlay.RoutesDone:
		return r.alone() && blind
	}
	return !r.Routed || s.Ways == WaysSome || blind
}

// rested says whether nothing is left of a drain.
func (r Record) rested(s Seen) bool { return r.Level == InService && r.inForce(s) }

// busy says whether time alone can change something.
func (r Record) busy() bool {
	return r.Request != nil || r.Level != InService || r.Drained || len(r.Before) > 0
}
