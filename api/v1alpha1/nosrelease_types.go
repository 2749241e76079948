package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Labels and annotations of releases.
const (
	// LabelRelease is on everything that the controller makes of a NOSRelease: its name.
	LabelRelease = Group + "/release"
	// LabelHistory is on the ControllerRevisions of a NOSRelease: its name. Those
	// that Kubernetes makes of DaemonSets have LabelRelease only.
	LabelHistory = Group + "/history"
	// LabelService is on DaemonSets and their pods: the name of the service.
	LabelService = Group + "/service"
	// LabelServiceHash is on DaemonSets and their pods: which version of the
	// service's pod template it is.
	LabelServiceHash = Group + "/service-hash"
	// LabelAdmitted, with the name of a service added, is set on the Node of a
	// switch by the controller alone: its value is the LabelServiceHash whose pod
	// may run there. A kubelet cannot set a label below this domain, neither for
	// its own Node nor when it joins (admission plugin NodeRestriction), so that a
	// switch that joins gets nothing before it is admitted.
	LabelAdmitted = Group + ".node-restriction.kubernetes.io/"
	// ServiceAgent is the service that is the agent of the switch itself.
	ServiceAgent = "agent"
	// HashDeployed is the LabelServiceHash of the agent that a switch has without a
	// release: that of the DaemonSet switchlet-agent. A Node has no label
	// LabelAdmitted for it, so that a switch that joins gets it.
	HashDeployed = "deployed"
	// AdmittedNone is the value of a LabelAdmitted for which no pod may run.
	AdmittedNone = "none"
	// AnnotationApproved says how far a release is approved: the revision, "=",
	// and how many groups, or "all". What is waited for is in status.approval.
	AnnotationApproved = Group + "/approved"
	// AnnotationRetry has a release that stopped go on: the value of
	// status.stop.retry.
	AnnotationRetry = Group + "/retry"
)

// Conditions of a NOSRelease. Ready is True when both are.
const (
	// ReleaseAccepted says whether the release can be made as it is written.
	// Reasons: Accepted; InvalidOverrides (what is wrong with a service's
	// template); InvalidSelector; InvalidCheck.
	ReleaseAccepted = "Accepted"
	// ReleaseRolledOut says whether every selected switch runs it. Reasons: the
	// phases of the release.
	ReleaseRolledOut = "RolledOut"
)

// ReleaseService is one service of the switches: a container with host network.
// +kubebuilder:validation:XValidation:rule="!(self.name in ['database', 'swss', 'syncd', 'teamd']) || has(self.allowDataPlane) && self.allowDataPlane",message="database, swss, syncd and teamd carry the data plane: replacing one of them interrupts every port of the switch. Set allowDataPlane to true if that is what is wanted"
type ReleaseService struct {
	// Name of the service, as SONiC's FEATURE table has it but with dashes: bgp,
	// lldp, snmp, telemetry, dhcp-relay, … The service agent is Switchlet's own: its
	// pod template is that of the DaemonSet switchlet-agent, and it is replaced
	// before the others are, and apart from them.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// Image by digest, such as registry.example.com/docker-fpm-frr@sha256:…, so
	// that what was tried on one switch is what the next one gets.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^[^@\s]+@sha256:[0-9a-f]{64}$`
	Image string `json:"image"`
	// Overrides is a strategic merge patch of the service's pod template. The
	// container has the name of the service.
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Type=object
	// +optional
	Overrides *runtime.RawExtension `json:"overrides,omitempty"`
	// Disruptive says whether replacing the service disturbs traffic, so that the
	// switch has to be drained. Unset: true for bgp and for services that are
	// not known, false for lldp, snmp, telemetry and others that forward nothing.
	// +optional
	Disruptive *bool `json:"disruptive,omitempty"`
	// AllowDataPlane lets the release replace a service of the data plane.
	// +optional
	AllowDataPlane bool `json:"allowDataPlane,omitempty"`
}

