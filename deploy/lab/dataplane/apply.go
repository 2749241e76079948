package dataplane

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// port4789 is VXLAN's UDP port (RFC 7348, section 8).
const port4789 = 4789

// attempts is how often a change is begun anew: a cable that is moved takes its
// port along between the look and the step.
const attempts = 3

// make makes the devices in the namespace the wanted ones. It returns the steps
// that it took.
func (k *kernel) make(want Devices) ([]Step, error) {
	var taken []Step
	var err error
	for range attempts {
		var p *picture
		if p, err = k.look(); err != nil {
			continue
		}
		p.leave(k.switched, want)
		var steps []Step
		steps, err = k.take(p, Diff(p.devices, want), want)
		taken = append(taken, steps...)
		if err == nil {
			k.switched = p.switched(want)
			return taken, nil
		}
	}
	return taken, err
}

// take takes steps until one fails.
func (k *kernel) take(p *picture, steps []Step, want Devices) ([]Step, error) {
	for i, step := range steps {
		began := time.Now()
		err := k.do(p, step)
		if err == nil {
			err = k.journal.note(step, want, began)
		}
		if err != nil {
			return steps[:i], fmt.Errorf("%s: %w", step, err)
		}
	}
	return steps, nil
}

// do takes one step.
func (k *kernel) do(p *picture, s Step) error {
	if s.Verb == Add {
		return k.add(p, s)
	}
	link, ok := p.links[s.Name]
	if !ok {
		return fmt.Errorf("there is no device %s", s.Name)
	}
	switch s.Verb {
	case Delete:
		delete(p.links, s.Name)
		return k.LinkDel(link)
	case SetUp:
		return k.LinkSetUp(link)
	case SetDown:
		return k.LinkSetDown(link)
	case SetMTU:
		return k.LinkSetMTU(link, s.MTU)
	case SetMAC:
		return k.setMAC(link, s.MAC)
	case SetMaster:
		return k.setMaster(p, link, s.Master)
	case SetRouted:
		return write(routedSettings(s.Name, s.On))
	case SetGleans:
		return write(gleanSettings(s.Name, s.On))
	case SetLearns:
		return k.LinkSetLearning(link, s.On)
	case JoinVLAN:
		return k.BridgeVlanAdd(link, uint16(s.VLAN), s.On, s.On, s.Name == bridge, false)
	case LeaveVLAN:
		return k.BridgeVlanDel(link, uint16(s.VLAN), false, false, s.Name == bridge, false)
	case AddStation, DelStation:
		return k.setStation(link, s)
	case AddAddress:
		return k.AddrAdd(link, address(s))
	case DelAddress:
		return k.AddrDel(link, address(s))
	case Add: // above
	}
	return errors.New("nobody knows how to do that")
}

func (k *kernel) setMAC(link netlink.Link, text string) error {
	mac, err := net.ParseMAC(text)
	if err != nil {
		return err
	}
	return k.LinkSetHardwareAddr(link, mac)
}

func (k *kernel) setMaster(p *picture, link netlink.Link, master string) error {
	if master == "" {
		return k.LinkSetNoMaster(link)
	}
	there, ok := p.links[master]
	if !ok {
		return fmt.Errorf("there is no device %s", master)
	}
	return k.LinkSetMaster(link, there)
}

func (k *kernel) setStation(link netlink.Link, s Step) error {
	n, err := station(link.Attrs().Index, s)
	if err != nil {
		return err
	}
	if s.Verb == DelStation {
		return k.NeighDel(n)
	}
	return k.NeighAdd(n)
}

// address of a step. None is looked for elsewhere before it is used: a gateway's
// is on every leaf.
func address(s Step) *netlink.Addr {
	ip := net.IPNet{IP: s.Address.Addr().AsSlice(), Mask: net.CIDRMask(s.Address.Bits(), s.Address.Addr().BitLen())}
	a := &netlink.Addr{IPNet: &ip}
	if s.Address.Addr().Is6() {
		a.Flags = unix.IFA_F_NODAD
	}
	return a
}

// add makes a device, which is down, and in nothing.
func (k *kernel) add(p *picture, s Step) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = s.Name
	var link netlink.Link
	switch d := s.Device; d.Kind {
	case Bridge:
		yes, no, none := true, false, uint16(0)
		link = &netlink.Bridge{LinkAttrs: attrs, VlanFiltering: &yes, VlanDefaultPVID: &none, MulticastSnooping: &no}
	case VLAN:
		parent, ok := p.links[bridge]
		if !ok {
			return fmt.Errorf("there is no device %s", bridge)
		}
		attrs.ParentIndex = parent.Attrs().Index
		link = &netlink.Vlan{LinkAttrs: attrs, VlanId: d.ID}
	case VRF:
		link = &netlink.Vrf{LinkAttrs: attrs, Table: uint32(d.ID)}
	case VXLAN:
		link = &netlink.Vxlan{LinkAttrs: attrs, VxlanId: d.ID, SrcAddr: d.Local.AsSlice(), Port: port4789}
	case Loopback:
		link = &netlink.Dummy{LinkAttrs: attrs}
	default:
		return fmt.Errorf("a %s cannot be made", d.Kind)
	}
	if err := k.LinkAdd(link); err != nil {
		return err
	}
	p.links[s.Name] = link
	return nil
}
