package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Conditions of a HostConfig, written by the host agent. Ready is True when all are.
const (
	// HostConfigApplied says whether the host can attach pods to the networks of the
	// spec. Reasons: Applied; Applying; Problems (see status.problems); NICsUnknown.
	HostConfigApplied = "Applied"
)

// HostConfigSpec is everything that one host has to know to attach pods, so that
// attaching one asks nobody. Written by the controller and by nobody else.
type HostConfigSpec struct {
	// Revision is a hash of the rest of the spec: two equal specs have equal
	// revisions.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Revision string `json:"revision,omitempty"`
	// Networks that pods on the host may be attached to, in rising order of their
	// VNIs. The API server takes the list as one: to keep an owner of each field of
	// hundreds of networks made each change cost as much as all of them.
	// +kubebuilder:validation:MaxItems=512
	// +listType=atomic
	// +optional
	Networks []HostNetwork `json:"networks,omitempty"`
}

// HostNetwork is one subnet of a VPC on one host.
type HostNetwork struct {
	// VNI is the subnet's L2 VNI.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=16777215
	VNI int32 `json:"vni"`
	// Owner is the VPC.
	Owner ObjectReference `json:"owner"`
	// Subnet is the name of the VPC's subnet.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Subnet string `json:"subnet"`
	// Namespaces whose pods may be attached.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=63
	// +listType=set
	// +optional
	Namespaces []string `json:"namespaces,omitempty"`
	// Master is the NIC, or bond, that pods on the host have tied the network to, by
	// "master" in their NetworkAttachmentDefinitions; empty: every NIC leads to it.
	// +kubebuilder:validation:MaxLength=15
	// +optional
	Master string `json:"master,omitempty"`
	// MTU of a pod's interface, in bytes; 0: that of the NIC.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=9216
	// +optional
	MTU int32 `json:"mtu,omitempty"`
	// CIDRs of the subnet.
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:items:MaxLength=43
	// +listType=atomic
	CIDRs []string `json:"cidrs"`
	// Gateways of the subnet, at most one for each of the cidrs.
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:items:MaxLength=39
	// +listType=atomic
	// +optional
	Gateways []string `json:"gateways,omitempty"`
	// Routes are the networks that pods reach through the gateway of the same
	// family: the cidrs of the VPC's other subnets, IPv4 first, in rising order. A
	// family without gateway has none.
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=43
	// +listType=set
	// +optional
	Routes []string `json:"routes,omitempty"`
	// Uplinks are the NICs, or bonds, that lead to the subnet, in natural order of
	// their names.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=nic
	// +optional
	Uplinks []HostUplink `json:"uplinks,omitempty"`
	// Slices are the ranges of addresses that the host hands out by itself. No
	// other host has an address of them.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	Slices []AddressRange `json:"slices,omitempty"`
	// Reserved are addresses that one pod on this host has asked for. No other pod
	// gets them.
	// +kubebuilder:validation:MaxItems=256
	// +listType=atomic
	// +optional
	Reserved []ReservedAddress `json:"reserved,omitempty"`
	// Ready is true when every switch that an uplink leads to has the subnet in
	// force: a pod that is attached has its network from its first instruction on.
	// +optional
	Ready bool `json:"ready,omitempty"`
	// Message says what is missing while Ready is false, for the pod's events.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Message string `json:"message,omitempty"`
}

// HostUplink is how frames of a subnet look at one NIC.
type HostUplink struct {
	// NIC of the host, or the bond that its NICs are in.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=15
	NIC string `json:"nic"`
	// VLAN is the VLAN id there; 0: frames are untagged.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4094
	// +optional
	VLAN int32 `json:"vlan,omitempty"`
	// Switch and Port that the NIC is cabled to; of a bond, the first.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Switch string `json:"switch,omitempty"`
	// +kubebuilder:validation:MaxLength=15
	// +optional
	Port string `json:"port,omitempty"`
	// Draining: the switch is about to switch the port off. The host uses another uplink
	// from now on, if it has one, while this one still works. Not of a bond.
	// +optional
	Draining bool `json:"draining,omitempty"`
}

// AddressRange is a range of addresses of one family, both ends in it.
type AddressRange struct {
	// First address of the range.
	// +kubebuilder:validation:MaxLength=39
	First string `json:"first"`
	// Last address of the range.
	// +kubebuilder:validation:MaxLength=39
	Last string `json:"last"`
}

// ReservedAddress is an address that a pod, or an IPAMClaim, has asked for.
type ReservedAddress struct {
	// Address that is reserved.
	// +kubebuilder:validation:MaxLength=39
	Address string `json:"address"`
	// Namespace of the pod.
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace"`
	// Pod by its name; empty when it is the claim's.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Pod string `json:"pod,omitempty"`
	// Claim is the name of the IPAMClaim that keeps the address, whichever pod has it.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Claim string `json:"claim,omitempty"`
}

// HostConfigStatus is written by the host agent.
type HostConfigStatus struct {
	// ObservedGeneration is the last generation that the agent has looked at.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// AppliedRevision is the revision that is in force.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	AppliedRevision string `json:"appliedRevision,omitempty"`
	// Networks that the host uses, also those that the spec no longer has.
	// +kubebuilder:validation:MaxItems=1024
	// +listType=atomic
	// +optional
	Networks []HostNetworkStatus `json:"networks,omitempty"`
	// Problems of owners and of pods, the newest first.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	Problems []Problem `json:"problems,omitempty"`
	// Conditions: Applied, Ready.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// HostNetworkStatus is what a host uses of one subnet.
type HostNetworkStatus struct {
	// VNI is the subnet's L2 VNI.
	VNI int32 `json:"vni"`
	// Pods that are attached.
	// +optional
	Pods int32 `json:"pods,omitempty"`
	// Free addresses in the slices, of the scarcer family.
	// +optional
	Free int32 `json:"free,omitempty"`
	// Slices that hold an address that is in use, or that the host may still hand
	// out: none of them may be given to another host. All are here, or the status is
	// not written: 64 slices, and two addresses of each pod that are of none.
	// +kubebuilder:validation:MaxItems=4096
	// +listType=atomic
	// +optional
	Slices []AddressRange `json:"slices,omitempty"`
	// Tags with which frames of the subnet can leave the host now: those of the
	// devices that there are, and those of pods that are attached to a NIC or to a
	// virtual function itself, which keep theirs as long as they run. All are here, or
	// the status is not written.
	// +kubebuilder:validation:MaxItems=256
	// +listType=atomic
	// +optional
	Tags []HostTag `json:"tags,omitempty"`
}

// HostTag is how a host marks frames at a NIC.
type HostTag struct {
	// NIC, or bond, that frames leave by.
	// +kubebuilder:validation:MaxLength=15
	NIC string `json:"nic"`
	// VLAN id of the IEEE 802.1Q tag; 0 or absent: there is none.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4094
	// +optional
	VLAN int32 `json:"vlan,omitempty"`
}

// HostConfig is the compiled configuration of one host, and what became of it. Its
// name is the Host's.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,path=hostconfigs,shortName=hc,categories=switchlet
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Revision",type=string,JSONPath=`.spec.revision`
// +kubebuilder:printcolumn:name="Applied",type=string,JSONPath=`.status.appliedRevision`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type HostConfig struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec HostConfigSpec `json:"spec,omitempty"`
	// +optional
	Status HostConfigStatus `json:"status,omitempty"`
}

// HostConfigList is a list of HostConfigs.
//
// +kubebuilder:object:root=true
type HostConfigList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []HostConfig `json:"items"`
}
