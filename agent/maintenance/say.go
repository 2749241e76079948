package maintenance

import (
	"fmt"
	"strings"

	"github.com/switchlet/switchlet/agent/report"
)

// drainState says how the drain is, as a condition and, for the answer, as why it is
// not what was asked for.
func (r Record) drainState(s Seen) (report.State, string) {
	wanted := r.wanted(s.Now)
	switch {
	case wanted && r.Level == InService:
		why := r.refusal()
		return report.State{Reason: "Refused", Message: why}, why
	case wanted && r.Drained:
		return report.State{OK: true, Reason: "Drained", Message: r.drainedFor()}, ""
	case wanted:
		why := r.drains(s)
		return report.State{Reason: "Draining", Message: why}, why
	case r.Level != InService || r.Drained:
		why := r.returns(s)
		return report.State{OK: r.Drained, Reason: "Undraining", Message: why}, why
	case r.Request != nil && r.Request.Drain:
		why := fmt.Sprintf("Within %d s nobody said how to go on: the controller or the API server is away. The traffic was let back.", r.Request.DeadlineSeconds)
		return report.State{Reason: "Returned", Message: why}, why
	}
	return report.State{Reason: "InService", Message: "The switch is not drained."}, ""
}

func (r Record) drainedFor() string {
	whom := "spec.drained of the Switch is true."
	if r.Request != nil && r.Request.Release != "" {
		whom = "For NOSRelease " + r.Request.Release + "."
	}
	if len(r.Spare) > 0 {
		whom += " Hosts with no other way stay: " + strings.Join(r.Spare, ", ") + "."
	}
	return "No traffic is left. " + whom
}

// drains says what a drain waits for.
func (r Record) drains(s Seen) string {
	switch {
	case s.Overlay.Message != "":
		return s.Overlay.Message
	case !r.asked(s) || r.Level == Leaving && !s.Overlay.RoutesDone:
		return "FRR is asked to send traffic elsewhere."
	case r.Level == Leaving:
		return "The neighbours send traffic elsewhere."
	case !s.Overlay.PortsDone:
		return "The ports of hosts are switched off."
	case s.Overlay.Uncounted != "":
		return s.Overlay.Uncounted
	case s.Loud != "":
		return "There is still traffic: " + s.Loud + "."
	}
	return "It is looked whether there is still traffic."
}

// returns says what the return of traffic waits for.
func (r Record) returns(s Seen) string {
	switch {
	case s.Overlay.Message != "":
		return s.Overlay.Message
	case !r.asked(s) || !s.Overlay.RoutesDone:
		return "FRR is told to be as before."
	case r.Level == Returning && r.Routed && s.Ways != WaysSome:
		return "The ports of hosts stay off until a neighbour in BGP is established: hosts would come to a switch without a way on. Look at show bgp summary."
	}
	return "The ports of hosts are switched on again."
}
