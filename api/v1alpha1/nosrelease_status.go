package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ReleasePhase says where a release is.
type ReleasePhase string

// The phases of a release.
const (
	// ReleaseRejected: it cannot be made as it is written, see Accepted.
	ReleaseRejected ReleasePhase = "Rejected"
	// ReleaseProgressing: a switch is being worked on.
	ReleaseProgressing ReleasePhase = "Progressing"
	// ReleaseWaiting: no switch can be worked on now; the message says why.
	ReleaseWaiting ReleasePhase = "Waiting"
	// ReleaseAwaitingApproval: somebody has to approve the next group.
	ReleaseAwaitingApproval ReleasePhase = "AwaitingApproval"
	// ReleasePaused: spec.paused is true.
	ReleasePaused ReleasePhase = "Paused"
	// ReleaseStopped: something went wrong, see status.stop.
	ReleaseStopped ReleasePhase = "Stopped"
	// ReleaseComplete: every selected switch runs it.
	ReleaseComplete ReleasePhase = "Complete"
)

// SwitchPhase says where a switch is in a release. A phase is written before
// anything is done in it.
type SwitchPhase string

// The phases of a switch, in their order.
const (
	// SwitchWaiting: it has to be worked on and is not yet; the reason says why.
	SwitchWaiting SwitchPhase = "Waiting"
	// SwitchPulling: the agent fetches the images.
	SwitchPulling SwitchPhase = "Pulling"
	// SwitchPrechecking: what holds before is found out.
	SwitchPrechecking SwitchPhase = "Prechecking"
	// SwitchDraining: traffic goes elsewhere.
	SwitchDraining SwitchPhase = "Draining"
	// SwitchReplacing: the old pods go, and then the new ones come.
	SwitchReplacing SwitchPhase = "Replacing"
	// SwitchVerifying: what held before has to hold again.
	SwitchVerifying SwitchPhase = "Verifying"
	// SwitchUndraining: traffic comes back.
	SwitchUndraining SwitchPhase = "Undraining"
	// SwitchSoaking: it has to stay well for strategy.soakSeconds.
	SwitchSoaking SwitchPhase = "Soaking"
	// SwitchCurrent: it runs the release.
	SwitchCurrent SwitchPhase = "Current"
	// SwitchReleasing: nothing was touched; traffic comes back.
	SwitchReleasing SwitchPhase = "Releasing"
	// SwitchRollingBack: the pods that it had come back.
	SwitchRollingBack SwitchPhase = "RollingBack"
	// SwitchRestoring: the pods that it had run again; traffic comes back.
	SwitchRestoring SwitchPhase = "Restoring"
	// SwitchRolledBack: it runs what it had before the release was tried.
	SwitchRolledBack SwitchPhase = "RolledBack"
)

// ReleaseStop says why a release went no further.
type ReleaseStop struct {
	// Revision that was being rolled out.
	Revision string `json:"revision"`
	// Switch at which it stopped.
	Switch string `json:"switch"`
	// Reason: PullFailed, PrecheckFailed, DrainFailed, AgentSilent, CrashLoop,
	// NotStarted, PostcheckFailed, UndrainFailed. But for the first four the
	// switch gets back what it had; with these it was not touched.
	Reason string `json:"reason"`
	// Message says what happened and what to do.
	Message string `json:"message"`
	// At is when.
	At metav1.Time `json:"at"`
	// Retry is what the annotation AnnotationRetry has to be to try again.
	Retry string `json:"retry"`
}

// ReleaseServiceChange is one service of a switch that is being worked on.
type ReleaseServiceChange struct {
	// Name of the service.
	Name string `json:"name"`
	// From is the hash of the pod template that it had and goes back to if need
	// be; empty if it had none.
	// +optional
	From string `json:"from,omitempty"`
	// To is the hash of the pod template that it gets.
	To string `json:"to"`
	// Message says what its pod is waiting for.
	// +optional
	Message string `json:"message,omitempty"`
}

