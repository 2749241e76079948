package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Conditions of a VPCPeering. Ready is True when all are.
const (
	// PeeringAccepted says whether both sides want the peering and whether it can be
	// made. Reasons: Accepted; WaitingForPeer (nobody has made the other side yet);
	// VPCNotFound; OwnPeer (a VPC cannot be its own peer); Duplicate (an older
	// VPCPeering speaks for the same two VPCs); NoSuchSubnet; Isolated (a subnet that
	// spec.subnets names is isolated); NoSubnets (there is nothing to reach);
	// LimitExceeded; OverlappingCIDR; VPCNotAccepted and PeerNotAccepted (what is in
	// force stays). Peer and one of these, such as PeerNoSuchSubnet, is what the other
	// side has to mend.
	PeeringAccepted = "Accepted"
	// PeeringProgrammed says whether the switches that either VPC is on have the
	// peering in force. Reasons: Programmed; NoAttachments (no switch needs it, which
	// counts as True); NotAccepted; Progressing; Problems (the message lists them).
	PeeringProgrammed = "Programmed"
)

// VPCPeeringSpec is the consent of one VPC to exchange packets with another one.
// +kubebuilder:validation:XValidation:rule="self.vpc == oldSelf.vpc && self.peer == oldSelf.peer",message="spec.vpc and spec.peer of a VPCPeering cannot be changed: make a new VPCPeering"
type VPCPeeringSpec struct {
	// VPC is the name of the VPC that consents, in the namespace of the peering.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	VPC string `json:"vpc"`
	// Peer is the other VPC. The peering is in force once a VPCPeering in its
	// namespace names this VPC, too.
	Peer VPCReference `json:"peer"`
	// Subnets of the own VPC that the peer reaches. Default: all that are not
	// isolated.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	// +listType=set
	// +optional
	Subnets []string `json:"subnets,omitempty"`
}

// VPCReference names a VPC.
type VPCReference struct {
	// Namespace of the VPC.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Namespace string `json:"namespace"`
	// Name of the VPC.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// VPCPeeringStatus is written by the controller.
type VPCPeeringStatus struct {
	// Switches says on how many of the switches that need the peering it is in
	// force, such as "2/2".
	// +optional
	Switches string `json:"switches,omitempty"`
	// Shown are the networks of the own VPC that the peer reaches, and PeerShown
	// those of the peer that the own VPC reaches, the first 128 of them. Empty while
	// the peering is not accepted.
	// +kubebuilder:validation:MaxItems=128
	// +listType=atomic
	// +optional
	Shown []string `json:"shown,omitempty"`
	// +kubebuilder:validation:MaxItems=128
	// +listType=atomic
	// +optional
	PeerShown []string `json:"peerShown,omitempty"`
	// Conditions: Accepted, Programmed, Ready.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// VPCPeering lets two VPCs exchange packets. It takes one of each side; when either
// is deleted no packet gets from one VPC to the other any more. Peering is not
// transitive: of three VPCs each pair needs its own.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,path=vpcpeerings,shortName=vpeer,categories=switchlet
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="VPC",type=string,JSONPath=`.spec.vpc`
// +kubebuilder:printcolumn:name="Peer Namespace",type=string,JSONPath=`.spec.peer.namespace`
// +kubebuilder:printcolumn:name="Peer",type=string,JSONPath=`.spec.peer.name`
// +kubebuilder:printcolumn:name="Switches",type=string,JSONPath=`.status.switches`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type VPCPeering struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec VPCPeeringSpec `json:"spec"`
	// +optional
	Status VPCPeeringStatus `json:"status,omitempty"`
}

// VPCPeeringList is a list of VPCPeerings.
//
// +kubebuilder:object:root=true
type VPCPeeringList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []VPCPeering `json:"items"`
}
