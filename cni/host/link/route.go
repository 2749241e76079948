package link

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Route is one of a pod: what it reaches through a gateway of its subnet.
type Route struct {
	To  netip.Prefix
	Via netip.Addr
}

func (r Route) String() string { return fmt.Sprintf("route to %s by %s", r.To, r.Via) }

// isDefault: it leads to everything that no other route does.
func (r Route) isDefault() bool { return r.To.Bits() == 0 }

// protocol marks the agent's routes (ip route: proto). Those of others on the
// interface are not touched. No routing daemon has this number (iproute2,
// etc/iproute2/rt_protos).
const protocol netlink.RouteProtocol = 83

// ErrSurplus says that there is something that has no reason any more.
var ErrSurplus = errors.New("there still")

// ErrRouteTaken says that two networks of a pod have the same addresses.
var ErrRouteTaken = errors.New("the pod has one already, by another interface")

// table is a pod's routes at one moment, seen from one of its interfaces.
type table struct {
	pod   *netlink.Handle
	index int
	all   []netlink.Route
}

func routes(pod *netlink.Handle, index int) (*table, error) {
	all, err := pod.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return nil, fmt.Errorf("list the routes: %w", err)
	}
	return &table{pod, index, all}, nil
}

// own are the agent's routes on the interface.
func (t *table) own() []Route {
	var found []Route
	for _, r := range t.all {
		if via, ok := netip.AddrFromSlice(r.Gw); ok && r.Protocol == protocol && r.LinkIndex == t.index {
			found = append(found, Route{destination(r), via.Unmap()})
		}
	}
	return found
}

func destination(r netlink.Route) netip.Prefix {
	to, _ := netip.AddrFromSlice(r.Dst.IP)
	bits, _ := r.Dst.Mask.Size()
	return netip.PrefixFrom(to.Unmap(), bits)
}

// elsewhere reports whether another interface of the agent leads there: a pod may be
// in several subnets of a VPC. Of two networks that have the same addresses the first
// one counts.
func (t *table) elsewhere(to netip.Prefix) (bool, error) {
	for _, r := range t.all {
		if r.Dst == nil || r.LinkIndex == t.index || destination(r) != to {
			continue
		}
		by, err := t.pod.LinkByIndex(r.LinkIndex)
		if err != nil {
			return false, err
		}
		if _, ours := ParseMark(by.Attrs().Alias, by.Attrs().Name); ours {
			return true, nil
		}
	}
	return false, nil
}

// route gives a pod the routes that it lacks, and takes those away that it is to
// have no more.
func route(pod *netlink.Handle, index int, i Interface) error {
	t, err := routes(pod, index)
	if err != nil {
		return err
	}
	if err := t.direct(i); err != nil || i.RoutesUnknown {
		return err
	}
	have := t.own()
	for _, r := range have {
		if slices.Contains(i.Routes, r) {
			continue
		}
		if err := pod.RouteDel(t.kernel(r)); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("delete the route to %s: %w", r.To, err)
		}
	}
	for _, r := range i.Routes {
		if slices.Contains(have, r) {
			continue
		}
		if err := t.add(r); err != nil {
			return err
		}
	}
	return nil
}

// direct takes away the routes to the interface's own subnets that another interface
// of the agent has: the kernel would prefer them, as the older ones.
func (t *table) direct(i Interface) error {
	for _, r := range t.all {
		if r.Protocol != protocol || r.LinkIndex == t.index {
			continue
		}
		to := destination(r)
		if !slices.ContainsFunc(i.Addresses, func(a netip.Prefix) bool { return a.Masked() == to }) {
			continue
		}
		if err := t.pod.RouteDel(&r); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("delete the route to %s by another interface: %w", to, err)
		}
	}
	return nil
}

func (t *table) add(r Route) error {
	err := t.pod.RouteAdd(t.kernel(r))
	if errors.Is(err, unix.EEXIST) && r.isDefault() {
		return nil // somebody has decided on another one
	}
	if errors.Is(err, unix.EEXIST) {
		leads, err := t.elsewhere(r.To)
		if err == nil && !leads {
			err = fmt.Errorf("route to %s: %w", r.To, ErrRouteTaken)
		}
		return err
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r, err)
	}
	return nil
}

func (t *table) kernel(r Route) *netlink.Route {
	return &netlink.Route{LinkIndex: t.index, Dst: ipNet(r.To), Gw: r.Via.AsSlice(), Protocol: protocol}
}

// lookRoutes says what is wrong with the routes of an interface. That the default
// route is somewhere else is not: a pod, or Multus, may choose another one.
func lookRoutes(pod *netlink.Handle, index int, i Interface) error {
	if i.RoutesUnknown {
		return nil
	}
	t, err := routes(pod, index)
	if err != nil {
		return err
	}
	have := t.own()
	for _, r := range i.Routes {
		if r.isDefault() || slices.Contains(have, r) {
			continue
		}
		leads, err := t.elsewhere(r.To)
		if err != nil {
			return err
		}
		if !leads {
			return fmt.Errorf("route to %s of interface %s: %w", r.To, i.IfName, ErrMissing)
		}
	}
	for _, r := range have {
		if !slices.Contains(i.Routes, r) {
			return fmt.Errorf("route to %s of interface %s: %w", r.To, i.IfName, ErrSurplus)
		}
	}
	return nil
}
