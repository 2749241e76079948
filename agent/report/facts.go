// Package report tells the API server what the agent has done and found: the
// status of its SwitchConfig and of its Switch. It writes when something has
// changed, the newest word only, and goes on trying while the API server is
// away.
package report

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/agent/neighbors"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// State is what a condition says, apart from when.
type State struct {
	OK bool
	// Open: it is not decided yet. Meanwhile it counts as OK.
	Open    bool
	Reason  string
	Message string
}

// Status of the condition.
func (s State) Status() metav1.ConditionStatus {
	switch {
	case s.Open:
		return metav1.ConditionUnknown
	case s.OK:
		return metav1.ConditionTrue
	default:
		return metav1.ConditionFalse
	}
}

// underway reports whether it is about to become a better one.
func (s State) underway() bool {
	return !s.OK && (s.Reason == v1alpha1.ReasonConverging || s.Reason == v1alpha1.ReasonProgressing)
}

// Facts are what the agent knows at one moment.
type Facts struct {
	// Generation of the newest SwitchConfig that was looked at; 0 if there is
	// none in the API, and its status is not written then.
	Generation int64
	// AppliedGeneration and AppliedRevision are those in force.
	AppliedGeneration int64
	AppliedRevision   string
	// ConfirmedGeneration is the newest one that stood its trial.
	ConfirmedGeneration int64
	// Rendered, Programmed, Confirmed are conditions of the SwitchConfig.
	Rendered, Programmed, Confirmed State
	// Routed is the condition about FRR; empty as long as it was not looked at.
	Routed State
	// BadRevision is the newest revision if it was tried and taken back.
	BadRevision string
	// Problems of owners.
	Problems []v1alpha1.Problem
	// Drift is what others changed of what the agent wrote.
	Drift []v1alpha1.Drift
	// LastChange is nil if there was none yet.
	LastChange *v1alpha1.ApplyTimes

	// Overlay is what of draining is in force.
	Overlay Overlay
	// Maintenance is the answer to spec.maintenance; nil if nothing is asked.
	// Drained is a condition of the Switch. The Reporter fills both in.
	Maintenance *v1alpha1.MaintenanceStatus
	Drained     State

	// SwitchGeneration of the newest Switch that was looked at; 0 if there is none.
	SwitchGeneration int64
	// Connected, StateSaved, Persisted are conditions of the Switch.
	Connected, StateSaved, Persisted State
	// Inventory is what the switch is and has, as last seen; nil if never.
	Inventory *Inventory
	// Cabling is what the switch says and hears by LLDP. The Reporter fills it in.
	Cabling neighbors.View
}

// underway reports whether a change is on its way to the switch.
func (f *Facts) underway() bool {
	return f.Rendered.underway() || f.Programmed.underway() || f.Routed.underway()
}

// Inventory is what a switch is and has.
type Inventory struct {
	NOSVersion   string
	AgentVersion string
	Gateway      v1alpha1.GatewayDialect
	Metadata     sonic.DeviceMetadata
	Ports        []v1alpha1.SwitchPort
	// ForeignVLANs, ForeignVNIs are in use by others, in rising order.
	ForeignVLANs, ForeignVNIs []int32
	// Violations of the switch's YANG models by rows of others: table, field,
	// rule and how many.
	Violations []string
	// VNIs, VTEPs are those of the agent's own rows, in rising order.
	VNIs  []int32
	VTEPs []string
}
