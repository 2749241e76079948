// Package v1alpha1 is the API of Switchlet: what the network team says about
// the fabric (Fabric, VPCClass, Switch), what tenants say about their networks
// (VPC, VPCAttachment), what the agents hear of the cabling (Host, Link), and
// what the controller makes of it all (Allocation, SwitchConfig).
//
// A spec has one writer and a status has one writer; each kind says who they
// are. Objects may be applied in any order and may name objects that do not
// exist yet: an unmet reference is a condition, never an error.
//
// Conditions follow the Kubernetes API conventions and kstatus: Ready is
// computed from the others, and every condition carries the generation that it
// speaks of.
//
// +kubebuilder:object:generate=true
// +groupName=fabric.switchlet.io
package v1alpha1
