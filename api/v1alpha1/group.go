package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group is the API group of every kind in this package.
const Group = "fabric.switchlet.io"

// Labels and taints that a switch carries as a Node.
const (
	// LabelRole is the Node label that says what a switch is for: one of the
	// SwitchRole values in lower case. A kubelet sets it on joining
	// (--node-labels); the controller makes a Switch for each Node that has it.
	LabelRole = Group + "/role"
	// TaintSwitch keeps workloads that were not made for switches away from
	// them. A kubelet registers with it (--register-with-taints).
	TaintSwitch = Group + "/switch"
	// LabelManagedBy tells the Allocations that the controller made, which it
	// also deletes, from those that the network team pinned.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// ManagedByController is the value of LabelManagedBy on the controller's own objects.
	ManagedByController = "switchlet-controller"
)

// ConditionReady is present on every kind with a status and is computed from
// the kind's other conditions: True when all of them are.
const ConditionReady = "Ready"

// GroupVersion is the version that this package defines.
func GroupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: Group, Version: "v1alpha1"}
}

// AddToScheme registers the kinds of this package.
func AddToScheme(s *runtime.Scheme) error {
	gv := GroupVersion()
	s.AddKnownTypes(gv,
		&Fabric{}, &FabricList{},
		&VPCClass{}, &VPCClassList{},
		&Switch{}, &SwitchList{},
		&VPC{}, &VPCList{},
		&VPCAttachment{}, &VPCAttachmentList{},
		&VPCPeering{}, &VPCPeeringList{},
		&SwitchConfig{}, &SwitchConfigList{},
		&Allocation{}, &AllocationList{},
		&Host{}, &HostList{},
		&Link{}, &LinkList{},
		&HostConfig{}, &HostConfigList{},
		&NOSRelease{}, &NOSReleaseList{},
	)
	metav1.AddToGroupVersion(s, gv)
	return nil
}
