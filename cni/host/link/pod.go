package link

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/cni/host/request"
)

// Interface is that of a pod in one network.
type Interface struct {
	request.Key
	Mode request.Mode
	MAC  net.HardwareAddr
	// MTU in octets; 0: that of Parent.
	MTU int
	// Parent is the device of the host that it is attached to; in mode sriov, the
	// physical function, which has to be one of Functions.
	Parent string
	// Addresses with the length of the subnet's prefix.
	Addresses []netip.Prefix
	// IPv6: the network has that family. If not, it is off on the interface.
	IPv6 bool
	// Routes of the pod that lead through it. RoutesUnknown: those that it has stay.
	Routes        []Route
	RoutesUnknown bool
	// Alias is its mark.
	Alias string
	// Device is the PCI address of a virtual function, and DeviceLink what its
	// interface is called on the host. VLAN is the network's tag.
	Device, DeviceLink string
	VLAN               int
}

// HostName is that of the host's end of a veth pair, in mode bridge.
func HostName(k request.Key) string {
	sum := sha256.Sum256([]byte(k.String()))
	return "swp" + hex.EncodeToString(sum[:6])
}

// ErrExists says that the pod has an interface of that name.
var ErrExists = errors.New("the pod has an interface of that name already")

// ErrMissing says that something is not there any more.
var ErrMissing = errors.New("missing")

// Attach makes an interface, and returns its MTU. When it fails, it leaves
// nothing behind.
func (k *Kernel) Attach(ns *os.File, i Interface) (mtu int, err error) {
	if i.Mode == request.SRIOV {
		return k.attachFunction(ns, i)
	}
	made, mtu, err := k.attach(ns, i)
	switch {
	case err == nil:
		return mtu, nil
	case !made && errors.Is(err, unix.EEXIST):
		return 0, fmt.Errorf("interface %s: %w", i.IfName, ErrExists)
	case !made:
		return 0, fmt.Errorf("make interface %s on %s: %w", i.IfName, i.Parent, err)
	}
	return 0, errors.Join(fmt.Errorf("interface %s: %w", i.IfName, err), k.Detach(ns, i))
}

// attach makes an interface and gives it what it has to have. made: it is there,
// whatever else is not.
func (k *Kernel) attach(ns *os.File, i Interface) (made bool, mtu int, err error) {
	k.making.Lock()
	defer k.making.Unlock()
	first := i
	first.IfName = k.firstName(i)
	if mtu, err = k.add(ns, first); err != nil {
		return false, 0, err
	}
	made = true
	err = k.inside(ns, func() error {
		pod, err := dial()
		if err != nil {
			return err
		}
		defer pod.close()
		if first.IfName != i.IfName {
			if err := rename(pod, first.IfName, i.IfName); err != nil {
				made = false
				return err
			}
		}
		if err := k.begin(pod, i); err != nil {
			return err
		}
		k.announce(i)
		return nil
	})
	return made, mtu, err
}

// firstName is what an interface is called until it is in the pod. Linux before 6.15 looks
// for the new name among the host's devices too, whichever namespace it is for
// (rtnl_newlink_create), and most hosts have an eth0 of their own. The host's end of a
// veth pair has a name of its own, and is what is looked for there.
func (k *Kernel) firstName(i Interface) string {
	if _, err := k.maker.index(i.IfName); err != nil || i.Mode == request.Bridge {
		return i.IfName
	}
	return HostName(i.Key)
}

// rename gives a new interface its name in the pod, or takes it away.
func rename(pod *conn, from, to string) error {
	index, err := pod.index(from)
	if err != nil {
		return err
	}
	if err := pod.do(named(index, to)); err != nil {
		return errors.Join(err, pod.do(deleted(index)))
	}
	return nil
}

// add makes the interface in the pod's network namespace. It is down.
func (k *Kernel) add(ns *os.File, i Interface) (int, error) {
	parent, err := k.maker.index(i.Parent)
	if err != nil {
		return 0, err
	}
	mtu, err := k.maker.mtu(i.Parent)
	if err != nil {
		return 0, err
	}
	if i.MTU != 0 && i.MTU < mtu {
		mtu = i.MTU
	}
	return mtu, k.maker.do(created(i, parent, mtu, ns))
}

// begin makes a new interface complete, and the one with the default route if it is
// to be that. The thread is in the pod.
func (k *Kernel) begin(pod *conn, i Interface) error {
	index, err := pod.index(i.IfName)
	if err != nil {
		return err
	}
	if err := k.tune(i); err != nil {
		return err
	}
	if err := pod.do(complete(index, i)...); err != nil {
		return err
	}
	err = pod.do(led(index, i)...)
	if errors.Is(err, unix.EEXIST) { // perhaps by another interface of the agent
		err = with(func(pod *netlink.Handle) error { return route(pod, index, i) })
	}
	if err != nil {
		return err
	}
	return pod.do(claimed(index, i)...)
}

// tune sets the interface's variables: nobody is asked whether its addresses are free
// (the journal says so), and what routers advertise is not believed. The thread is in
// the pod.
func (k *Kernel) tune(i Interface) error {
	if !i.IPv6 {
		return k.sysctl("net/ipv6/conf", i.IfName, variable{"disable_ipv6", "1"})
	}
	return k.sysctl("net/ipv6/conf", i.IfName, variable{"accept_ra", "0"}, variable{"accept_dad", "0"}, variable{"disable_ipv6", "0"})
}

// Detach takes an interface away. That it is gone already, or another one of its
// name is there, is no error.
func (k *Kernel) Detach(ns *os.File, i Interface) error {
	switch i.Mode {
	case request.SRIOV:
		return k.detachFunction(ns, i)
	case request.Bridge:
		l, err := k.host.LinkByName(HostName(i.Key))
		if err == nil {
			err = k.host.LinkDel(l)
		}
		return goneIsFine(err, i)
	case request.Macvlan:
		if ns == nil {
			return nil // it went with the namespace
		}
		return goneIsFine(k.in(ns, func(pod *netlink.Handle) error {
			l, err := pod.LinkByName(i.IfName)
			if err != nil || l.Type() != "macvlan" || !slices.Equal(l.Attrs().HardwareAddr, i.MAC) {
				return err
			}
			return pod.LinkDel(l)
		}), i)
	case request.Chained:
	}
	return nil
}

func goneIsFine(err error, i Interface) error {
	if err == nil || isGone(err) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return fmt.Errorf("delete interface %s of container %s: %w", i.IfName, i.ContainerID, err)
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
