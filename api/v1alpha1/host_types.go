package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Conditions of a Host. Its agent writes Ready: it says whether the NICs are known and
// LLDP is spoken on all of them. Reasons: Ready; NICsUnknown (the kernel does not tell);
// NoNICs (the host has none); LLDPSilent (LLDP is not spoken on some NICs, or at all);
// NeighborsNotSaved (they are not on the disk, so that a restart begins without any).
const (
	// HostCabled is written by the controller, the only thing in the status that
	// is: it says whether the NICs are cabled so that the fabric can serve them.
	// It takes nothing away: what was cabled before keeps what it has. Reasons:
	// Cabled; NoCable (Unknown: it has none yet); those that the package
	// controller/topology documents. Ready does not depend on it.
	HostCabled = "Cabled"
)

// HostSpec is written by hand for a server on which no agent runs. A Node's
// agent says all of this in the status.
type HostSpec struct {
	// NICs of the server that are cabled to the fabric.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=name
	// +optional
	NICs []DeclaredNIC `json:"nics,omitempty"`
}

// DeclaredNIC is a network interface as somebody wrote it down.
type DeclaredNIC struct {
	// Name of the interface in the server's operating system, or printed on it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.-]+$`
	Name string `json:"name"`
	// MAC address, by which the server is known when its LLDP, or that of the
	// NIC's firmware, says no name.
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{2}(:[0-9a-f]{2}){5}$`
	// +optional
	MAC string `json:"mac,omitempty"`
}

// HostNIC is a physical network interface as the kernel has it.
type HostNIC struct {
	// Name of the interface.
	// +kubebuilder:validation:MaxLength=15
	Name string `json:"name"`
	// MAC address that is the interface's own, even in a bond.
	// +kubebuilder:validation:MaxLength=17
	// +optional
	MAC string `json:"mac,omitempty"`
	// Bond is the name of the bond or team that the interface is in.
	// +kubebuilder:validation:MaxLength=15
	// +optional
	Bond string `json:"bond,omitempty"`
	// AltNames are further names of the interface, such as enp3s0f0np0.
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=127
	// +listType=atomic
	// +optional
	AltNames []string `json:"altNames,omitempty"`
	// Up is true when the interface has a carrier.
	// +optional
	Up bool `json:"up,omitempty"`
}

// HostStatus is written by the agent on the host.
type HostStatus struct {
	// NICs of the host, in natural order of their names.
	// +kubebuilder:validation:MaxItems=256
	// +listType=atomic
	// +optional
	NICs []HostNIC `json:"nics,omitempty"`
	// NICNames are the names of the NICs, for people: the first of them, with commas.
	// +kubebuilder:validation:MaxLength=255
	// +optional
	NICNames string `json:"nicNames,omitempty"`
	// SystemName that the host sends by LLDP.
	// +kubebuilder:validation:MaxLength=255
	// +optional
	SystemName string `json:"systemName,omitempty"`
	// ChassisID that the host sends by LLDP: the name of its Node.
	// +kubebuilder:validation:MaxLength=255
	// +optional
	ChassisID string `json:"chassisID,omitempty"`
	// Neighbors that the host hears, at most 8 at one NIC, in natural order of
	// the NICs' names.
	// +kubebuilder:validation:MaxItems=1024
	// +listType=atomic
	// +optional
	Neighbors []LLDPNeighbor `json:"neighbors,omitempty"`
	// Conditions: Cabled, Ready.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Host is a server at the edge of the fabric. Its name is the name of its Node,
// or any other for a server that is none. Its labels are what VPCAttachments
// select hosts by.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,path=hosts,categories=switchlet
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="NICs",type=string,JSONPath=`.status.nicNames`
// +kubebuilder:printcolumn:name="Cabled",type=string,JSONPath=`.status.conditions[?(@.type=="Cabled")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Cabled")].reason`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Host struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec HostSpec `json:"spec,omitempty"`
	// +optional
	Status HostStatus `json:"status,omitempty"`
}

// HostList is a list of Hosts.
//
// +kubebuilder:object:root=true
type HostList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Host `json:"items"`
}
