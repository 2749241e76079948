package plug

import (
	"fmt"

	"github.com/vishvananda/netlink"
)

// monitor is how often a bond looks at the carrier, in ms: what Linux's documentation
// (networking/bonding) and most systems have.
const monitor = 100

// peerNotifications are what docs/upgrades.md advises (num_grat_arp).
const peerNotifications = 10

// wires are the names of the links that are made of NICs: that of an endpoint at two is
// a bond of them.
func (r *Room) wires() []string {
	if r.Endpoint.Second.NIC == "" {
		return []string{Link}
	}
	return []string{"wire0", "wire1"}
}

// bond makes the endpoint's link of two that are there.
func (r *Room) bond(wires []string) error {
	return r.with(func(h *netlink.Handle) error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.MTU, attrs.HardwareAddr = Link, r.Endpoint.MTU, r.MAC
		bond := netlink.NewLinkBond(attrs)
		bond.Mode, bond.Miimon, bond.NumPeerNotif = netlink.BOND_MODE_ACTIVE_BACKUP, monitor, peerNotifications
		if err := h.LinkAdd(bond); err != nil {
			return fmt.Errorf("make a bond of %s: %w%s", &r.Endpoint, err, hint(err, bond))
		}
		for _, name := range wires {
			wire, err := h.LinkByName(name)
			if err != nil {
				return err
			}
			if err := h.LinkSetMaster(wire, bond); err != nil {
				return fmt.Errorf("put %s into the bond of %s: %w", name, &r.Endpoint, err)
			}
		}
		return nil
	})
}
