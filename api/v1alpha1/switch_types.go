package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SwitchRole is what a switch is for.
// +kubebuilder:validation:Enum=Leaf;Spine;Border
type SwitchRole string

// The roles of switches.
const (
	// RoleLeaf has hosts and a VTEP.
	RoleLeaf SwitchRole = "Leaf"
	// RoleSpine connects leaves: no VTEP, no attachments.
	RoleSpine SwitchRole = "Spine"
	// RoleBorder is a leaf that also connects to the outside.
	RoleBorder SwitchRole = "Border"
)

// Conditions of a Switch, written by the agent. Ready is True when all are.
const (
	// SwitchConnected says whether the agent reaches the switch's CONFIG_DB
	// and that is in use. Reasons: Connected; ConfigDBUnreachable;
	// ConfigDBNotInitialized (SONiC is starting or reloading its
	// configuration); UnsupportedPlatform (a switch with several ASICs);
	// ModelsUnreadable (the YANG models, without which nothing is written).
	SwitchConnected = "Connected"
	// SwitchStateSaved says whether what the agent keeps on the switch's disk,
	// the last good configuration and the record of what it wrote, is sound.
	// Reasons: Saved; Recovered (a file was damaged and has been made anew:
	// the message says from what); WriteFailed.
	SwitchStateSaved = "StateSaved"
	// SwitchPersisted says whether the agent's rows are in SONiC's own
	// config_db.json, as far as they are confirmed. Reasons: Persisted; Busy
	// (somebody else is at the file); WriteFailed (it is missing or unusable).
	SwitchPersisted = "Persisted"
	// SwitchCabled is written by the controller, the only thing in the status
	// that is: it says whether what LLDP tells of the ports makes sense. It takes
	// nothing away. Reasons: Cabled; those that the package controller/topology
	// documents. Ready does not depend on it.
	SwitchCabled = "Cabled"
	// SwitchUnderlay, written by the controller too, says whether the switch is
	// in the underlay as its cables and its spec want it. Reasons: Underlay;
	// PortInUse, PortInVLAN, PortChannelNotRouted (what keeps a cable from being
	// an uplink); TooManyUplinks; ASNConflict, VTEPConflict (a pin that another
	// switch has); ASNExhausted, VTEPExhausted. Ready does not depend on it.
	SwitchUnderlay = "Underlay"
	// SwitchDrained, written by the agent, says whether the switch is free of
	// traffic, be it for a release or because of spec.drained. Reasons: Drained;
	// InService; Draining, Undraining (the message says what is waited for);
	// Refused (hosts would be cut off: the message names them); Returned (nobody
	// went on in time, and the agent let traffic back by itself). Ready does not
	// depend on it.
	SwitchDrained = "Drained"
)

