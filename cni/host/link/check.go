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

// Check says what is wrong with an interface: an error that is ErrMissing or
// ErrSurplus, or nil.
func (k *Kernel) Check(ns *os.File, i Interface) error {
	if i.Mode == request.Chained {
		return nil
	}
	return k.in(ns, func(pod *netlink.Handle) error { return look(pod, i) })
}

func look(pod *netlink.Handle, i Interface) error {
	l, err := pod.LinkByName(i.IfName)
	if err != nil {
		if isGone(err) {
			return fmt.Errorf("interface %s: %w", i.IfName, ErrMissing)
		}
		return err
	}
	if mac := l.Attrs().HardwareAddr; len(i.MAC) > 0 && !slices.Equal(mac, i.MAC) {
		return fmt.Errorf("interface %s has MAC address %s, and %s is %w", i.IfName, mac, i.MAC, ErrMissing)
	}
	if i.Alias != "" && l.Attrs().Alias != i.Alias {
		return fmt.Errorf("interface %s has alias %q, and %q is %w", i.IfName, l.Attrs().Alias, i.Alias, ErrMissing)
	}
	if l.Attrs().Flags&net.FlagUp == 0 {
		return fmt.Errorf("interface %s is down: its flag up is %w", i.IfName, ErrMissing)
	}
	addresses, err := pod.AddrList(l, netlink.FAMILY_ALL)
	if err != nil {
		return fmt.Errorf("addresses of interface %s: %w", i.IfName, err)
	}
	for _, want := range i.Addresses {
		if !slices.ContainsFunc(addresses, func(a netlink.Addr) bool { return prefix(a) == want }) {
			return fmt.Errorf("address %s of interface %s: %w", want, i.IfName, ErrMissing)
		}
	}
	return lookRoutes(pod, l.Attrs().Index, i)
}

func prefix(a netlink.Addr) netip.Prefix {
	ip, _ := netip.AddrFromSlice(a.IP)
	bits, _ := a.Mask.Size()
	return netip.PrefixFrom(ip.Unmap(), bits)
}

// Repair gives an interface back what Check misses, and takes away what is too much.
// One that is not there is made anew, if it can be.
func (k *Kernel) Repair(ns *os.File, i Interface) error {
	err := k.in(ns, func(pod *netlink.Handle) error {
		l, err := pod.LinkByName(i.IfName)
		if err != nil {
			return err
		}
		if mac := l.Attrs().HardwareAddr; !slices.Equal(mac, i.MAC) {
			if err := pod.LinkSetHardwareAddr(l, i.MAC); err != nil {
				return fmt.Errorf("MAC address %s: %w", i.MAC, err)
			}
		}
		return k.mend(pod, l.Attrs().Index, i)
	})
	if isGone(err) {
		_, err = k.Attach(ns, i)
	}
	return err
}

// mend makes an interface complete that was. The thread is in the pod.
func (k *Kernel) mend(pod *netlink.Handle, index int, i Interface) error {
	if err := k.tune(i); err != nil {
		return err
	}
	c, err := dial()
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.do(complete(index, i)...); err != nil {
		return err
	}
	return route(pod, index, i)
}
