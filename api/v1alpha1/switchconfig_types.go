package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Conditions of a SwitchConfig, written by the agent. Ready is True when all are.
const (
	// ConfigRendered says whether the spec could be turned into CONFIG_DB
	// rows. Reasons: Rendered; InvalidSpec (the last good revision stays in
	// force); Problems (some owners' parts could not be, see status.problems).
	ConfigRendered = "Rendered"
	// ConfigProgrammed says whether the spec is in force: its rows are in
	// CONFIG_DB and SONiC's daemons have taken them. Reasons: Converged;
	// ConvergedPartly (but for status.problems); Converging; DaemonsSilent (no
	// daemon answers); RolledBack; SchemaViolation; Progressing (it has not been
	// compiled yet, or was deleted: the message says which); Paused; WriteFailed;
	// NotConnected; InvalidSpec.
	ConfigProgrammed = "Programmed"
	// ConfigConfirmed says whether what worked before the last change still
	// works: it is Unknown, with reason OnTrial, until that is known, and False,
	// with reason RolledBack, when the switch has taken the change back.
	ConfigConfirmed = "Confirmed"
	// ConfigRouted says whether FRR has what the spec says of BGP and of the VRFs.
	// Reasons: Routed; NotWanted (there is no spec.bgp); Progressing; Paused;
	// FRRUnreachable (it is tried again); Refused, Conflict (what FRR did not take
	// for the switch as a whole, or what somebody else's statement keeps out);
	// InvalidSpec; WriteFailed (what FRR needs for its next start could not be
	// kept).
	ConfigRouted = "Routed"
)

// Reasons of a condition that is about to become a better one.
const (
	// ReasonConverging: SONiC's daemons still have to take rows, as after every change.
	ReasonConverging = "Converging"
	// ReasonProgressing: the agent is at it.
	ReasonProgressing = "Progressing"
)

// SwitchConfigSpec is everything that one switch has to be, said without a word
// of SONiC. Written by the controller and by nobody else.
type SwitchConfigSpec struct {
	// Revision is a hash of the rest of the spec: two equal specs have equal
	// revisions, on any switch and at any time.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Revision string `json:"revision,omitempty"`
	// VTEP is the address of the switch's tunnel endpoint; empty for a switch
	// that has none.
	// +kubebuilder:validation:MaxLength=39
	// +optional
	VTEP string `json:"vtep,omitempty"`
	// AnycastMAC is the MAC address of every gateway.
	// +kubebuilder:validation:MaxLength=17
	// +optional
	AnycastMAC string `json:"anycastMAC,omitempty"`
	// BGP of the underlay; with it the VRFs get L3 VNIs and routes of EVPN.
	// Without it the agent says nothing to FRR.
	// +optional
	BGP *BGPConfig `json:"bgp,omitempty"`
	// Uplinks are the ports that the agent makes routed, with a link-local IPv6
	// address, in natural order of their names. Who speaks BGP there is in bgp.
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=15
	// +kubebuilder:validation:items:Pattern=`^Ethernet[0-9]+$`
	// +listType=set
	// +optional
	Uplinks []string `json:"uplinks,omitempty"`
	// VRFs, in rising order of their VNIs.
	// +listType=atomic
	// +optional
	VRFs []VRFConfig `json:"vrfs,omitempty"`
	// Segments, in rising order of their VLAN ids.
	// +listType=atomic
	// +optional
	Segments []SegmentConfig `json:"segments,omitempty"`
	// Maintenance is what a release asks of the agent; no part of revision.
	// +optional
	Maintenance *SwitchMaintenance `json:"maintenance,omitempty"`
}

// VRFConfig is a routing instance: one VPC on one switch.
type VRFConfig struct {
	// VNI is the L3 VNI, which also names the VRF.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=16777215
	VNI int32 `json:"vni"`
	// VLAN is the id, on this switch, of the VLAN that stands for the L3 VNI.
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=4094
	VLAN int32 `json:"vlan"`
	// Owner is the VPC.
	Owner ObjectReference `json:"owner"`
	// Imports are the routes that the VRF takes over from other ones, in rising order
	// of their VNIs. Nothing is taken over in the other direction unless that VRF says
	// so, and what was taken over is passed on to nobody.
	// +listType=atomic
	// +optional
	Imports []VRFImport `json:"imports,omitempty"`
}

// VRFImport is what a VRF takes over from another one.
type VRFImport struct {
	// VRF is the L3 VNI of the other one; one of vrfs.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=16777215
	VRF int32 `json:"vrf"`
	// Prefixes are the networks whose routes are taken over, with those to single
	// addresses in them.
	// +listType=atomic
	Prefixes []string `json:"prefixes"`
	// Owner is the VPCPeering of the VPC that takes them over.
	Owner ObjectReference `json:"owner"`
}

// SegmentConfig is a broadcast domain: one subnet on one switch.
type SegmentConfig struct {
	// VLAN is the subnet's VLAN id on this switch.
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=4094
	VLAN int32 `json:"vlan"`
	// VNI is the L2 VNI.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=16777215
	VNI int32 `json:"vni"`
	// VRF is the L3 VNI of the VRF that routes for this segment; one of vrfs.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=16777215
	VRF int32 `json:"vrf"`
	// Gateways are the gateway's addresses with prefix length: 10.1.0.1/24. Without
	// one the segment is isolated: nothing routes into it or out of it.
	// +kubebuilder:validation:MaxItems=2
	// +listType=atomic
	// +optional
	Gateways []string `json:"gateways,omitempty"`
	// Ports that carry the segment, in natural order of their names.
	// +listType=atomic
	// +optional
	Ports []SegmentPort `json:"ports,omitempty"`
	// Owner is the VPC.
	Owner ObjectReference `json:"owner"`
	// Subnet of the VPC.
	Subnet string `json:"subnet"`
}

