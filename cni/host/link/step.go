package link

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/cni/eintr"
	"github.com/switchlet/switchlet/cni/host/uplink"
)

// carrierEvery is how often a bond looks at the carriers below it, in
// milliseconds.
const carrierEvery = 100

// peerNotifications are how often addresses are announced when a bond uses another NIC, once
// each carrierEvery. The leaf there takes no notice of one as long as it knows by BGP that
// the address is at the other leaf.
const peerNotifications = 10

// Do takes a step.
func (k *Kernel) Do(s uplink.Step) error {
	if err := k.do(s); err != nil {
		return fmt.Errorf("%s: %w", s, err)
	}
	return nil
}

func (k *Kernel) do(s uplink.Step) error {
	d := s.Device
	if s.Op == uplink.Create {
		return k.create(d)
	}
	return k.change(s.Op, d)
}

// change changes a device that is there, or deletes it.
func (k *Kernel) change(op uplink.Op, d uplink.Device) error {
	l, err := k.host.LinkByName(d.Name)
	if err != nil {
		if op == uplink.Delete && isGone(err) {
			return nil
		}
		return err
	}
	switch op {
	case uplink.Delete:
		return k.host.LinkDel(l)
	case uplink.SetAlias:
		return k.host.LinkSetAlias(l, d.Alias)
	case uplink.SetMTU:
		return k.host.LinkSetMTU(l, d.MTU)
	case uplink.SetMaster:
		return k.setMaster(l, d)
	case uplink.SetUp:
		return k.host.LinkSetUp(l)
	case uplink.SetPromisc:
		if d.Promisc {
			return k.host.SetPromiscOn(l)
		}
		return k.host.SetPromiscOff(l)
	case uplink.SetBoth, uplink.SetActive:
		return k.changeBond(op, d)
	case uplink.Create:
	}
	return fmt.Errorf("unknown step %d", op)
}

// changeBond changes how a bond uses what is in it.
func (k *Kernel) changeBond(op uplink.Op, d uplink.Device) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = d.Name
	bond := netlink.NewLinkBond(attrs)
	if op == uplink.SetBoth {
		bond.AllSlavesActive = 0
		if d.Both {
			bond.AllSlavesActive = 1
		}
		return k.host.LinkModify(bond)
	}
	slave, err := k.host.LinkByName(d.Active)
	if err != nil {
		return fmt.Errorf("device %s: %w", d.Active, err)
	}
	bond.ActiveSlave = slave.Attrs().Index
	return k.host.LinkModify(bond)
}

func (k *Kernel) create(d uplink.Device) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = d.Name
	switch d.Kind {
	case uplink.VLAN:
		on, err := k.host.LinkByName(d.Link)
		if err != nil {
			return fmt.Errorf("NIC %s: %w", d.Link, err)
		}
		attrs.ParentIndex = on.Attrs().Index
		return k.made(d, k.host.LinkAdd(&netlink.Vlan{LinkAttrs: attrs, VlanId: d.ID}))
	case uplink.Bond:
		bond := netlink.NewLinkBond(attrs)
		bond.Mode = netlink.BOND_MODE_ACTIVE_BACKUP
		bond.Miimon, bond.NumPeerNotif = carrierEvery, peerNotifications
		bond.FailOverMac = netlink.BOND_FAIL_OVER_MAC_ACTIVE // VLAN devices keep their addresses
		return k.made(d, k.host.LinkAdd(bond))
	case uplink.Bridge:
		off := false
		return k.made(d, k.host.LinkAdd(&netlink.Bridge{LinkAttrs: attrs, MulticastSnooping: &off}))
	}
	return fmt.Errorf("devices of kind %q are not made", d.Kind)
}

// made has the host itself stay out of a network: it takes no address of it from
// router advertisements, and none at all.
func (k *Kernel) made(d uplink.Device, err error) error {
	if err != nil {
		return err
	}
	return k.in(k.home, func(*netlink.Handle) error { return k.sysctl("net/ipv6/conf", d.Name, variable{"disable_ipv6", "1"}) })
}

// setMaster puts a device into a bond or bridge.
func (k *Kernel) setMaster(l netlink.Link, d uplink.Device) error {
	if d.Master == "" {
		return k.host.LinkSetNoMaster(l)
	}
	master, err := k.host.LinkByName(d.Master)
	if err != nil {
		return fmt.Errorf("device %s: %w", d.Master, err)
	}
	if master.Type() == uplink.Bond { // which takes none that is up
		if err := k.host.LinkSetDown(l); err != nil {
			return err
		}
	}
	return k.host.LinkSetMasterByIndex(l, master.Attrs().Index)
}

// variable of a device.
type variable struct{ name, value string }

// sysctl sets variables of a device, in the network namespace of the thread. A kernel
// without IPv6 has none of its variables, and none is needed. The kernel takes long to
// find the folder: it has one of that name for each network namespace.
func (k *Kernel) sysctl(table, device string, all ...variable) error {
	path := filepath.Join(k.cfg.Proc, "sys", table, device)
	folder, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer unix.Close(folder)
	for _, v := range all {
		if err := v.set(folder); err != nil {
			return fmt.Errorf("%s/%s: %w", path, v.name, err)
		}
	}
	return nil
}

// set leaves alone what is so already: for disable_ipv6 the kernel takes the lock that
// all devices share, and tries again and again until it has it.
func (v variable) set(folder int) error {
	file, err := unix.Openat(folder, v.name, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(file)
	was := make([]byte, 16)
	n, err := unix.Pread(file, was, 0)
	if err == nil && strings.TrimSpace(string(was[:n])) == v.value {
		return nil
	}
	return eintr.Again(func() error {
		_, err := unix.Pwrite(file, []byte(v.value), 0)
		return err
	})
}

func isGone(err error) bool {
	var gone netlink.LinkNotFoundError
	return errors.As(err, &gone)
}
