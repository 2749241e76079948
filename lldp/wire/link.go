package wire

// Link is a network interface.
type Link struct {
	// Index is the kernel's number of it; it stays when the name changes.
	Index int
	Name  string
	// Alias is what people have written down about it.
	Alias string
	MAC   MAC
	// MTU in octets, without the Ethernet header.
	MTU int
	// Kind is what a virtual interface is, such as "veth" or "bridge"; empty for
	// hardware.
	Kind string
	// Ethernet says that it is of that kind, and not a loopback or a tunnel.
	Ethernet bool
	// Running says that it is switched on and has a carrier.
	Running bool
	// CarrierLosses is how often it has lost its carrier since it is there, as the
	// kernel counts, modulo 2^32: a cable may have been moved between two looks.
	CarrierLosses uint32
	// Master is the index of the bridge, bond or VRF that it is in; 0 for none.
	Master int
	// Bonded says that Master is a bond.
	Bonded bool
}

// Physical says whether a link is Ethernet hardware: the links that an Agent
// speaks on unless its Config says otherwise.
func Physical(l Link) bool { return l.Kind == "" && l.Ethernet }

// linkEvent is a change of one link.
type linkEvent struct {
	link Link
	gone bool
}