// ReleaseSwitchStatus is one switch of a release.
type ReleaseSwitchStatus struct {
	// Name of the Switch.
	Name string `json:"name"`
	// Group of which one switch is worked on at a time: group/NAME, switch/NAME or
	// role/ROLE.
	Group string `json:"group"`
	// Phase of the switch.
	Phase SwitchPhase `json:"phase"`
	// Reason, for programs, why it is not further.
	// +optional
	Reason string `json:"reason,omitempty"`
	// Message says what is waited for.
	// +optional
	Message string `json:"message,omitempty"`
	// Attempt counts how often the switch was begun on.
	// +optional
	Attempt int32 `json:"attempt,omitempty"`
	// Pass names the attempt; the steps that its agent is asked for begin with it.
	// +optional
	Pass string `json:"pass,omitempty"`
	// Since is when the phase began.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`
	// UnwellSince is when a check failed in this phase, if it still does.
	// +optional
	UnwellSince *metav1.Time `json:"unwellSince,omitempty"`
	// Drain is true from when the switch was asked to drain until it has said that
	// it carries traffic again.
	// +optional
	Drain bool `json:"drain,omitempty"`
	// Services that change, while they do and while the release is stopped here.
	// +listType=atomic
	// +optional
	Services []ReleaseServiceChange `json:"services,omitempty"`
	// Checks while the switch is worked on, and when the release stopped here.
	// +listType=atomic
	// +optional
	Checks []SwitchCheckResult `json:"checks,omitempty"`
}

// NOSReleaseStatus is written by the controller.
type NOSReleaseStatus struct {
	// ObservedGeneration is the generation of the spec that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Revision is the name of the ControllerRevision that is being rolled out.
	// +optional
	Revision string `json:"revision,omitempty"`
	// RolledOutRevision is the last one that every selected switch has run.
	// +optional
	RolledOutRevision string `json:"rolledOutRevision,omitempty"`
	// Phase of the release.
	// +optional
	Phase ReleasePhase `json:"phase,omitempty"`
	// Message says what it does or waits for.
	// +optional
	Message string `json:"message,omitempty"`
	// Desired is how many switches are selected.
	// +optional
	Desired int32 `json:"desired"`
	// Updated is how many of them run the revision.
	// +optional
	Updated int32 `json:"updated"`
	// Ready is how many of these are well.
	// +optional
	Ready int32 `json:"ready"`
	// Progress is updated and desired as people read it: "3/8".
	// +optional
	Progress string `json:"progress,omitempty"`
	// Groups that this revision was begun on, in that order.
	// +listType=atomic
	// +optional
	Groups []string `json:"groups,omitempty"`
	// Approval is what AnnotationApproved has to be for the next group; empty if
	// nothing waits for it.
	// +optional
	Approval string `json:"approval,omitempty"`
	// Stops counts how often the release has stopped.
	// +optional
	Stops int32 `json:"stops,omitempty"`
	// Stop says why the release went no further.
	// +optional
	Stop *ReleaseStop `json:"stop,omitempty"`
	// Switches of the release, in order of their names.
	// +listType=atomic
	// +optional
	Switches []ReleaseSwitchStatus `json:"switches,omitempty"`
	// Conditions: Accepted, RolledOut, Ready.
	// +listType=atomic
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// NOSRelease is a set of the switches' services, each with its image, that is
// brought to the switches one by one.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,path=nosreleases,shortName=nosrel,categories=switchlet
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Switches",type=string,JSONPath=`.status.progress`
// +kubebuilder:printcolumn:name="Well",type=integer,JSONPath=`.status.ready`
// +kubebuilder:printcolumn:name="Revision",type=string,JSONPath=`.status.revision`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.message`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 40 && !self.metadata.name.contains('.')",message="the name must have at most 40 characters and no dot: it becomes a part of other names"
type NOSRelease struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec NOSReleaseSpec `json:"spec"`
	// +optional
	Status NOSReleaseStatus `json:"status,omitempty"`
}

// NOSReleaseList is a list of NOSReleases.
//
// +kubebuilder:object:root=true
type NOSReleaseList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []NOSRelease `json:"items"`
}