// ReleaseSwitches says which switches a release is for: those that meet all that
// is said; every switch if nothing is.
type ReleaseSwitches struct {
	// Roles of the switches.
	// +kubebuilder:validation:MaxItems=3
	// +listType=set
	// +optional
	Roles []SwitchRole `json:"roles,omitempty"`
	// Selector of labels of the Switches.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// DrainMode says when a switch is drained.
// +kubebuilder:validation:Enum=Auto;Always;Never
type DrainMode string

// The drain modes.
const (
	// DrainAuto: when one of the services that change is disruptive.
	DrainAuto DrainMode = "Auto"
	// DrainAlways: for every change.
	DrainAlways DrainMode = "Always"
	// DrainNever: never, not even for bgp.
	DrainNever DrainMode = "Never"
)

// ReleaseDrain says how a switch is relieved of its traffic.
type ReleaseDrain struct {
	// Mode says when.
	// +kubebuilder:default=Auto
	// +optional
	Mode DrainMode `json:"mode,omitempty"`
	// TimeoutSeconds is how long the switch is given for it; then the release
	// stops, and the switch takes its traffic again.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	// +kubebuilder:default=300
	// +optional
	TimeoutSeconds int32 `json:"timeoutSeconds,omitempty"`
	// Force drains although hosts that are cabled to this switch only are cut off.
	// +optional
	Force bool `json:"force,omitempty"`
}

// RoleMinimum is how many switches of a role stay untouched and available.
type RoleMinimum struct {
	// Role that is spoken of.
	Role SwitchRole `json:"role"`
	// Switches that are left at least.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1024
	Switches int32 `json:"switches"`
}

// ApprovalMode says when a release waits for somebody's word.
// +kubebuilder:validation:Enum=None;First;Each
type ApprovalMode string

// The approval modes.
const (
	// ApprovalNone: never.
	ApprovalNone ApprovalMode = "None"
	// ApprovalFirst: after the first group, before all others.
	ApprovalFirst ApprovalMode = "First"
	// ApprovalEach: after each group, before the next one.
	ApprovalEach ApprovalMode = "Each"
)

// ReleaseStrategy says how a release goes from switch to switch.
type ReleaseStrategy struct {
	// Groups that are worked on at a time. A group is a redundancy group; a leaf
	// without one is alone in its own; spines without one are one group, and
	// borders are. Never is more than one switch of a group worked on.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=64
	// +kubebuilder:default=1
	// +optional
	Groups int32 `json:"groups,omitempty"`
	// MinAvailable keeps switches of a role in service; for spines 1 if it is not said.
	// +kubebuilder:validation:MaxItems=3
	// +listType=map
	// +listMapKey=role
	// +optional
	MinAvailable []RoleMinimum `json:"minAvailable,omitempty"`
	// Drain says how switches are relieved of traffic.
	// +kubebuilder:default={}
	// +optional
	Drain ReleaseDrain `json:"drain,omitempty"`
	// Checks that the switch's agent makes before and after: what held before has
	// to hold after. An empty list is none; nil is not written, and gives all.
	// +kubebuilder:default={BGPSessions,EVPNRoutes,InstalledRoutes,Uplinks,LLDPNeighbors,AgentConverged,ContainersHealthy}
	// +kubebuilder:validation:MaxItems=7
	// +listType=set
	// +optional
	Checks []SwitchCheck `json:"checks,omitzero"`
	// SoakSeconds is how long a switch has to be well before the next one is touched;
	// 0 for no time at all.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=604800
	// +kubebuilder:default=60
	// +optional
	SoakSeconds *int32 `json:"soakSeconds,omitempty"`
	// ProgressDeadlineSeconds is how long one step may take on one switch. Then
	// the release stops; a switch that was touched gets back what it had.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	// +kubebuilder:default=600
	// +optional
	ProgressDeadlineSeconds int32 `json:"progressDeadlineSeconds,omitempty"`
	// Approval says when the release waits for kubectl switchlet release approve.
	// +kubebuilder:default=None
	// +optional
	Approval ApprovalMode `json:"approval,omitempty"`
}

// CheckPlace says where the pod of a check runs.
// +kubebuilder:validation:Enum=Switch;Anywhere
type CheckPlace string

// Where the pods of checks run.
const (
	// CheckOnSwitch: on the switch that is checked, with host network.
	CheckOnSwitch CheckPlace = "Switch"
	// CheckAnywhere: where the scheduler puts it.
	CheckAnywhere CheckPlace = "Anywhere"
)

// PodCheck is a pod that has to succeed.
type PodCheck struct {
	// Template of the pod. The name of the switch is in the environment variable
	// SWITCH of each container, Before or After in STAGE.
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Type=object
	Template runtime.RawExtension `json:"template"`
	// RunOn says where.
	// +kubebuilder:default=Anywhere
	// +optional
	RunOn CheckPlace `json:"runOn,omitempty"`
}

// Comparison of a query's value with another one.
// +kubebuilder:validation:Enum="==";"!=";"<";"<=";">";">="
type Comparison string

// PrometheusCheck is a query whose value has to compare as said.
type PrometheusCheck struct {
	// URL of Prometheus, such as http://prometheus.monitoring.svc:9090.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^https?://[^\s?#]+$`
	URL string `json:"url"`
	// Query in PromQL. $switch stands for the name of the switch. It has to give
	// at least one value, and all have to compare.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Query string `json:"query"`
	// Is compares the query's value, on the left, with Value.
	Is Comparison `json:"is"`
	// Value in decimal.
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`
	Value string `json:"value"`
}

// CheckRequired says when a check of the user's has to hold.
// +kubebuilder:validation:Enum=Always;AsBefore
type CheckRequired string

// When checks have to hold.
const (
	// CheckAlways: before, or the switch is not touched, and after.
	CheckAlways CheckRequired = "Always"
	// CheckAsBefore: after, if it held before.
	CheckAsBefore CheckRequired = "AsBefore"
)

// ReleaseCheck is a check of the user's own, made for each switch before and after.
// +kubebuilder:validation:XValidation:rule="has(self.pod) != has(self.prometheus)",message="a check is either pod or prometheus"
type ReleaseCheck struct {
	// Name of the check.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// Required says when it has to hold.
	// +kubebuilder:default=Always
	// +optional
	Required CheckRequired `json:"required,omitempty"`
	// Pod that has to succeed.
	// +optional
	Pod *PodCheck `json:"pod,omitempty"`
	// Prometheus query that has to compare.
	// +optional
	Prometheus *PrometheusCheck `json:"prometheus,omitempty"`
}

// NOSReleaseSpec says which images of which services run on which switches.
type NOSReleaseSpec struct {
	// Switches that the release is for. Where two releases have the same service
	// for a switch, the older one has it.
	// +optional
	Switches ReleaseSwitches `json:"switches,omitempty"`
	// Services of the release. One that is taken out stays on the switches as it
	// is: delete its DaemonSets to end it.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=name
	Services []ReleaseService `json:"services"`
	// Strategy says how it goes from switch to switch.
	// +kubebuilder:default={}
	// +optional
	Strategy ReleaseStrategy `json:"strategy,omitempty"`
	// Checks of one's own, besides strategy.checks.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=name
	// +optional
	Checks []ReleaseCheck `json:"checks,omitempty"`
	// Paused keeps the release from touching another switch. A switch that is
	// being drained takes its traffic again; one whose services are being
	// replaced is finished.
	// +optional
	Paused bool `json:"paused,omitempty"`
	// RevisionHistoryLimit is how many old revisions are kept to go back to.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +kubebuilder:default=10
	// +optional
	RevisionHistoryLimit int32 `json:"revisionHistoryLimit,omitempty"`
}