// SwitchSpec is what the network team says of a switch; the controller makes
// it, with a role only, when a Node with LabelRole joins.
// +kubebuilder:validation:XValidation:rule="!has(self.asn) || !has(self.bgp) || self.asn == self.bgp.asn",message="asn and bgp.asn must be the same: leave one of them out"
type SwitchSpec struct {
	// Role of the switch.
	Role SwitchRole `json:"role"`
	// RedundancyGroup names the group of leaves that share dual-homed hosts.
	// Both have the same VLAN ids, and only one of them is ever changed
	// disruptively at a time. Empty: a group of its own.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	RedundancyGroup string `json:"redundancyGroup,omitempty"`
	// Paused stops the agent from changing the switch; it goes on reporting.
	// +optional
	Paused bool `json:"paused,omitempty"`
	// Drained takes traffic off the switch and keeps it off, until it is false
	// again. It begins only if each host has another way, or with forceDrain. See
	// the condition Drained.
	// +optional
	Drained bool `json:"drained,omitempty"`
	// ForceDrain lets spec.drained begin although there are hosts with no other
	// way. Their ports stay up.
	// +optional
	ForceDrain bool `json:"forceDrain,omitempty"`
	// Drift says what the agent does when somebody else changes or deletes what
	// it wrote: Revert puts it back, Report leaves it and whatever depends on it
	// as it is. Both list it in status.drift of the SwitchConfig.
	// +kubebuilder:default=Revert
	// +optional
	Drift DriftPolicy `json:"drift,omitempty"`
	// BGP of the underlay, which the agent gives to FRR, and with it the VRFs of
	// tenants. Without it FRR is left alone, and somebody else has to route.
	// +optional
	BGP *BGP `json:"bgp,omitempty"`
	// ASN that the switch is to have, instead of one that the Fabric's pool gives it.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4294967295
	// +optional
	ASN int64 `json:"asn,omitempty"`
	// VTEP is the address (IPv4) that the switch's tunnel endpoint is to have,
	// instead of one that the Fabric's pool gives it.
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:XValidation:rule="isIP(self) && ip.isCanonical(self) && ip(self).family() == 4 && ip(self).isGlobalUnicast()",message="must be an IPv4 unicast address such as 10.255.0.1"
	// +optional
	VTEP string `json:"vtep,omitempty"`
}

// DriftPolicy is what the agent does about changes by others of what it wrote.
// +kubebuilder:validation:Enum=Revert;Report
type DriftPolicy string

// The drift policies.
const (
	// DriftRevert: what was changed is put back at once.
	DriftRevert DriftPolicy = "Revert"
	// DriftReport: what was changed stays until somebody puts it back.
	DriftReport DriftPolicy = "Report"
)

// GatewayDialect is how a switch's SONiC says "anycast gateway".
// +kubebuilder:validation:Enum=MACAddress;StaticAnycastGateway;None
type GatewayDialect string

// The gateway dialects, found in the YANG models on the box.
const (
	// GatewayMACAddress: the same VLAN_INTERFACE.mac_addr on every leaf.
	GatewayMACAddress GatewayDialect = "MACAddress"
	// GatewayStaticAnycastGateway: SAG|GLOBAL and VLAN_INTERFACE.static_anycast_gateway.
	GatewayStaticAnycastGateway GatewayDialect = "StaticAnycastGateway"
	// GatewayNone: the box's models know neither; subnets with a gateway
	// cannot be placed on it.
	GatewayNone GatewayDialect = "None"
)

// PortUse says what an interface is used for apart from VLANs.
// +kubebuilder:validation:Enum=PortChannelMember;Routed
type PortUse string

// What keeps an interface from carrying VLANs.
const (
	// PortUsePortChannelMember: it is a member of a PORTCHANNEL.
	PortUsePortChannelMember PortUse = "PortChannelMember"
	// PortUseRouted: it has a row in INTERFACE or PORTCHANNEL_INTERFACE.
	PortUseRouted PortUse = "Routed"
)

// SwitchPort is a physical port or a port channel, as the switch has it.
type SwitchPort struct {
	// Name in SONiC, such as Ethernet8 or PortChannel0001.
	// +kubebuilder:validation:MaxLength=15
	Name string `json:"name"`
	// Alias is the vendor's name, the one printed on the front panel.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Alias string `json:"alias,omitempty"`
	// MAC address of the port, if it is known. On most switches it is that of the
	// switch itself.
	// +kubebuilder:validation:MaxLength=17
	// +optional
	MAC string `json:"mac,omitempty"`
	// SpeedMbps is the configured speed in Mbit/s; 0 if not known.
	// +optional
	SpeedMbps int32 `json:"speedMbps,omitempty"`
	// AdminUp is true when the port is switched on (admin_status up).
	// +optional
	AdminUp bool `json:"adminUp,omitempty"`
	// Use says what keeps the port from carrying VLANs; empty if nothing does.
	// +optional
	Use PortUse `json:"use,omitempty"`
	// UsedBy names what Use speaks of: the port channel, or the table and key.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	UsedBy string `json:"usedBy,omitempty"`
	// NativeVLAN is the VLAN that is untagged on this port by the hand of
	// somebody else than the agent; 0 if there is none.
	// +optional
	NativeVLAN int32 `json:"nativeVLAN,omitempty"`
}

