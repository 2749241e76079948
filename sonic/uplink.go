package sonic

// Field of INTERFACE and PORTCHANNEL_INTERFACE.
const fieldLinkLocalOnly = "ipv6_use_link_local_only"

// Uplink is a port that is routed and has no address but its link-local one
// (sonic-interface.yang), as BGP unnumbered needs it.
type Uplink struct {
	// Port is a physical port.
	Port string
}

// Row is the uplink as CONFIG_DB has it.
func (u Uplink) Row() Row {
	return Row{Key{TableInterface, u.Port}, Fields{{fieldLinkLocalOnly, "enable"}}}
}
