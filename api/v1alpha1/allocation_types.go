package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Conditions of an Allocation. Ready is True when Accepted is.
const (
	// AllocationAccepted says whether the value is the holder's. Reasons:
	// Accepted; OutsidePool; HolderHasAnother (the holder already has a value
	// of this pool); PoolUnknown (there is no Fabric yet).
	AllocationAccepted = "Accepted"
)

// PoolName names a pool of fabric-wide identifiers.
// +kubebuilder:validation:Enum=VNI;VTEP;ASN;Addresses
type PoolName string

// The pools of a Fabric that hold fabric-wide identifiers.
const (
	// PoolVNI holds VXLAN network identifiers, written in decimal.
	PoolVNI PoolName = "VNI"
	// PoolVTEP holds tunnel endpoint addresses.
	PoolVTEP PoolName = "VTEP"
	// PoolASN holds autonomous system numbers (RFC 6793), written in decimal.
	PoolASN PoolName = "ASN"
	// PoolAddresses holds the addresses of subnets, in blocks: the L2 VNI of the
	// subnet and the block as a network, such as 10101/10.1.0.16/28.
	PoolAddresses PoolName = "Addresses"
)

// AllocationPhase is where in its life an Allocation is.
// +kubebuilder:validation:Enum=Bound;Reserved;Quarantined;Rejected
type AllocationPhase string

// The phases of an Allocation.
const (
	// AllocationBound: the holder exists and has the value.
	AllocationBound AllocationPhase = "Bound"
	// AllocationReserved: pinned for a holder that does not exist yet.
	AllocationReserved AllocationPhase = "Reserved"
	// AllocationQuarantined: the holder is gone, and some switch has not
	// confirmed yet that it no longer uses the value.
	AllocationQuarantined AllocationPhase = "Quarantined"
	// AllocationRejected: the value is not the holder's; Accepted says why.
	AllocationRejected AllocationPhase = "Rejected"
)

// Holder is who an identifier belongs to.
// +kubebuilder:validation:XValidation:rule="self.kind == 'VPC' ? has(self.__namespace__) && self.__namespace__.size() > 0 : !has(self.__namespace__) && !has(self.subnet)",message="a VPC has a namespace; a Switch and a Host have neither namespace nor subnet"
// +kubebuilder:validation:XValidation:rule="self.kind == 'VPC' || self.kind == 'Switch' || self.kind == 'Host'",message="the holder is a VPC, a Switch or a Host"
type Holder struct {
	ObjectReference `json:",inline"`
	// Subnet of the VPC that holds an L2 VNI, or addresses. Empty: the VPC itself,
	// holding its L3 VNI.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Subnet string `json:"subnet,omitempty"`
}

// String is the holder as people write it, such as "VPC tenant-a/blue, subnet web".
func (h Holder) String() string {
	if h.Subnet == "" {
		return h.ObjectReference.String()
	}
	return h.ObjectReference.String() + ", subnet " + h.Subnet
}

// AddressUser is who has asked for one address: a pod or an IPAMClaim.
// +kubebuilder:validation:XValidation:rule="has(self.pod) != has(self.claim)",message="an address is for a pod or for a claim"
type AddressUser struct {
	// Namespace of the pod or the claim.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace"`
	// Pod by its name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Pod string `json:"pod,omitempty"`
	// Claim is the name of an IPAMClaim, which keeps the address until it is
	// deleted, whichever pod has it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Claim string `json:"claim,omitempty"`
}

// String is the user as people write it, such as "pod tenant-a/web-0".
func (u AddressUser) String() string {
	if u.Claim != "" {
		return "IPAMClaim " + u.Namespace + "/" + u.Claim
	}
	return "pod " + u.Namespace + "/" + u.Pod
}

