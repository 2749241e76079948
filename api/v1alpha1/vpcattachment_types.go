package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Conditions of a VPCAttachment. Ready is True when all are.
const (
	// AttachmentAccepted says whether the attachment can be made as it is
	// written. Reasons: Accepted; VPCNotFound; VPCNotAccepted; SubnetNotFound;
	// SwitchNotFound; SwitchNotLeaf; SwitchUnknown (its agent has not reported
	// yet); PortNotFound; PortInPortChannel; PortRouted; PortConflict (an
	// older attachment or a row made by hand holds the port in a way that
	// excludes this one); PortUplink (it goes to another switch); LimitExceeded;
	// VLANExhausted; VLANInUse (a host may still send frames of another subnet
	// there); VTEPExhausted; InvalidSelector; RolledBack (a switch took
	// the change back). With status True: NoHosts, NotCabled (it waits).
	AttachmentAccepted = "Accepted"
	// AttachmentProgrammed says whether the switch has the attachment in its
	// CONFIG_DB. Reasons: Programmed; NoPlaces; Progressing; NotAccepted; or the reason
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

// VPCAttachmentSpec joins places in the fabric to a subnet.
// +kubebuilder:validation:XValidation:rule="has(self.port) != has(self.hosts)",message="an attachment names either hosts or a port"
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
	// +optional
	Port PortReference `json:"port,omitzero"`
	// Hosts that are attached, wherever they are cabled to.
	// +optional
	Hosts *HostSelection `json:"hosts,omitempty"`
	// Mode says whether frames are tagged on the wire.
	// +kubebuilder:default=Tagged
	// +optional
	Mode AttachmentMode `json:"mode,omitempty"`
}

// HostSelection is a number of hosts, now and in future. A host that moves takes
// the subnet with it.
// +kubebuilder:validation:XValidation:rule="(has(self.all) && self.all) != (has(self.selector) && (has(self.selector.matchLabels) && self.selector.matchLabels.size() > 0 || has(self.selector.matchExpressions) && self.selector.matchExpressions.size() > 0))",message="either select hosts by a label or an expression, or say 'all: true'"
type HostSelection struct {
	// Selector of the labels of Hosts.
	// +optional
	Selector metav1.LabelSelector `json:"selector,omitzero"`
	// All hosts are meant. It has to be said: an empty selector is a mistake.
	// +optional
	All bool `json:"all,omitempty"`
	// NICs that are meant, by their names; of those in one bond, any. Default:
	// every NIC that is cabled to a switch.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Pattern=`^[A-Za-z0-9_.-]+$`
	// +listType=set
	// +optional
	NICs []string `json:"nics,omitempty"`
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
	// Places where the subnet is, by host and NIC, the first 256 of them.
	// +kubebuilder:validation:MaxItems=256
	// +listType=atomic
	// +optional
	Places []AttachmentPlace `json:"places,omitempty"`
	// PlacesTotal is how many places there are.
	// +optional
	PlacesTotal int32 `json:"placesTotal,omitempty"`
	// Conditions: Accepted, Programmed, Ready.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// AttachmentPlace is a NIC of a host and the switch port that it is cabled to.
type AttachmentPlace struct {
	// Host by its name.
	// +kubebuilder:validation:MaxLength=253
	Host string `json:"host"`
	// NIC of the host.
	// +kubebuilder:validation:MaxLength=63
	NIC string `json:"nic"`
	// Switch by its name.
	// +kubebuilder:validation:MaxLength=253
	Switch string `json:"switch"`
	// Port or port channel of the switch.
	// +kubebuilder:validation:MaxLength=15
	Port string `json:"port"`
	// VLAN is the VLAN id of the subnet there.
	// +optional
	VLAN int32 `json:"vlan,omitempty"`
}

// VPCAttachment joins hosts or a switch port to a subnet of a VPC.
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
// +kubebuilder:printcolumn:name="Places",type=integer,JSONPath=`.status.placesTotal`
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
