package main

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/uplink"
)

// devices are the host's. A kernel without VLAN devices or bonds makes other ones in
// their place, a veth pair and a bridge, of which it takes as long to make: frames do not
// get anywhere by them, and nobody in the benchmark sends any.
type devices struct {
	*link.Kernel
	host, far netns.NsHandle
	instead   map[string]uplink.Device
}

// Do takes a step.
func (d *devices) Do(s uplink.Step) error {
	err := d.Kernel.Do(s)
	if s.Op != uplink.Create || !errors.Is(err, unix.EOPNOTSUPP) {
		return err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = s.Device.Name
	var other netlink.Link = &netlink.Bridge{LinkAttrs: attrs}
	if s.Device.Kind == uplink.VLAN {
		other = &netlink.Veth{LinkAttrs: attrs, PeerName: s.Device.Name, PeerNamespace: netlink.NsFd(d.far)}
	}
	h, err := netlink.NewHandleAt(d.host)
	if err != nil {
		return err
	}
	defer h.Close()
	if err := h.LinkAdd(other); err != nil {
		return fmt.Errorf("in place of %s: %w", s.Device.Name, err)
	}
	d.instead[s.Device.Name] = s.Device
	return nil
}

// Devices are those that there are, as if they were what was asked for.
func (d *devices) Devices() ([]uplink.Device, error) {
	all, err := d.Kernel.Devices()
	for i := range all {
		if as, ok := d.instead[all[i].Name]; ok {
			all[i].Kind, all[i].Link, all[i].ID = as.Kind, as.Link, as.ID
		}
	}
	return all, err
}