// SwitchStatus is written by the agent on the switch.
type SwitchStatus struct {
	// NOSVersion is SONiC's build version, such as "202511.12-a1b2c3".
	// +kubebuilder:validation:MaxLength=128
	// +optional
	NOSVersion string `json:"nosVersion,omitempty"`
	// Platform is DEVICE_METADATA's platform.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Platform string `json:"platform,omitempty"`
	// HWSKU is DEVICE_METADATA's hwsku.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	HWSKU string `json:"hwsku,omitempty"`
	// MAC is the switch's base MAC address.
	// +kubebuilder:validation:MaxLength=17
	// +optional
	MAC string `json:"mac,omitempty"`
	// AgentVersion is the version of the agent that wrote this status.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	AgentVersion string `json:"agentVersion,omitempty"`
	// Gateway is how this box says "anycast gateway".
	// +optional
	Gateway GatewayDialect `json:"gateway,omitempty"`
	// Ports that the switch has, in natural order of their names.
	// +listType=atomic
	// +optional
	Ports []SwitchPort `json:"ports,omitempty"`
	// SystemName that the switch sends by LLDP: its host name.
	// +kubebuilder:validation:MaxLength=255
	// +optional
	SystemName string `json:"systemName,omitempty"`
	// ChassisID that the switch sends by LLDP.
	// +kubebuilder:validation:MaxLength=255
	// +optional
	ChassisID string `json:"chassisID,omitempty"`
	// Neighbors that the switch hears, at most 8 at one port, in natural order of
	// the ports' names.
	// +kubebuilder:validation:MaxItems=1024
	// +listType=atomic
	// +optional
	Neighbors []LLDPNeighbor `json:"neighbors,omitempty"`
	// ModelViolations are what others' rows of CONFIG_DB have that the YANG
	// models on the switch do not allow: table, field, rule and how many. They
	// block nothing of Switchlet's, but may block the switch's own tools.
	// kubectl-switchlet config validate tells the rest.
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=256
	// +listType=atomic
	// +optional
	ModelViolations []string `json:"modelViolations,omitempty"`
	// ForeignVLANs are the VLAN ids on the switch that are not the agent's, in
	// rising order. The planner never picks one of them.
	// +listType=atomic
	// +optional
	ForeignVLANs []int32 `json:"foreignVLANs,omitempty"`
	// ForeignVNIs are the VNIs on the switch that are not the agent's, in
	// rising order.
	// +listType=atomic
	// +optional
	ForeignVNIs []int32 `json:"foreignVNIs,omitempty"`
	// Conditions: Connected, StateSaved, Cabled, Underlay, Drained, Ready.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Switch is a SONiC switch. Its name is the name of its Node.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,path=switches,shortName=sw,categories=switchlet
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Role",type=string,JSONPath=`.spec.role`
// +kubebuilder:printcolumn:name="Group",type=string,JSONPath=`.spec.redundancyGroup`
// +kubebuilder:printcolumn:name="NOS",type=string,JSONPath=`.status.nosVersion`
// +kubebuilder:printcolumn:name="HwSKU",type=string,JSONPath=`.status.hwsku`
// +kubebuilder:printcolumn:name="Gateway",type=string,priority=1,JSONPath=`.status.gateway`
// +kubebuilder:printcolumn:name="Drained",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Drained")].reason`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Switch struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec SwitchSpec `json:"spec"`
	// +optional
	Status SwitchStatus `json:"status,omitempty"`
}

// SwitchList is a list of Switches.
//
// +kubebuilder:object:root=true
type SwitchList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Switch `json:"items"`
}
