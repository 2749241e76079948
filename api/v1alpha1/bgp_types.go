package v1alpha1

// BGP is what a switch speaks in the underlay, and to whom. Over the same
// sessions go the routes of the tenants (EVPN).
type BGP struct {
	// ASN of the switch (RFC 6793), unlike those of its neighbours.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4294967295
	ASN int64 `json:"asn"`
	// Uplinks are routed ports and port channels with another switch at their
	// other end. Whoever answers there is a neighbour (BGP unnumbered, over the
	// link-local IPv6 addresses), whatever its ASN.
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=15
	// +kubebuilder:validation:items:Pattern=`^[A-Za-z0-9_.-]+$`
	// +listType=set
	// +optional
	Uplinks []string `json:"uplinks,omitempty"`
	// Neighbors that have to be called by their addresses.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=address
	// +optional
	Neighbors []BGPNeighbor `json:"neighbors,omitempty"`
}

// BGPConfig is the compiled BGP of a switch.
type BGPConfig struct {
	BGP `json:",inline"`
	// RouterID tells the switch from others (RFC 4271, section 1.1): the IPv4
	// address of its VTEP or, for a spine, one from the same pool. Without it
	// the agent leaves BGP as it is.
	// +kubebuilder:validation:MaxLength=15
	// +optional
	RouterID string `json:"routerID,omitempty"`
}

// BGPNeighbor is another router, of any other ASN.
type BGPNeighbor struct {
	// Address of the neighbour, IPv4 or IPv6, in its usual form.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=39
	// +kubebuilder:validation:XValidation:rule="isIP(self) && ip.isCanonical(self) && ip(self).isGlobalUnicast()",message="must be a unicast address such as 10.0.0.1 or fd00::1; a link-local one is reached by uplinks"
	Address string `json:"address"`
	// Description is shown by FRR: up to 80 printable ASCII characters, without
	// a question mark, which asks FRR's shell for help.
	// +kubebuilder:validation:MaxLength=80
	// +kubebuilder:validation:Pattern=`^[!->@-~]([ ->@-~]*[!->@-~])?$`
	// +optional
	Description string `json:"description,omitempty"`
}