// SegmentPort is a port that carries a segment.
type SegmentPort struct {
	// Name of the port or port channel in SONiC.
	// +kubebuilder:validation:MaxLength=15
	Name string `json:"name"`
	// Mode says whether frames are tagged on the wire.
	Mode AttachmentMode `json:"mode"`
	// Owner is the VPCAttachment.
	Owner ObjectReference `json:"owner"`
}

// ApplyTimes says how long the stages of the last change took, in microseconds.
type ApplyTimes struct {
	// Render: from the spec to wanted rows.
	Render int64 `json:"renderMicroseconds"`
	// Read: from Redis to the rows that are there.
	Read int64 `json:"readMicroseconds"`
	// Diff: from both to ordered steps.
	Diff int64 `json:"diffMicroseconds"`
	// Write: until Redis had answered the last command.
	Write int64 `json:"writeMicroseconds"`
	// Wait: how long SONiC's daemons were waited for in between.
	// +optional
	Wait int64 `json:"waitMicroseconds,omitempty"`
	// Commands that were sent to change Redis.
	Commands int32 `json:"commands"`
}

// Drift is one field, or a whole row, of the agent's in CONFIG_DB, or a statement
// of its in FRR, that somebody else changed.
type Drift struct {
	// Table of CONFIG_DB, or "frr".
	// +kubebuilder:validation:MaxLength=64
	Table string `json:"table"`
	// Key of the row in it, or the context of the statement, such as "router bgp
	// 65001".
	// +kubebuilder:validation:MaxLength=256
	Key string `json:"key"`
	// Field that was changed, empty if the row was deleted; or the statement.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Field string `json:"field,omitempty"`
	// Have is the value that was found; empty if there was none.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Have string `json:"have,omitempty"`
	// Want is the value that the agent wrote.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Want string `json:"want,omitempty"`
	// Since is when it was seen first.
	Since metav1.Time `json:"since"`
	// RevertedAt is when it was as wanted again, if it is.
	// +optional
	RevertedAt *metav1.Time `json:"revertedAt,omitempty"`
}

// SwitchConfigStatus is written by the agent on the switch.
type SwitchConfigStatus struct {
	// ObservedGeneration is the generation of the spec that this status
	// speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// AppliedGeneration is the newest generation that is in force: its rows are in
	// CONFIG_DB and SONiC's daemons have taken them, apart from status.problems.
	// +optional
	AppliedGeneration int64 `json:"appliedGeneration,omitempty"`
	// AppliedRevision is the revision of that generation.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	AppliedRevision string `json:"appliedRevision,omitempty"`
	// ConfirmedGeneration is the newest generation that stood its trial: what
	// the switch keeps on its disk, and goes back to if a newer one breaks
	// something.
	// +optional
	ConfirmedGeneration int64 `json:"confirmedGeneration,omitempty"`
	// BadRevision is the revision of the spec if the switch has tried it and
	// taken it back, because it broke what worked before. It is not tried again.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	BadRevision string `json:"badRevision,omitempty"`
	// VNIs of the agent's own rows in CONFIG_DB, in rising order. A VNI that
	// was taken back is confirmed by not being here.
	// +listType=atomic
	// +optional
	VNIs []int32 `json:"vnis,omitempty"`
	// VTEPs are the addresses of the agent's own VXLAN_TUNNEL rows.
	// +listType=atomic
	// +optional
	VTEPs []string `json:"vteps,omitempty"`
	// LastChange says how long the last change took.
	// +optional
	LastChange *ApplyTimes `json:"lastChange,omitempty"`
	// Problems are the parts of the spec that are not in force, at most 64 of
	// them, by owner.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	Problems []Problem `json:"problems,omitempty"`
	// Drift is what others changed of what the agent wrote, at most 64 of them:
	// what still is as they left it, and what was put back within the last hour.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	Drift []Drift `json:"drift,omitempty"`
	// Maintenance is the answer to spec.maintenance.
	// +optional
	Maintenance *MaintenanceStatus `json:"maintenance,omitempty"`
	// Conditions: Rendered, Programmed, Confirmed, Routed, Ready.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// SwitchConfig is the finished configuration of one switch, compiled by the
// controller and put into force by the agent. Its name is that of the Switch.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,path=switchconfigs,shortName=swc,categories=switchlet
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Revision",type=string,JSONPath=`.spec.revision`
// +kubebuilder:printcolumn:name="Applied",type=string,JSONPath=`.status.appliedRevision`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type SwitchConfig struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec SwitchConfigSpec `json:"spec,omitempty"`
	// +optional
	Status SwitchConfigStatus `json:"status,omitempty"`
}

// SwitchConfigList is a list of SwitchConfigs.
//
// +kubebuilder:object:root=true
type SwitchConfigList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SwitchConfig `json:"items"`
}
