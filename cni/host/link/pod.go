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
	mtu, err = k.add(ns, i)
	if errors.Is(err, unix.EEXIST) {
		return 0, fmt.Errorf("interface %s: %w", i.IfName, ErrExists)
	}
	if err != nil {
		return 0, fmt.Errorf("make interface %s on %s: %w", i.IfName, i.Parent, err)
	}
	if err := k.in(ns, func(pod *netlink.Handle) error { return k.begin(pod, i) }); err != nil {
		return 0, errors.Join(fmt.Errorf("interface %s: %w", i.IfName, err), k.Detach(ns, i))
	}
	return mtu, k.announce(ns, i)
}

// add makes the interface in the pod's network namespace. It is down.
func (k *Kernel) add(ns *os.File, i Interface) (int, error) {
	parent, err := k.host.LinkByName(i.Parent)
	if err != nil {
		return 0, fmt.Errorf("device %s: %w", i.Parent, err)
	}
	attrs := netlink.NewLinkAttrs()
	if attrs.MTU = i.MTU; i.MTU == 0 || i.MTU > parent.Attrs().MTU {
		attrs.MTU = parent.Attrs().MTU
	}
	if i.Mode == request.Bridge {
		attrs.Name, attrs.MasterIndex, attrs.Flags = HostName(i.Key), parent.Attrs().Index, net.FlagUp
		err := k.host.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: i.IfName, PeerHardwareAddr: i.MAC,
			PeerMTU: uint32(attrs.MTU), PeerNamespace: netlink.NsFd(int(ns.Fd()))})
		return attrs.MTU, err
	}
	attrs.Name, attrs.HardwareAddr, attrs.ParentIndex = i.IfName, i.MAC, parent.Attrs().Index
	attrs.Namespace = netlink.NsFd(int(ns.Fd()))
	return attrs.MTU, k.host.LinkAdd(&netlink.Macvlan{LinkAttrs: attrs, Mode: netlink.MACVLAN_MODE_BRIDGE})
}

// begin makes a new interface complete, and the one with the default route if it is
// to be that.
func (k *Kernel) begin(pod *netlink.Handle, i Interface) error {
	if err := k.complete(pod, i); err != nil || !slices.ContainsFunc(i.Routes, Route.isDefault) {
		return err
	}
	l, err := pod.LinkByName(i.IfName)
	if err != nil {
		return err
	}
	return claim(pod, l, i)
}

// complete gives the interface what it lacks, and switches it on.
func (k *Kernel) complete(pod *netlink.Handle, i Interface) error {
	l, err := pod.LinkByName(i.IfName)
	if err != nil {
		return err
	}
	if err := k.tune(i); err != nil {
		return err
	}
	for _, a := range i.Addresses {
		// An address is never tentative: the pod can speak from it at once.
		address := &netlink.Addr{Flags: unix.IFA_F_NODAD, IPNet: ipNet(a)}
		if err := pod.AddrAdd(l, address); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("address %s: %w", a, err)
		}
	}
	if i.Alias != l.Attrs().Alias && i.Alias != "" {
		if err := pod.LinkSetAlias(l, i.Alias); err != nil {
			return fmt.Errorf("alias %q: %w", i.Alias, err)
		}
	}
	if err := pod.LinkSetUp(l); err != nil {
		return fmt.Errorf("switch it on: %w", err)
	}
	return route(pod, l, i)
}

// tune sets the interface's variables: IPv4 addresses are announced when it comes up,
// nobody is asked whether they are free (the journal says so), and what routers
// advertise is not believed.
func (k *Kernel) tune(i Interface) error {
	set := [][3]string{{"net/ipv4/conf", "arp_notify", "1"}, {"net/ipv6/conf", "disable_ipv6", "1"}}
	if i.IPv6 {
		const table = "net/ipv6/conf"
		set = [][3]string{set[0], {table, "accept_ra", "0"}, {table, "accept_dad", "0"}, {table, "disable_ipv6", "0"}}
	}
	for _, s := range set {
		if err := k.sysctl(s[0], i.IfName, s[1], s[2]); err != nil {
			return err
		}
	}
	return nil
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
