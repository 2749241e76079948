package report

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Bounds of the API.
const (
	maxProblems = 64
	maxMessage  = 1024
)

// ConfigStatus is the status of the SwitchConfig. previous are the conditions
// as they were, which keep their times if they stay the same.
func ConfigStatus(f Facts, previous []metav1.Condition, now time.Time) v1alpha1.SwitchConfigStatus {
	status := v1alpha1.SwitchConfigStatus{
		ObservedGeneration:  f.Generation,
		AppliedGeneration:   f.AppliedGeneration,
		AppliedRevision:     f.AppliedRevision,
		ConfirmedGeneration: f.ConfirmedGeneration,
		BadRevision:         f.BadRevision,
		LastChange:          f.LastChange,
		Problems:            f.Problems,
		Drift:               f.Drift,
		Maintenance:         f.Maintenance,
	}
	if f.Inventory != nil {
		status.VNIs, status.VTEPs = f.Inventory.VNIs, f.Inventory.VTEPs
	}
	if len(status.Problems) > maxProblems {
		status.Problems = status.Problems[:maxProblems]
	}
	states := []named{{v1alpha1.ConfigRendered, f.Rendered}, {v1alpha1.ConfigProgrammed, f.Programmed}, {v1alpha1.ConfigConfirmed, f.Confirmed}}
	if f.Routed != (State{}) {
		states = append(states, named{v1alpha1.ConfigRouted, f.Routed})
	}
	status.Conditions = conditions(previous, f.Generation, now, states)
	return status
}

// SwitchStatus is the status of the Switch.
func SwitchStatus(f Facts, previous []metav1.Condition, now time.Time) v1alpha1.SwitchStatus {
	var status v1alpha1.SwitchStatus
	if i := f.Inventory; i != nil {
		status = v1alpha1.SwitchStatus{
			NOSVersion: cut(i.NOSVersion, 128), Platform: cut(i.Metadata.Platform, 128), HWSKU: cut(i.Metadata.HWSKU, 128), MAC: cut(i.Metadata.MAC, 17),
			AgentVersion: cut(i.AgentVersion, 64), Gateway: i.Gateway, Ports: i.Ports,
			ModelViolations: i.Violations,
			ForeignVLANs:    i.ForeignVLANs, ForeignVNIs: i.ForeignVNIs,
		}
	}
	status.SystemName, status.ChassisID, status.Neighbors = f.Cabling.SystemName, f.Cabling.ChassisID, f.Cabling.Neighbors
	apart := []named{}
	if f.Drained != (State{}) {
		apart = append(apart, named{v1alpha1.SwitchDrained, f.Drained})
	}
	status.Conditions = conditions(previous, f.SwitchGeneration, now, []named{
		{v1alpha1.SwitchConnected, f.Connected}, {v1alpha1.SwitchStateSaved, f.StateSaved}, {v1alpha1.SwitchPersisted, f.Persisted},
	}, apart...)
	return status
}

type named struct {
	name string
	State
}

// conditions are the given ones and Ready, which is the first of them that is
// False, or True. It does not depend on those apart.
func conditions(previous []metav1.Condition, generation int64, now time.Time, states []named, apart ...named) []metav1.Condition {
	ready := named{v1alpha1.ConditionReady, State{OK: true, Reason: v1alpha1.ConditionReady}}
	for _, state := range states {
		if ready.OK && !state.OK {
			ready.State = state.State
		}
	}
	var all []metav1.Condition
	for _, state := range slices.Concat(states, apart, []named{ready}) {
		if old := meta.FindStatusCondition(previous, state.name); old != nil {
			all = append(all, *old)
		}
		meta.SetStatusCondition(&all, metav1.Condition{
			Type: state.name, Status: state.Status(), ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now.Truncate(time.Second)),
			Reason: state.Reason, Message: cut(state.Message, maxMessage),
		})
	}
	return all
}
