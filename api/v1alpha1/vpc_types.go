package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Conditions of a VPC. Ready is True when all are.
const (
	// VPCAccepted says whether the VPC can be built as it is written. Reasons:
	// Accepted; ClassNotFound; FabricNotFound; LimitExceeded; SubnetOverlap;
	// InvalidSubnet; VNIExhausted; Allocating (identifiers are on their way).
	VPCAccepted = "Accepted"
	// VPCProgrammed says whether every switch that the VPC's attachments are
	// on has the VPC in force. Reasons: Programmed; NoAttachments
	// (there is nothing to program, which counts as True); Progressing;
	// Problems (the message lists them); NotCabled (pods wait on a host of which no
	// switch port is known).
	VPCProgrammed = "Programmed"
)

// VPCSpec is what a tenant wants: subnets, and no word about VLANs, VNIs or
// ports.
type VPCSpec struct {
	// Class is the name of the VPCClass. It cannot be changed.
	// +kubebuilder:default=default
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="a VPC's class cannot be changed: make a new VPC"
	// +optional
	Class string `json:"class,omitempty"`
	// Subnets of the VPC. Hosts in different subnets of one VPC reach each
	// other through the gateway, unless one of the subnets is isolated; hosts in
	// different VPCs do if both sides have made a VPCPeering.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=name
	Subnets []Subnet `json:"subnets"`
	// AttachFrom are further namespaces whose pods may be attached to the VPC, by
	// NetworkAttachmentDefinitions there or here. Pods in the VPC's own namespace
	// always may.
	// +kubebuilder:validation:MaxItems=63
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +listType=set
	// +optional
	AttachFrom []string `json:"attachFrom,omitempty"`
}

// Subnet is one broadcast domain of a VPC and its addresses.
// +kubebuilder:validation:XValidation:rule="!has(self.gateways) || self.gateways.all(g, isIP(g) && self.cidrs.exists(c, isCIDR(c) && cidr(c).containsIP(g))) && self.cidrs.all(c, self.gateways.filter(g, isIP(g) && isCIDR(c) && cidr(c).containsIP(g)).size() <= 1)",message="each gateway must be an address inside one of the subnet's cidrs, at most one in each"
// +kubebuilder:validation:XValidation:rule="!has(self.isolated) || !self.isolated || !has(self.gateways) || self.gateways.size() == 0",message="an isolated subnet has no gateway: leave out gateways"
type Subnet struct {
	// Name of the subnet, unique in the VPC.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// CIDRs of the subnet: one IPv4 network, one IPv6 network, or one of each.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:items:MaxLength=43
	// +kubebuilder:validation:XValidation:rule="self.all(c, isCIDR(c) && cidr(c).masked() == cidr(c))",message="each must be a network such as 10.1.0.0/24 or fd00:1::/64, with no host bits set"
	// +kubebuilder:validation:XValidation:rule="self.all(c, !isCIDR(c) || (cidr(c).ip().family() == 4 ? cidr(c).prefixLength() >= 8 && cidr(c).prefixLength() <= 30 : cidr(c).prefixLength() >= 32 && cidr(c).prefixLength() <= 126))",message="the prefix length must be 8 to 30 for IPv4, 32 to 126 for IPv6"
	// +kubebuilder:validation:XValidation:rule="self.size() < 2 || !self.all(c, isCIDR(c)) || cidr(self[0]).ip().family() != cidr(self[1]).ip().family()",message="two cidrs must be of different families: one IPv4 and one IPv6"
	// +kubebuilder:validation:XValidation:rule="self.all(c, !isCIDR(c) || cidr(c).ip().isGlobalUnicast())",message="each must be of unicast addresses: not loopback, link-local, multicast or 0.0.0.0"
	// +listType=atomic
	CIDRs []string `json:"cidrs"`
	// Gateways are the addresses of the subnet's gateway, at most one for each
	// of the cidrs. Default: the first address after the network's own.
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:items:MaxLength=39
	// +listType=atomic
	// +optional
	Gateways []string `json:"gateways,omitempty"`
	// Isolated subnets have no gateway: hosts in one reach each other and nobody
	// else, neither the VPC's other subnets nor VPCs that peer with it. It can be
	// changed at any time.
	// +optional
	Isolated bool `json:"isolated,omitempty"`
}

// VPCStatus is written by the controller.
type VPCStatus struct {
	// VNI is the L3 VNI that the VPC's routes are exchanged under.
	// +optional
	VNI int32 `json:"vni,omitempty"`
	// Subnets are the L2 VNIs of the subnets, in the order of the spec.
	// +listType=map
	// +listMapKey=name
	// +optional
	Subnets []SubnetStatus `json:"subnets,omitempty"`
	// Switches says on how many of the switches that the VPC is meant for it
	// is programmed, such as "2/2".
	// +optional
	Switches string `json:"switches,omitempty"`
	// Conditions: Accepted, Programmed, Ready.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// SubnetStatus is what was allocated for one subnet.
type SubnetStatus struct {
	// Name of the subnet.
	Name string `json:"name"`
	// VNI is the L2 VNI of the subnet.
	// +optional
	VNI int32 `json:"vni,omitempty"`
}

// VPC is a network of a tenant's own: subnets that route to each other and, but for
// VPCPeerings, to nothing else. Its spec is written by the tenant.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,path=vpcs,categories=switchlet
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Class",type=string,JSONPath=`.spec.class`
// +kubebuilder:printcolumn:name="VNI",type=integer,priority=1,JSONPath=`.status.vni`
// +kubebuilder:printcolumn:name="Switches",type=string,JSONPath=`.status.switches`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type VPC struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec VPCSpec `json:"spec"`
	// +optional
	Status VPCStatus `json:"status,omitempty"`
}

// VPCList is a list of VPCs.
//
// +kubebuilder:object:root=true
type VPCList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []VPC `json:"items"`
}