// AllocationSpec is one identifier and its holder. It is never changed: a value
// passes to another holder by a new Allocation.
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="an Allocation cannot be changed: delete it and make another"
// +kubebuilder:validation:XValidation:rule="self.pool == 'Addresses' || (self.pool == 'VNI' ? self.value.matches('^[1-9][0-9]{0,7}$') && int(self.value) <= 16777215 : self.pool == 'ASN' ? self.value.matches('^[1-9][0-9]{0,9}$') && int(self.value) <= 4294967295 : isIP(self.value) && ip.isCanonical(self.value) && ip(self.value).family() == 4)",message="value must be a VNI from 1 to 16777215, an ASN from 1 to 4294967295, or the IPv4 address of a VTEP"
// +kubebuilder:validation:XValidation:rule="self.pool != 'Addresses' || self.value.matches('^[1-9][0-9]{0,7}/[0-9a-f][0-9a-f.:]*/(28|30|32|124|126|128)$') && int(self.value.split('/')[0]) <= 16777215 && ip.isCanonical(self.value.split('/')[1]) && isCIDR(self.value.substring(self.value.indexOf('/') + 1)) && cidr(self.value.substring(self.value.indexOf('/') + 1)).masked() == cidr(self.value.substring(self.value.indexOf('/') + 1)) && (ip(self.value.split('/')[1]).family() == 4) == (int(self.value.split('/')[2]) <= 32)",message="value must be an L2 VNI and a block of 16 addresses, of 4, or of one, such as 10101/10.1.0.16/28"
// +kubebuilder:validation:XValidation:rule="self.pool == 'Addresses' || (self.pool == 'VNI' ? self.holder.kind == 'VPC' : self.holder.kind == 'Switch')",message="a VNI is held by a VPC, a VTEP address and an ASN by a Switch"
// +kubebuilder:validation:XValidation:rule="self.pool != 'Addresses' || self.holder.kind == 'Host' || self.holder.kind == 'VPC' && has(self.holder.subnet)",message="addresses are held by a Host, or by a VPC with the subnet"
// +kubebuilder:validation:XValidation:rule="has(self.user) ? self.pool == 'Addresses' && (self.value.endsWith('/32') || self.value.endsWith('/128')) && self.holder.kind == 'VPC' : !(self.pool == 'Addresses' && (self.value.endsWith('/32') || self.value.endsWith('/128')))",message="one address of a VPC's subnet, and nothing else, has a user"
type AllocationSpec struct {
	// Pool that the value is from.
	Pool PoolName `json:"pool"`
	// Value: a VNI or an ASN in decimal, an IP address, or a block of addresses.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=52
	Value string `json:"value"`
	// Holder of the value.
	Holder Holder `json:"holder"`
	// User of one address.
	// +optional
	User *AddressUser `json:"user,omitempty"`
}

// AllocationStatus is written by the controller.
type AllocationStatus struct {
	// Phase of the allocation.
	// +optional
	Phase AllocationPhase `json:"phase,omitempty"`
	// Conditions: Accepted, Ready.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Allocation is one identifier that is unique in the fabric. Its name is its
// pool and value, such as "vni-10100", so the API server itself sees to it that
// nobody else has it. The controller makes them as they are needed; the network
// team pins a value by making the Allocation itself, naming its holder.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,path=allocations,shortName=alloc,categories=switchlet
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Pool",type=string,JSONPath=`.spec.pool`
// +kubebuilder:printcolumn:name="Value",type=string,JSONPath=`.spec.value`
// +kubebuilder:printcolumn:name="Kind",type=string,JSONPath=`.spec.holder.kind`
// +kubebuilder:printcolumn:name="Namespace",type=string,JSONPath=`.spec.holder.namespace`
// +kubebuilder:printcolumn:name="Holder",type=string,JSONPath=`.spec.holder.name`
// +kubebuilder:printcolumn:name="Subnet",type=string,JSONPath=`.spec.holder.subnet`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.spec.pool == 'Addresses' ? self.metadata.name == 'ip-' + self.spec.value.replace('/', '-').replace(':', '-') : self.metadata.name == (self.spec.pool == 'VNI' ? 'vni-' : self.spec.pool == 'ASN' ? 'asn-' : 'vtep-') + self.spec.value",message="the name must be the pool in lower case, a dash and the value, such as vni-10100; for addresses ip- and the value with dashes, such as ip-10101-10.1.0.16-28"
type Allocation struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec AllocationSpec `json:"spec"`
	// +optional
	Status AllocationStatus `json:"status,omitempty"`
}

// AllocationList is a list of Allocations.
//
// +kubebuilder:object:root=true
type AllocationList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Allocation `json:"items"`
}
