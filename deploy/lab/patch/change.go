package patch

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
)

// Plug plugs a cable in at two ends that have none.
func (p *Panel) Plug(a, b cabling.End) error {
	if a == b {
		return fmt.Errorf("%s is one end: a cable needs two", a)
	}
	all, err := p.jacks()
	if err != nil {
		return err
	}
	roomA, roomB, err := p.rooms(a, b)
	if err != nil {
		return err
	}
	if roomA.Host && roomB.Host {
		return fmt.Errorf("%s and %s are both NICs: plug each in at a switch", a, b)
	}
	if roomB.Host { // from here on, only a can be a NIC
		a, b, roomA, roomB = b, a, roomB, roomA
	}
	for _, end := range []cabling.End{a, b} {
		if j := find(all, end); j != nil && j.far != nil {
			return fmt.Errorf("%s has a cable to %s: pull that first: lab cable pull %s", end, j.far.end, end)
		}
	}
	if roomA.Host && find(all, a) == nil {
		return fmt.Errorf("%s has no NIC %s; it has %s", a.Node, a.Port, names(all, func(j *jack) bool { return j.room == roomA }))
	}
	// The links of ports whose cables lead to the floor go with these.
	for _, j := range []*jack{find(all, a), find(all, b)} {
		if j != nil && !j.room.Host {
			if err := j.room.LinkDel(j.link); err != nil {
				return fmt.Errorf("take away the loose cable of %s: %w", j.end, err)
			}
		}
	}
	if !roomA.Host {
		return p.Wire(cabling.New(a, b))
	}
	end, err := p.looseEnd(find(all, a))
	if err != nil {
		return err
	}
	return p.attach(end, roomB, b)
}

// Pull unplugs the cable that is at an end; it then hangs from its other end,
// which has no carrier. A cable to a host is always unplugged at the switch: the
// NIC stays.
func (p *Panel) Pull(end cabling.End) error {
	all, err := p.jacks()
	if err != nil {
		return err
	}
	near, err := p.cabled(all, end)
	if err != nil {
		return err
	}
	if near.room.Host {
		near = near.far
	}
	_, err = near.room.move(near.link, p.floor, loose)
	return err
}

// Move unplugs the other end of the cable that is at an end, and plugs it in
// elsewhere at once, faster than any hand: within the second for which the kernel may
// keep to itself that a carrier was lost (net/core/link_watch.c).
func (p *Panel) Move(end, to cabling.End) error {
	all, err := p.jacks()
	if err != nil {
		return err
	}
	near, err := p.cabled(all, end)
	if err != nil {
		return err
	}
	if near.far.room.Host {
		return fmt.Errorf("the cable at %[1]s leads to %[2]s, a NIC that stays where it is: name that first: lab cable move %[2]s %[3]s", end, near.far.end, to)
	}
	room, err := p.room(to)
	if err != nil {
		return err
	}
	if room.Host {
		return fmt.Errorf("%s is a NIC: pull its cable and the one of %s, and plug the two together", to, end)
	}
	if j := find(all, to); j != nil {
		if j.far != nil {
			return fmt.Errorf("%s has a cable to %s: pull that first: lab cable pull %s", to, j.far.end, to)
		}
		if err := room.LinkDel(j.link); err != nil {
			return fmt.Errorf("take away the loose cable of %s: %w", to, err)
		}
	}
	return p.attach(near.far, room, to)
}

// attach takes a link from where it is to a port of a switch, by way of the floor: it
// gets the port's MAC address there. A switch must not see that of another one at a port
// of its own, not for a moment: its bgpd would drop all routes of that other switch, since
// their router seems to be itself, and they do not come again.
func (p *Panel) attach(from *jack, room *room, to cabling.End) error {
	address, err := room.address(to)
	if err != nil {
		return err
	}
	link := from.link
	if from.room != p.floor {
		if link, err = from.room.move(link, p.floor, loose); err != nil {
			return err
		}
	}
	if err := errors.Join(p.floor.LinkSetHardwareAddr(link, address), p.floor.LinkSetMTU(link, MTU)); err != nil {
		return fmt.Errorf("prepare the plug for %s: %w", to, err)
	}
	if link, err = p.floor.move(link, room, to.Port); err != nil {
		return err
	}
	if err := room.LinkSetUp(link); err != nil {
		return fmt.Errorf("plug in at %s: %w", to, err)
	}
	return nil
}

// looseEnd is the link on the floor of the cable that hangs from a NIC.
func (p *Panel) looseEnd(nic *jack) (*jack, error) {
	link, err := p.floor.LinkByIndex(nic.link.Attrs().ParentIndex)
	if err != nil {
		return nil, fmt.Errorf("find the loose end of the cable of %s: %w", nic.end, err)
	}
	return &jack{end: cabling.End{Node: p.floor.Name, Port: link.Attrs().Name}, room: p.floor, link: link}, nil
}

// cabled is an end that has a cable with both ends plugged in.
func (p *Panel) cabled(all []*jack, end cabling.End) (*jack, error) {
	if _, err := p.room(end); err != nil {
		return nil, err
	}
	j := find(all, end)
	if j == nil || j.far == nil {
		return nil, fmt.Errorf("no cable is plugged in at %s; on %s cables are at %s", end, end.Node,
			names(all, func(j *jack) bool { return j.end.Node == end.Node && j.far != nil }))
	}
	return j, nil
}

func find(all []*jack, end cabling.End) *jack {
	i := slices.IndexFunc(all, func(j *jack) bool { return j.end == end })
	if i < 0 {
		return nil
	}
	return all[i]
}

// names are those ends of which something is true.
func names(all []*jack, is func(*jack) bool) string {
	var ends []cabling.End
	for _, j := range all {
		if is(j) {
			ends = append(ends, j.end)
		}
	}
	if len(ends) == 0 {
		return "none"
	}
	slices.SortFunc(ends, cabling.End.Compare)
	var list []string
	for _, end := range ends {
		list = append(list, end.Port)
	}
	return strings.Join(list, ", ")
}
