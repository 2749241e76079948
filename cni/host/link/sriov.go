package link

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// attachFunction gives a virtual function the network's VLAN and the pod's MAC
// address, and its interface to the pod. One without an interface, for a virtual
// machine, stays where it is.
func (k *Kernel) attachFunction(ns *os.File, i Interface) (int, error) {
	f, parent, err := k.function(i)
	if err != nil {
		return 0, err
	}
	if err := k.host.LinkSetVfVlan(parent, f.Index, i.VLAN); err != nil {
		return 0, fmt.Errorf("VLAN %d for virtual function %d of %s: %w", i.VLAN, f.Index, i.Parent, err)
	}
	if err := k.host.LinkSetVfHardwareAddr(parent, f.Index, i.MAC); err != nil {
		return 0, errors.Join(fmt.Errorf("MAC address %s for virtual function %d of %s: %w", i.MAC, f.Index, i.Parent, err), k.clearFunction(i))
	}
	if f.Link == "" {
		return i.MTU, nil
	}
	mtu, err := k.give(ns, f.Link, i)
	if err != nil {
		return 0, errors.Join(fmt.Errorf("device %s: %w", i.Device, err), k.detachFunction(ns, i))
	}
	return mtu, nil
}

// function looks a device up, and the NIC that it is of.
func (k *Kernel) function(i Interface) (Function, netlink.Link, error) {
	f, err := k.Function(i.Device)
	if err != nil {
		return Function{}, nil, err
	}
	if !slices.Contains(f.Physical, i.Parent) {
		return Function{}, nil, fmt.Errorf("device %s is of NIC %v, and %s leads to the network", i.Device, f.Physical, i.Parent)
	}
	parent, err := k.host.LinkByName(i.Parent)
	if err != nil {
		return Function{}, nil, fmt.Errorf("NIC %s: %w", i.Parent, err)
	}
	return f, parent, nil
}

// give moves an interface of the host to the pod, under the pod's name for it.
func (k *Kernel) give(ns *os.File, name string, i Interface) (int, error) {
	l, err := k.host.LinkByName(name)
	if err != nil {
		return 0, err
	}
	mtu := l.Attrs().MTU
	if i.MTU != 0 {
		if err := k.host.LinkSetMTU(l, i.MTU); err != nil {
			return 0, fmt.Errorf("mtu %d: %w", i.MTU, err)
		}
		mtu = i.MTU
	}
	if err := k.host.LinkSetDown(l); err != nil {
		return 0, err
	}
	if err := k.host.LinkSetHardwareAddr(l, i.MAC); err != nil {
		return 0, fmt.Errorf("MAC address %s: %w", i.MAC, err)
	}
	return mtu, k.inside(ns, func() error {
		pod, err := dial()
		if err != nil {
			return err
		}
		defer pod.close()
		if err := k.move(l.Attrs().Index, ns, i.IfName); err != nil {
			return fmt.Errorf("move %s to the pod as %s: %w", name, i.IfName, err)
		}
		return k.begin(pod, i)
	})
}

// move moves an interface of the host and renames it, both at once: there may be
// one with its old name where it goes.
func (k *Kernel) move(index int, to *os.File, name string) error {
	request := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
	message := nl.NewIfInfomsg(unix.AF_UNSPEC)
	message.Index = int32(index)
	request.AddData(message)
	request.AddData(nl.NewRtAttr(unix.IFLA_NET_NS_FD, nl.Uint32Attr(uint32(to.Fd()))))
	request.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)))
	return k.atHome(request)
}

// atHome sends a request in the host's network namespace, wherever the thread is.
func (k *Kernel) atHome(request *nl.NetlinkRequest) error {
	return k.in(k.home, func(*netlink.Handle) error {
		_, err := request.Execute(unix.NETLINK_ROUTE, 0)
		return err
	})
}

// detachFunction gives the interface back to the host, under the name that it had,
// and takes the network's VLAN from the function. Where the namespace is gone the
// kernel has given it back, under a name of its own.
func (k *Kernel) detachFunction(ns *os.File, i Interface) error {
	var back error
	if ns != nil {
		back = k.in(ns, func(pod *netlink.Handle) error { return k.takeBack(pod, i) })
	}
	return errors.Join(goneIsFine(back, i), k.rename(i), k.clearFunction(i))
}

func (k *Kernel) takeBack(pod *netlink.Handle, i Interface) error {
	l, err := pod.LinkByName(i.IfName)
	if err != nil || !slices.Equal(l.Attrs().HardwareAddr, i.MAC) {
		return err
	}
	if err := pod.LinkSetDown(l); err != nil {
		return err
	}
	request := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
	message := nl.NewIfInfomsg(unix.AF_UNSPEC)
	message.Index = int32(l.Attrs().Index)
	request.AddData(message)
	request.AddData(nl.NewRtAttr(unix.IFLA_NET_NS_FD, nl.Uint32Attr(uint32(k.home.Fd()))))
	request.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(i.DeviceLink)))
	_, err = request.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

// rename gives a function's interface the name that it had.
func (k *Kernel) rename(i Interface) error {
	f, err := k.Function(i.Device)
	if err != nil || f.Link == "" || i.DeviceLink == "" || f.Link == i.DeviceLink {
		return err
	}
	l, err := k.host.LinkByName(f.Link)
	if err != nil {
		return err
	}
	if err := k.host.LinkSetDown(l); err != nil {
		return err
	}
	return k.host.LinkSetName(l, i.DeviceLink)
}

// clearFunction takes VLAN and MAC address from a virtual function.
func (k *Kernel) clearFunction(i Interface) error {
	f, parent, err := k.function(i)
	if err != nil {
		return err
	}
	return errors.Join(k.host.LinkSetVfVlan(parent, f.Index, 0), k.host.LinkSetVfHardwareAddr(parent, f.Index, make(net.HardwareAddr, 6)))
}
