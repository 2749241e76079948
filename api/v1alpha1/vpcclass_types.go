package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// VPCClassDefault is the class of a VPC that names none.
const VPCClassDefault = "default"

// Isolation is the way in which the VPCs of a class are kept apart.
// +kubebuilder:validation:Enum=EVPN
type Isolation string

// IsolationEVPN gives each subnet an L2 VNI and each VPC a VRF with an L3 VNI,
// routed symmetrically on every leaf (RFC 9135).
const IsolationEVPN Isolation = "EVPN"

// VPCClassSpec is what the VPCs of a class have in common. Written by the
// network team.
type VPCClassSpec struct {
	// Isolation is the way in which VPCs of this class are kept apart.
	// +kubebuilder:default=EVPN
	// +optional
	Isolation Isolation `json:"isolation,omitempty"`
	// HostSelector says by the labels of Hosts on which of them VPCAttachments of
	// VPCs of this class may be. A host that an attachment selects and that this does
	// not is refused, and the attachment's other hosts are not. It holds for pods, too:
	// on a host that it does not select they get no network of these VPCs. Left out,
	// every host may be selected. It has no say in attachments that name a port, nor in
	// pods that use what one of these brings to the port of their host.
	// +optional
	HostSelector *metav1.LabelSelector `json:"hostSelector,omitempty"`
	// Limits bound each VPC of this class.
	// +optional
	Limits VPCLimits `json:"limits,omitempty"`
}

// VPCLimits bound one VPC. A limit that is not set is not applied.
type VPCLimits struct {
	// MaxSubnets is how many subnets a VPC may have.
	// +kubebuilder:validation:Minimum=1
	// +optional
	MaxSubnets *int32 `json:"maxSubnets,omitempty"`
	// MaxAttachments is how many VPCAttachments may name a VPC. The oldest
	// ones are in force, those beyond the limit wait.
	// +kubebuilder:validation:Minimum=0
	// +optional
	MaxAttachments *int32 `json:"maxAttachments,omitempty"`
	// MaxPeerings is how many VPCPeerings may name a VPC as theirs. The oldest ones
	// are in force, those beyond the limit wait.
	// +kubebuilder:validation:Minimum=0
	// +optional
	MaxPeerings *int32 `json:"maxPeerings,omitempty"`
}

// VPCClass says how VPCs are made, as a StorageClass does for volumes: tenants
// can only name one.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,path=vpcclasses,shortName=vpcc,categories=switchlet
// +kubebuilder:printcolumn:name="Isolation",type=string,JSONPath=`.spec.isolation`
// +kubebuilder:printcolumn:name="Max Subnets",type=integer,JSONPath=`.spec.limits.maxSubnets`
// +kubebuilder:printcolumn:name="Max Attachments",type=integer,JSONPath=`.spec.limits.maxAttachments`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type VPCClass struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:default={}
	// +optional
	Spec VPCClassSpec `json:"spec,omitempty"`
}

// VPCClassList is a list of VPCClasses.
//
// +kubebuilder:object:root=true
type VPCClassList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []VPCClass `json:"items"`
}
