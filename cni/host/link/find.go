package link

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/vishvananda/netlink"

	"github.com/switchlet/switchlet/cni/host/request"
)

// Found is an interface in a pod that the agent has made.
type Found struct {
	Mark
	MAC       net.HardwareAddr
	MTU       int
	Addresses []netip.Prefix
	// Parent is the device of the host that it is attached to.
	Parent string
	// VLAN that a virtual function has.
	VLAN int
}

// Find looks for the agent's interfaces in a network namespace. A mark alone makes
// none: a pod may be able to write one. It has to be attached to a device of the host.
func (k *Kernel) Find(ns *os.File) ([]Found, error) {
	var all []Found
	err := k.in(ns, func(pod *netlink.Handle) error {
		links, err := listLinks(pod)
		if err != nil {
			return err
		}
		for _, l := range links {
			mark, ok := ParseMark(l.Attrs().Alias, l.Attrs().Name)
			if !ok {
				continue
			}
			f := Found{Mark: mark, MAC: l.Attrs().HardwareAddr, MTU: l.Attrs().MTU}
			if !k.stand(&f, l) {
				continue
			}
			if f.Addresses, err = given(pod, l); err != nil {
				return err
			}
			all = append(all, f)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("network namespace %s: %w", ns.Name(), err)
	}
	return all, nil
}

// stand finds the device of the host that an interface is attached to.
func (k *Kernel) stand(f *Found, l netlink.Link) bool {
	if f.Mode == request.SRIOV {
		return k.standFunction(f)
	}
	if l.Attrs().NetNsID < 0 { // what it is on is in the pod
		return false
	}
	other, err := k.host.LinkByIndex(l.Attrs().ParentIndex)
	if err != nil {
		return false
	}
	if f.Mode == request.Macvlan {
		f.Parent = other.Attrs().Name
		return l.Type() == "macvlan"
	}
	if l.Type() != "veth" || other.Attrs().Name != HostName(f.Key) {
		return false
	}
	bridge, err := k.host.LinkByIndex(other.Attrs().MasterIndex)
	if err != nil {
		return false
	}
	f.Parent = bridge.Attrs().Name
	return true
}

func (k *Kernel) standFunction(f *Found) bool {
	function, err := k.Function(f.Device)
	if err != nil || len(function.Physical) == 0 {
		return false
	}
	f.Parent = function.Physical[0]
	nic, err := k.host.LinkByName(f.Parent)
	if err != nil {
		return false
	}
	i := slices.IndexFunc(nic.Attrs().Vfs, func(v netlink.VfInfo) bool { return v.ID == function.Index })
	if i < 0 {
		return false
	}
	f.VLAN = nic.Attrs().Vfs[i].Vlan
	return true
}

// given are the addresses of an interface that are not link-local.
func given(pod *netlink.Handle, l netlink.Link) ([]netip.Prefix, error) {
	all, err := pod.AddrList(l, netlink.FAMILY_ALL)
	if err != nil {
		return nil, fmt.Errorf("addresses of interface %s: %w", l.Attrs().Name, err)
	}
	var found []netip.Prefix
	for _, a := range all {
		if p := prefix(a); !p.Addr().IsLinkLocalUnicast() {
			found = append(found, p)
		}
	}
	return found, nil
}
