package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// FabricName is the name of the one Fabric of a cluster.
const FabricName = "default"

// Conditions of a Fabric. Ready is True when Accepted is.
const (
	// FabricAccepted says whether the pools can be used. Reasons: Accepted;
	// InvalidPool (a pool is empty once its reserved ranges are taken out, or
	// two ranges overlap).
	FabricAccepted = "Accepted"
)

// FabricSpec says what the fabric may use. Written by the network team.
type FabricSpec struct {
	// Pools are the identifiers that the controller may give out. A pool may
	// grow at any time. What a shrunk pool no longer contains stays with its
	// holder until that lets go of it.
	Pools Pools `json:"pools"`
	// AnycastMAC is the MAC address of the gateway of every subnet, the same
	// on every leaf, so that a host that moves keeps its gateway. The default
	// is from the range of RFC 5798 (VRRP), which no interface has of its own.
	// +kubebuilder:default="00:00:5e:00:01:01"
	// +kubebuilder:validation:Pattern=`^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$`
	// +optional
	AnycastMAC string `json:"anycastMAC,omitempty"`
	// Underlay is how the switches route to each other.
	// +kubebuilder:default={}
	// +optional
	Underlay Underlay `json:"underlay,omitzero"`
	// LLDP is what follows from the neighbours that are heard.
	// +kubebuilder:default={}
	// +optional
	LLDP LLDPPolicy `json:"lldp,omitzero"`
}

// UnderlayStyle is a way for switches to route to each other.
// +kubebuilder:validation:Enum=Unnumbered
type UnderlayStyle string

// UnderlayUnnumbered is BGP between link-local IPv6 addresses, one ASN for each
// switch (RFC 7938, RFC 8950): the ports need no addresses.
const UnderlayUnnumbered UnderlayStyle = "Unnumbered"

// Underlay is how the switches route to each other.
type Underlay struct {
	// Style of the underlay.
	// +kubebuilder:default=Unnumbered
	// +optional
	Style UnderlayStyle `json:"style,omitempty"`
	// Disabled: the controller makes no uplinks and no BGP of its own. What a
	// Switch says in spec.bgp holds nevertheless.
	// +optional
	Disabled bool `json:"disabled,omitempty"`
}

// LLDPPolicy is what follows from the neighbours that are heard.
type LLDPPolicy struct {
	// WithdrawAfter is how long a port keeps its VLANs after the cable has left
	// it, that is, after its host was heard at another port. A port at which
	// nothing is heard any more keeps them for good.
	// +kubebuilder:default="60s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s|ms)){1,4}$`
	// +optional
	WithdrawAfter *metav1.Duration `json:"withdrawAfter,omitempty"`
}

// Pools are the identifiers that the controller may give out.
type Pools struct {
	// VNI is the pool of VXLAN network identifiers, unique in the fabric: one
	// for each subnet and one for each VPC (RFC 7348, RFC 9135).
	VNI VNIPool `json:"vni"`
	// VLAN is the pool of VLAN ids. A VLAN id means something on one switch
	// only (on both switches of a redundancy group), so this bounds the
	// subnets on a switch, not those in the fabric.
	VLAN VLANPool `json:"vlan"`
	// VTEP is the pool of tunnel endpoint addresses, one for each leaf and border.
	VTEP VTEPPool `json:"vtep"`
	// ASN is the pool of autonomous system numbers, one for each switch. Without
	// it a switch has the ASN that its spec says, or none.
	// +optional
	ASN *ASNPool `json:"asn,omitempty"`
}

// VNIPool is a set of VXLAN network identifiers.
// +kubebuilder:validation:XValidation:rule="self.ranges.all(r, r.first <= r.last)",message="a range's first must not be greater than its last"
// +kubebuilder:validation:XValidation:rule="!has(self.reserved) || self.reserved.all(r, r.first <= r.last)",message="a reserved range's first must not be greater than its last"
type VNIPool struct {
	// Ranges that may be given out, both ends included.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	Ranges []VNIRange `json:"ranges"`
	// Reserved ranges are never given out, not even by a pinned Allocation.
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +optional
	Reserved []VNIRange `json:"reserved,omitempty"`
}

// VNIRange is a range of VXLAN network identifiers, both ends included.
type VNIRange struct {
	// First identifier of the range.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=16777215
	First int32 `json:"first"`
	// Last identifier of the range.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=16777215
	Last int32 `json:"last"`
}

// VLANPool is a set of VLAN ids.
// +kubebuilder:validation:XValidation:rule="self.ranges.all(r, r.first <= r.last)",message="a range's first must not be greater than its last"
// +kubebuilder:validation:XValidation:rule="!has(self.reserved) || self.reserved.all(r, r.first <= r.last)",message="a reserved range's first must not be greater than its last"
type VLANPool struct {
	// Ranges that may be given out, both ends included.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	Ranges []VLANRange `json:"ranges"`
	// Reserved ranges are never given out, for VLANs that the network team
	// makes by hand. Those that a switch already has are avoided without this.
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +optional
	Reserved []VLANRange `json:"reserved,omitempty"`
}

// VLANRange is a range of VLAN ids (IEEE 802.1Q), both ends included. SONiC
// has no VLAN 1.
type VLANRange struct {
	// First id of the range.
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=4094
	First int32 `json:"first"`
	// Last id of the range.
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=4094
	Last int32 `json:"last"`
}

// ASNPool is a set of autonomous system numbers.
// +kubebuilder:validation:XValidation:rule="self.ranges.all(r, r.first <= r.last)",message="a range's first must not be greater than its last"
// +kubebuilder:validation:XValidation:rule="!has(self.reserved) || self.reserved.all(r, r.first <= r.last)",message="a reserved range's first must not be greater than its last"
type ASNPool struct {
	// Ranges that may be given out, both ends included, such as 4200000000 to
	// 4294967294, which are private (RFC 6996).
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	Ranges []ASNRange `json:"ranges"`
	// Reserved ranges are never given out, not even by a pinned Allocation.
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +optional
	Reserved []ASNRange `json:"reserved,omitempty"`
}

// ASNRange is a range of autonomous system numbers, both ends included.
type ASNRange struct {
	// First number of the range.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4294967295
	First int64 `json:"first"`
	// Last number of the range.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4294967295
	Last int64 `json:"last"`
}

// VTEPPool is a set of tunnel endpoint addresses.
type VTEPPool struct {
	// CIDRs (IPv4) whose addresses may be given out. The network and the
	// broadcast address of a block are not; a /32 is one address.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=18
	// +kubebuilder:validation:XValidation:rule="self.all(c, isCIDR(c) && cidr(c).ip().family() == 4 && cidr(c).masked() == cidr(c))",message="each must be an IPv4 network such as 10.255.0.0/24, with no host bits set"
	// +kubebuilder:validation:XValidation:rule="self.all(c, !isCIDR(c) || cidr(c).ip().isGlobalUnicast())",message="each must be of unicast addresses: not loopback, link-local, multicast or 0.0.0.0"
	// +listType=atomic
	CIDRs []string `json:"cidrs"`
}

// FabricStatus is written by the controller.
type FabricStatus struct {
	// Conditions: Accepted, Ready.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Fabric says which identifiers the controller may use and what is the same on
// every switch. There is one in a cluster, named "default".
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=fab,categories=switchlet
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name == 'default'",message="a cluster has one Fabric and its name is 'default'"
type Fabric struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec FabricSpec `json:"spec"`
	// +optional
	Status FabricStatus `json:"status,omitempty"`
}

// FabricList is a list of Fabrics.
//
// +kubebuilder:object:root=true
type FabricList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Fabric `json:"items"`
}
