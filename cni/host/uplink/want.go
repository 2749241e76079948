package uplink

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Reasons of problems.
const (
	ReasonNoUplink     = "NoUplink"
	ReasonMTU          = "MTUTooLarge"
	ReasonNameTaken    = "NameTaken"
	ReasonNICInUse     = "NICInUse"
	ReasonNotRedundant = "NotRedundant"
)

// wanted is what devices a host is to have, those that others stand on first.
type wanted struct {
	have     map[string]Device
	devices  []Device
	problems []v1alpha1.Problem
}

func (w *wanted) problem(n Network, reason, format string, args ...any) {
	w.problems = append(w.problems, v1alpha1.Problem{
		Owner: n.Owner, Reason: reason, Message: fmt.Sprintf("network %s: ", n.Name) + fmt.Sprintf(format, args...),
	})
}

// network adds the devices of one network.
func (w *wanted) network(n Network) {
	switch {
	case n.Owner.Name == "":
		return // the spec has it no more
	case len(n.Uplinks) == 0:
		w.problem(n, ReasonNoUplink, "no NIC of this host leads to it: see the Links of the host")
		return
	case n.tagged():
		if !w.bond(n) {
			return
		}
	default:
		if !w.untagged(n) {
			return
		}
	}
	if n.Bridge {
		w.bridge(n)
	}
}

// bond adds the VLAN devices and the bond that they are in.
func (w *wanted) bond(n Network) bool {
	bond := Device{Name: BondName(n.VNI), Kind: Bond, Up: true, Alias: alias(n), VNI: n.VNI}
	if n.Bridge {
		bond.Master = BridgeName(n.VNI)
	}
	var slaves []Device
	taken := map[string]bool{}
	for _, u := range n.Uplinks {
		nic, ok := w.have[u.NIC]
		if !ok {
			w.problem(n, ReasonNoUplink, "the host has no NIC %s", u.NIC)
			continue
		}
		slave := Device{Kind: VLAN, Link: u.NIC, ID: int(u.VLAN), Master: bond.Name, Up: true, MTU: w.mtu(n, nic), Alias: alias(n), VNI: n.VNI}
		slave.Name = w.name(n, slave, taken)
		taken[slave.Name] = true
		slaves = append(slaves, slave)
	}
	if len(slaves) == 0 {
		return false
	}
	bond.MTU = slaves[0].MTU
	for _, s := range slaves {
		bond.MTU = min(bond.MTU, s.MTU)
	}
	for i := range slaves {
		slaves[i].MTU = bond.MTU // a bond gives its own to those in it
	}
	w.devices = append(append(w.devices, bond), slaves...)
	return true
}

// name is that which a VLAN device has already, or one that is free.
func (w *wanted) name(n Network, d Device, taken map[string]bool) string {
	prefix := BondName(n.VNI) + "-"
	for _, name := range slices.Sorted(maps.Keys(w.have)) {
		if have := w.have[name]; strings.HasPrefix(name, prefix) && have.Kind == d.Kind && have.Link == d.Link && have.ID == d.ID && !taken[name] {
			return name
		}
	}
	for i := 1; ; i++ {
		name := fmt.Sprint(prefix, i)
		if have, there := w.have[name]; !taken[name] && (!there || !w.fits(n, have)) {
			return name
		}
	}
}

// fits reports whether a VLAN device is right for one of the uplinks.
func (w *wanted) fits(n Network, d Device) bool {
	return slices.ContainsFunc(n.Uplinks, func(u v1alpha1.HostUplink) bool { return u.NIC == d.Link && int(u.VLAN) == d.ID })
}

func (w *wanted) mtu(n Network, nic Device) int {
	if n.MTU > nic.MTU {
		w.problem(n, ReasonMTU, "its mtu is %d and that of NIC %s is %d: pods get %d; give the NIC a larger one", n.MTU, nic.Name, nic.MTU, nic.MTU)
	}
	if n.MTU == 0 {
		return nic.MTU
	}
	return min(n.MTU, nic.MTU)
}

// untagged looks at the NIC that pods are attached to directly.
func (w *wanted) untagged(n Network) bool {
	nic, ok := w.have[n.parent()]
	if !ok {
		w.problem(n, ReasonNoUplink, "the host has no NIC %s", n.parent())
		return false
	}
	if len(n.Uplinks) > 1 {
		w.problem(n, ReasonNotRedundant, "its frames are untagged, and %s alone is used of %d NICs: put the NICs into a bond, or have the network tagged", nic.Name, len(n.Uplinks))
	}
	w.mtu(n, nic)
	return true
}

func (w *wanted) bridge(n Network) {
	bridge := Device{Name: BridgeName(n.VNI), Kind: Bridge, Up: true, Alias: alias(n), VNI: n.VNI}
	if !n.tagged() {
		nic := w.have[n.parent()]
		if nic.Master != bridge.Name && (nic.Busy || nic.Master != "") {
			w.problem(n, ReasonNICInUse, "NIC %s has addresses of the host, other devices on it, or is in %q: mode bridge needs it for itself; use mode macvlan, or have the network tagged", nic.Name, nic.Master)
			return
		}
		nic.Master, nic.Up, nic.MTU, nic.VNI = bridge.Name, true, 0, n.VNI
		bridge.MTU = w.mtu(n, w.have[nic.Name])
		w.devices = append(w.devices, bridge, nic)
		return
	}
	bridge.MTU = w.devices[len(w.devices)-1].MTU
	w.devices = append(w.devices, bridge)
}

func alias(n Network) string { return fmt.Sprintf("%s %s", Alias, n.Name) }
