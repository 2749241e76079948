package v1alpha1

import "k8s.io/apimachinery/pkg/types"

// Kind names one of the kinds that can own an identifier, a piece of a switch's
// configuration, or a problem.
// +kubebuilder:validation:Enum=VPC;VPCAttachment;VPCPeering;Switch;Host;Link
type Kind string

// The kinds that an ObjectReference can name.
const (
	KindVPC           Kind = "VPC"
	KindVPCAttachment Kind = "VPCAttachment"
	KindVPCPeering    Kind = "VPCPeering"
	KindSwitch        Kind = "Switch"
	KindHost          Kind = "Host"
	KindLink          Kind = "Link"
)

// ObjectReference names an object of this group by kind and name, so that a
// message on a switch can be shown on the tenant's object.
type ObjectReference struct {
	// Kind of the object.
	Kind Kind `json:"kind"`
	// Namespace of the object; empty for a cluster-scoped kind.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// Name of the object.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// NamespacedName is the reference without its kind.
func (r ObjectReference) NamespacedName() types.NamespacedName {
	return types.NamespacedName{Namespace: r.Namespace, Name: r.Name}
}

// String is the reference as kubectl takes it, such as "VPC tenant-a/blue".
func (r ObjectReference) String() string {
	if r.Namespace == "" {
		return string(r.Kind) + " " + r.Name
	}
	return string(r.Kind) + " " + r.Namespace + "/" + r.Name
}

// Problem is one reason why a part of what was asked for is not in force. It
// concerns its owner only; everything else goes on.
type Problem struct {
	// Owner is the object whose part is not in force.
	Owner ObjectReference `json:"owner"`
	// Reason is a CamelCase word for programs.
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason"`
	// Message says what conflicts with what, and what to do.
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message"`
}
