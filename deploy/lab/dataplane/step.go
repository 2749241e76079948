package dataplane

import (
	"fmt"
	"net/netip"
)

// Verb is what a step does.
type Verb string

// Verbs.
const (
	Add        Verb = "add"
	Delete     Verb = "delete"
	SetUp      Verb = "up"
	SetDown    Verb = "down"
	SetMTU     Verb = "mtu"
	SetMAC     Verb = "mac"
	SetMaster  Verb = "master"
	SetRouted  Verb = "routed"
	SetGleans  Verb = "gleans"
	SetLearns  Verb = "learning"
	JoinVLAN   Verb = "join"
	LeaveVLAN  Verb = "leave"
	AddStation Verb = "station"
	DelStation Verb = "no station"
	AddAddress Verb = "address"
	DelAddress Verb = "no address"
)

// Step is one change of a device.
type Step struct {
	Verb Verb
	Name string // of the device
	// Device is what is to be added or deleted.
	Device Device
	// On of SetRouted, SetGleans and SetLearns; of JoinVLAN: untagged.
	On      bool
	MTU     int
	MAC     string // of SetMAC and stations
	Master  string
	VLAN    int
	Address netip.Prefix
}

// String is the command of iproute2 or sysctl that does it.
func (s Step) String() string {
	switch s.Verb {
	case Add:
		return s.added()
	case Delete:
		return "ip link delete " + s.Name
	case SetUp, SetDown:
		return fmt.Sprintf("ip link set %s %s", s.Name, s.Verb)
	case SetMTU:
		return fmt.Sprintf("ip link set %s mtu %d", s.Name, s.MTU)
	case SetMAC:
		return fmt.Sprintf("ip link set %s address %s", s.Name, s.MAC)
	case SetMaster:
		if s.Master == "" {
			return "ip link set " + s.Name + " nomaster"
		}
		return fmt.Sprintf("ip link set %s master %s", s.Name, s.Master)
	case SetRouted:
		return fmt.Sprintf("sysctl %s forwarding %s", s.Name, onOff(s.On))
	case SetGleans:
		return fmt.Sprintf("sysctl %s arp_accept %s", s.Name, onOff(s.On))
	case SetLearns:
		return fmt.Sprintf("bridge link set dev %s learning %s", s.Name, onOff(s.On))
	case JoinVLAN, LeaveVLAN:
		return s.membership()
	case AddStation:
		return fmt.Sprintf("bridge fdb add %s dev %s self vlan %d", s.MAC, s.Name, s.VLAN)
	case DelStation:
		return fmt.Sprintf("bridge fdb delete %s dev %s self vlan %d", s.MAC, s.Name, s.VLAN)
	case AddAddress:
		return fmt.Sprintf("ip address add %v dev %s", s.Address, s.Name)
	case DelAddress:
		return fmt.Sprintf("ip address delete %v dev %s", s.Address, s.Name)
	}
	return string(s.Verb)
}

func (s Step) added() string {
	command := "ip link add " + s.Name
	switch d := s.Device; d.Kind {
	case Bridge:
		command += " type bridge vlan_filtering 1 vlan_default_pvid 0"
	case VLAN:
		command += fmt.Sprintf(" link %s type vlan id %d", bridge, d.ID)
	case VRF:
		command += fmt.Sprintf(" type vrf table %d", d.ID)
	case VXLAN:
		command += fmt.Sprintf(" type vxlan id %d local %v dstport 4789 nolearning", d.ID, d.Local)
	case Loopback, Port:
		command += " type dummy"
	}
	return command
}

func (s Step) membership() string {
	command := fmt.Sprintf("bridge vlan add dev %s vid %d", s.Name, s.VLAN)
	if s.Verb == LeaveVLAN {
		command = fmt.Sprintf("bridge vlan del dev %s vid %d", s.Name, s.VLAN)
	}
	if s.Name == bridge {
		command += " self"
	}
	if s.On {
		command += " pvid untagged"
	}
	return command
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
