package v1alpha1

// SwitchCheck is a check that the agent makes of its own switch.
// +kubebuilder:validation:Enum=BGPSessions;EVPNRoutes;InstalledRoutes;Uplinks;LLDPNeighbors;AgentConverged;ContainersHealthy
type SwitchCheck string

// The checks of a switch. Each has a value, which the agent reports as text, and
// holds after if it is as good as before.
const (
	// CheckBGPSessions: the neighbours with which BGP is established. After: each
	// of them again. While the switch is drained they stay established.
	CheckBGPSessions SwitchCheck = "BGPSessions"
	// CheckEVPNRoutes: how many EVPN routes were received. After: at least nine
	// tenths of it.
	CheckEVPNRoutes SwitchCheck = "EVPNRoutes"
	// CheckInstalledRoutes: how many routes of BGP's zebra has installed. After: at
	// least nine tenths of it.
	CheckInstalledRoutes SwitchCheck = "InstalledRoutes"
	// CheckUplinks: the routed ports that are up. After: each of them.
	CheckUplinks SwitchCheck = "Uplinks"
	// CheckLLDPNeighbors: the uplinks at which a neighbour is heard. After: the
	// same neighbour.
	CheckLLDPNeighbors SwitchCheck = "LLDPNeighbors"
	// CheckAgentConverged: the SwitchConfig is in force and confirmed, in CONFIG_DB
	// and in FRR. It has to hold before, too, but for an FRR that does not run.
	CheckAgentConverged SwitchCheck = "AgentConverged"
	// CheckContainersHealthy: SONiC's own containers that are up, as the script that
	// starts them says in STATE_DB. After: each of them.
	CheckContainersHealthy SwitchCheck = "ContainersHealthy"
)

// CheckStage says whether something was changed already.
// +kubebuilder:validation:Enum=Before;After
type CheckStage string

// The stages of checks.
const (
	// StageBefore: what is now is what has to hold later. The agent measures once,
	// keeps the values on its disk under the pass, and reports them.
	StageBefore CheckStage = "Before"
	// StageAfter: the agent measures again and again, at least every 10 s, and
	// compares with what it kept of the pass.
	StageAfter CheckStage = "After"
)

// SingleHomedHost is a host that has no way but one switch.
type SingleHomedHost struct {
	// Name of the Host; empty if nobody knows what is at the ports.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Name string `json:"name,omitempty"`
	// Ports of the switch that it is at, as segments name them.
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=15
	// +listType=atomic
	Ports []string `json:"ports"`
}

// SwitchMaintenance is what a release, or spec.drained of the Switch, asks of the
// agent on a switch. It is
// applied by a field manager of its own, switchlet-release, so that it comes and
// goes without the rest of the spec; it has no part in spec.revision, and the
// agent writes nothing to CONFIG_DB for it but what draining takes: admin_status of
// the ports of hosts.
//
// What the agent does for each new Step, in this order, reporting as it goes:
//
//  1. It writes status.maintenance anew, with ObservedStep. What it says of an
//     earlier step it does not repeat, but for images that are there.
//  2. It pulls those of Images that are not there, by digest, and reports each in
//     PulledImages; what went wrong in PullError, and tries again. It keeps
//     them from being collected until maintenance is gone.
//  3. It drains the switch if Drain is true and brings traffic back if not: first
//     the neighbours in BGP are asked to go elsewhere (RFC 8326), then the ports of
//     hosts go down; they come up again in the other order.
//     Drained is true only when no traffic is left; until then DrainReason says
//     what is waited for. It refuses to begin, with DrainReason, while SingleHomed
//     names hosts, unless Force is true.
//  4. It makes Checks, as Stage says, and reports them.
//
// When the agent cannot reach the API server, or starts, the last Step that it
// has seen stays in force, for DeadlineSeconds at most if it drains. While
// spec.drained of the Switch is true a drain that is in force is not undone. When
// spec.maintenance is gone, traffic comes back,
// the kept values are forgotten, and status.maintenance is removed.
type SwitchMaintenance struct {
	// Release is the name of the NOSRelease; empty for a drain by hand, which
	// spec.drained of the Switch asks for.
	// +kubebuilder:validation:MaxLength=40
	Release string `json:"release"`
	// Pass is one attempt at this switch: all steps of it have the same.
	// +kubebuilder:validation:MaxLength=128
	Pass string `json:"pass"`
	// Step is another one whenever anything else here is.
	// +kubebuilder:validation:MaxLength=160
	Step string `json:"step"`
	// Images that have to be on the switch, by digest.
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=512
	// +listType=set
	// +optional
	Images []string `json:"images,omitempty"`
	// Drain says whether the switch has to be free of traffic.
	// +optional
	Drain bool `json:"drain,omitempty"`
	// Force drains although there are hosts with no other way. Their ports stay
	// up: they lose the network only when and as long as the work itself takes it.
	// +optional
	Force bool `json:"force,omitempty"`
	// SingleHomed are the hosts that have no way but this switch, and ports that
	// carry a segment and at which no host is known.
	// +kubebuilder:validation:MaxItems=256
	// +listType=atomic
	// +optional
	SingleHomed []SingleHomedHost `json:"singleHomed,omitempty"`
	// DeadlineSeconds is for how long a switch stays drained for this Step. Whoever
	// asks for it will have asked for another one by then: if not, he is gone, or
	// the API server is, and the agent lets traffic back by itself. 0: for ever.
	// +kubebuilder:validation:Minimum=0
	// +optional
	DeadlineSeconds int32 `json:"deadlineSeconds,omitempty"`
	// Checks that have to be made.
	// +kubebuilder:validation:MaxItems=7
	// +listType=set
	// +optional
	Checks []SwitchCheck `json:"checks,omitempty"`
	// Stage of the checks.
	// +optional
	Stage CheckStage `json:"stage,omitempty"`
}

// SwitchCheckResult is what came of a check.
type SwitchCheckResult struct {
	// Name of the check: a SwitchCheck, or the name of one of spec.checks of the
	// NOSRelease.
	// +kubebuilder:validation:MaxLength=32
	Name string `json:"name"`
	// Before is the value before anything was changed.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Before string `json:"before,omitempty"`
	// After is the value now; empty as long as the stage is Before.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	After string `json:"after,omitempty"`
	// OK says, in the stage Before, that the switch may be touched; in the stage
	// After, that what held before holds.
	OK bool `json:"ok"`
	// Message says what is missing.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Message string `json:"message,omitempty"`
}

// MaintenanceStatus is the agent's answer to SwitchMaintenance.
type MaintenanceStatus struct {
	// ObservedStep is the Step that the rest speaks of.
	// +kubebuilder:validation:MaxLength=160
	ObservedStep string `json:"observedStep"`
	// PulledImages are those of Images that are on the switch, by digest.
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=512
	// +listType=set
	// +optional
	PulledImages []string `json:"pulledImages,omitempty"`
	// PullError is why one of them is not there yet.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	PullError string `json:"pullError,omitempty"`
	// Drained is true from when no traffic is left until it is let back.
	// +optional
	Drained bool `json:"drained,omitempty"`
	// DrainReason says why Drained is not what was asked for: hosts that would be
	// cut off, by name, or what traffic is left.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	DrainReason string `json:"drainReason,omitempty"`
	// Checks of this step that were made at least once.
	// +kubebuilder:validation:MaxItems=7
	// +listType=map
	// +listMapKey=name
	// +optional
	Checks []SwitchCheckResult `json:"checks,omitempty"`
}
