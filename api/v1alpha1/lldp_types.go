package v1alpha1

// ChassisIDSubtype says what a chassis id is (IEEE 802.1AB-2016, table 8-2).
// +kubebuilder:validation:Enum=ChassisComponent;InterfaceAlias;PortComponent;MACAddress;NetworkAddress;InterfaceName;Local
type ChassisIDSubtype string

// The subtypes of chassis ids.
const (
	ChassisComponent      ChassisIDSubtype = "ChassisComponent"
	ChassisInterfaceAlias ChassisIDSubtype = "InterfaceAlias"
	ChassisPortComponent  ChassisIDSubtype = "PortComponent"
	ChassisMACAddress     ChassisIDSubtype = "MACAddress"
	ChassisNetworkAddress ChassisIDSubtype = "NetworkAddress"
	ChassisInterfaceName  ChassisIDSubtype = "InterfaceName"
	// ChassisLocal is whatever the sender likes: a host's agent sends the name
	// of its Node.
	ChassisLocal ChassisIDSubtype = "Local"
)

// PortIDSubtype says what a port id is (IEEE 802.1AB-2016, table 8-3).
// +kubebuilder:validation:Enum=InterfaceAlias;PortComponent;MACAddress;NetworkAddress;InterfaceName;AgentCircuitID;Local
type PortIDSubtype string

// The subtypes of port ids.
const (
	PortInterfaceAlias PortIDSubtype = "InterfaceAlias"
	PortComponent      PortIDSubtype = "PortComponent"
	PortMACAddress     PortIDSubtype = "MACAddress"
	PortNetworkAddress PortIDSubtype = "NetworkAddress"
	PortInterfaceName  PortIDSubtype = "InterfaceName"
	PortAgentCircuitID PortIDSubtype = "AgentCircuitID"
	// PortLocal is whatever the sender likes: SONiC sends PORT.alias.
	PortLocal PortIDSubtype = "Local"
)

// LLDPNeighbor is what a system hears at one of its ports, as it was sent. It
// says nothing about when, so that a status changes only when a cable does.
type LLDPNeighbor struct {
	// Port of the system that hears, by its own name for it: a name of SONiC on
	// a switch, the NIC's on a host.
	// +kubebuilder:validation:MaxLength=15
	Port string `json:"port"`
	// ChassisIDSubtype says what chassisID is; empty for a subtype that the
	// standard reserves.
	// +optional
	ChassisIDSubtype ChassisIDSubtype `json:"chassisIDSubtype,omitempty"`
	// ChassisID of the system that is heard, as text: a MAC address in lower
	// case with colons, an IP address in its usual form.
	// +kubebuilder:validation:MaxLength=255
	ChassisID string `json:"chassisID"`
	// PortIDSubtype says what portID is; empty for a subtype that the standard
	// reserves.
	// +optional
	PortIDSubtype PortIDSubtype `json:"portIDSubtype,omitempty"`
	// PortID of the port that is heard, as text.
	// +kubebuilder:validation:MaxLength=255
	PortID string `json:"portID"`
	// PortDescription that is sent with it.
	// +kubebuilder:validation:MaxLength=255
	// +optional
	PortDescription string `json:"portDescription,omitempty"`
	// SystemName that is sent with it: a host name, with or without a domain.
	// +kubebuilder:validation:MaxLength=255
	// +optional
	SystemName string `json:"systemName,omitempty"`
	// Stale: its time to live is over and nothing was heard since, or it is
	// remembered from before a restart.
	// +optional
	Stale bool `json:"stale,omitempty"`
}
