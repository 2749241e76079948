package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Conditions of a VPCAttachment. Ready is True when all are.
const (
	// AttachmentAccepted says whether the attachment can be made as it is
	// written. Reasons: Accepted; VPCNotFound; VPCNotAccepted; SubnetNotFound;
	// SwitchNotFound; SwitchNotLeaf; SwitchUnknown (its agent has not reported
	// yet); PortNotFound; PortInPortChannel; PortRouted; PortConflict (an
	// older attachment or a row made by hand holds the port in a way that
	// excludes this one); LimitExceeded; VLANExhausted; VTEPExhausted.
	AttachmentAccepted = "Accepted"
	// AttachmentProgrammed says whether the switch has the attachment in its
	// CONFIG_DB. Reasons: Programmed; Progressing; NotAccepted; or the reason
	// of a Problem that the agent reported.
	AttachmentProgrammed = "Programmed"
)

// AttachmentMode says how frames of the subnet look on the wire (IEEE 802.1Q).
// +kubebuilder:validation:Enum=Tagged;Native
type AttachmentMode string

// The modes of an attachment.
const (
	// ModeTagged: frames carry the VLAN tag that status.vlan tells.
	ModeTagged AttachmentMode = "Tagged"
	// ModeNative: frames are untagged. A port has one native subnet.
	ModeNative AttachmentMode = "Native"
)

// VPCAttachmentSpec joins a place in the fabric to a subnet.
type VPCAttachmentSpec struct {
	// VPC is the name of the VPC, in the namespace of the attachment.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	VPC string `json:"vpc"`
	// Subnet is the name of the VPC's subnet.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Subnet string `json:"subnet"`
	// Port is the switch port, for those who may name one: it needs the verb
	// "attach" on the switch.
	Port PortReference `json:"port"`
	// Mode says whether frames are tagged on the wire.
	// +kubebuilder:default=Tagged
	// +optional
	Mode AttachmentMode `json:"mode,omitempty"`
}

// PortReference names a port of a switch.
type PortReference struct {
	// Switch is the name of the Switch.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Switch string `json:"switch"`
	// Name of the port or port channel in SONiC: Ethernet8, PortChannel0001.
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:Pattern=`^(Ethernet|PortChannel)[0-9]+$`
	Name string `json:"name"`
}

// VPCAttachmentStatus is written by the controller.
type VPCAttachmentStatus struct {
	// VLAN is the VLAN id of the subnet on this port's switch; what a tagged
	// host has to use. It means nothing elsewhere.
	// +optional
	VLAN int32 `json:"vlan,omitempty"`
	// Conditions: Accepted, Programmed, Ready.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// VPCAttachment joins a switch port to a subnet of a VPC.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,path=vpcattachments,shortName=vatt,categories=switchlet
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="VPC",type=string,JSONPath=`.spec.vpc`
// +kubebuilder:printcolumn:name="Subnet",type=string,JSONPath=`.spec.subnet`
// +kubebuilder:printcolumn:name="Switch",type=string,JSONPath=`.spec.port.switch`
// +kubebuilder:printcolumn:name="Port",type=string,JSONPath=`.spec.port.name`
// +kubebuilder:printcolumn:name="Mode",type=string,JSONPath=`.spec.mode`
// +kubebuilder:printcolumn:name="VLAN",type=integer,JSONPath=`.status.vlan`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type VPCAttachment struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec VPCAttachmentSpec `json:"spec"`
	// +optional
	Status VPCAttachmentStatus `json:"status,omitempty"`
}

// VPCAttachmentList is a list of VPCAttachments.
//
// +kubebuilder:object:root=true
type VPCAttachmentList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []VPCAttachment `json:"items"`
}
