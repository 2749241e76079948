// Package release decides what a NOSRelease does next: which switch is worked on,
// and how far it is. It computes only. Whoever calls it observes the cluster, asks
// Next for the status, writes that, and does what Do says of the status that is
// written; in this order, so that whatever happens to a switch is written down
// before it happens, and a controller that is killed at any moment goes on
// where it was.
//
// A switch goes through the phases
//
//	Waiting → Pulling → Prechecking → Draining → Replacing → Verifying → Undraining → Soaking → Current
//
// From the first three of work it goes back to Waiting, by Releasing if it was
// asked to drain, when the release is paused, stopped or changed. Later it is
// finished, or goes by RollingBack and Restoring to RolledBack.
//
// Which version of a service runs on a switch is said by a label of its Node, one
// for each service, whose value is the hash of a pod template; each hash has a
// DaemonSet that selects it. So a switch has what its own label says, whatever
// is being rolled out elsewhere, also when a pod is lost or the release stops.
package release

import (
	"slices"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Inputs are all that the decision depends on.
type Inputs struct {
	Now time.Time
	// Release as it is: its status is what was decided last.
	Release *v1alpha1.NOSRelease
	Target  Target
	// Images by the hash of the pod template, of all revisions that are known.
	Images map[string][]string
	// Switches of the whole fabric, selected or not, in order of their names.
	Switches []Switch
}

// Target is what every selected switch has to run.
type Target struct {
	// Revision is the name of the ControllerRevision.
	Revision string
	Services []Service
}

// Service is one service of the target.
type Service struct {
	Name, Hash string
	// Disruptive says whether replacing it disturbs traffic.
	Disruptive bool
}

// Switch is a switch as it is seen.
type Switch struct {
	Name, Group string
	Role        v1alpha1.SwitchRole
	// Selected says whether the release is for it.
	Selected bool
	// Conflict names the older release that has one of the services here.
	Conflict string
	// Unavailable says why the switch cannot be worked on, and counts as out; empty
	// if it is well.
	Unavailable string
	// HeldBy is another release that works on the switch.
	HeldBy string
	// ByHand: spec.drained of the Switch is true. SingleHomed are the hosts that a
	// drain would cut off, known while it is drained, or to be.
	ByHand      bool
	SingleHomed []v1alpha1.SingleHomedHost
	// Labels by service: the hash whose pod may run here.
	Labels map[string]string
	Pods   []Pod
	// Maintenance is in the spec of its SwitchConfig, Answer in the status.
	Maintenance *v1alpha1.SwitchMaintenance
	Answer      *v1alpha1.MaintenanceStatus
	// Results of the user's checks in the step that the status speaks of, by name.
	Results map[string]Result
}

// Pod is one of a service's pods on a switch.
type Pod struct {
	Service, Hash string
	Ready         bool
	// Trouble says why it will not become ready: it crashes again and again.
	Trouble string
}

// Result of one of the user's checks.
type Result struct {
	Done, OK bool
	// Value that was found, or what is wrong.
	Value string
}

// Do is what has to be done now.
type Do struct {
	Requests []Request
	Labels   []Label
}

// Request is what the agent of a switch has to be asked for; nothing if
// Maintenance is nil.
type Request struct {
	Switch      string
	Maintenance *v1alpha1.SwitchMaintenance
}

// Label is what has to be on a Node: no label if Hash is empty.
type Label struct {
	Switch, Service, Hash string
}

// AtWork says whether a switch in this phase is being worked on.
func AtWork(p v1alpha1.SwitchPhase) bool {
	return p != v1alpha1.SwitchWaiting && p != v1alpha1.SwitchCurrent && p != v1alpha1.SwitchRolledBack
}

// untouched says whether a switch that is being worked on still has what it had.
func untouched(p v1alpha1.SwitchPhase) bool {
	return slices.Contains([]v1alpha1.SwitchPhase{v1alpha1.SwitchPulling, v1alpha1.SwitchPrechecking, v1alpha1.SwitchDraining}, p)
}

// drains says whether these changes have to be made without traffic.
func drains(in Inputs, changes []v1alpha1.ReleaseServiceChange) bool {
	switch in.Release.Spec.Strategy.Drain.Mode {
	case v1alpha1.DrainNever:
		return false
	case v1alpha1.DrainAlways:
		return true
	case v1alpha1.DrainAuto:
	}
	return slices.ContainsFunc(changes, func(c v1alpha1.ReleaseServiceChange) bool {
		i := slices.IndexFunc(in.Target.Services, func(s Service) bool { return s.Name == c.Name })
		return i < 0 || in.Target.Services[i].Disruptive // one that is gone from the release may have been
	})
}
