// Package patch is the patch panel of a lab: its cables are veth pairs, and
// where a cable leads is where the kernel says that the two ends are.
//
//	host1                     leaf1                  leaf2
//	eth1 ═════════════════════ Ethernet0
//	eth2 ═══════════════════════════════════════════ Ethernet0
//
// A switch's port has a link only while a cable is in it. A host's NIC stays
// when its cable is pulled, without a carrier, as it would: the other end lies
// on the floor, which is the lab's own network namespace, until it is plugged
// in somewhere.
package patch

import (
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/vishvananda/netlink"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/network"
)

// MTU of both ends of a cable: that of SONiC's ports.
const MTU = 9100

// Place is what has ends of cables: a switch or a host, with a network
// namespace of its own.
type Place struct {
	// Name of the node.
	Name string
	// Namespace is the path of its network namespace.
	Namespace string
	// Host says that its links are NICs, which stay without a cable. Else they
	// are the ports of a switch and have the MAC address of its eth0, as with
	// SONiC.
	Host bool
}

// Panel is where the cables of a lab are plugged. Two at the same time must not
// change them.
type Panel struct {
	floor  *room
	places []*room
}

// Open opens a panel. floor is the path of the network namespace in which ends
// of pulled cables are kept.
func Open(floor string, places []Place) (_ *Panel, err error) {
	p := &Panel{}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if p.floor, err = openRoom(Place{Name: "the floor", Namespace: floor}); err != nil {
		return nil, err
	}
	for _, place := range places {
		r, err := openRoom(place)
		if err != nil {
			return nil, err
		}
		p.places = append(p.places, r)
	}
	return p, nil
}

// Close closes the panel; the cables stay.
func (p *Panel) Close() {
	if p.floor != nil {
		p.floor.close()
	}
	for _, r := range p.places {
		r.close()
	}
}

// Status of one end.
type Status struct {
	End cabling.End
	// Far is the other end; the zero End if that is on the floor.
	Far cabling.End
	// Carrier says whether the link is up on both sides.
	Carrier bool
}

// Status of all ends that have a link, sorted.
func (p *Panel) Status() ([]Status, error) {
	all, err := p.jacks()
	var list []Status
	for _, j := range all {
		s := Status{End: j.end, Carrier: j.carrier()}
		if j.far != nil {
			s.Far = j.far.end
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Status) int { return a.End.Compare(b.End) })
	return list, err
}

// Wire plugs in a new cable at two ends that have no link yet.
func (p *Panel) Wire(c cabling.Cable) error {
	a, b, err := p.rooms(c.A, c.B)
	if err != nil {
		return err
	}
	return errors.Join(p.newPair(a, c.A, b, c.B.Port), a.up(c.A), b.up(c.B))
}

// AddNIC gives a host a NIC without a cable.
func (p *Panel) AddNIC(end cabling.End) error {
	r, err := p.room(end)
	if err != nil {
		return err
	}
	return errors.Join(p.newPair(r, end, p.floor, loose), r.up(end))
}

// newPair makes a veth pair with one link at an end, the other in a room.
func (p *Panel) newPair(near *room, end cabling.End, far *room, name string) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = end.Port, MTU
	var err error
	if attrs.HardwareAddr, err = near.address(end); err != nil {
		return err
	}
	pair := &netlink.Veth{LinkAttrs: attrs, PeerName: name, PeerMTU: MTU, PeerNamespace: netlink.NsFd(far.fd())}
	if far != p.floor {
		if pair.PeerHardwareAddr, err = far.address(cabling.End{Node: far.Name, Port: name}); err != nil {
			return err
		}
	}
	if err := near.LinkAdd(pair); err != nil {
		return fmt.Errorf("make the cable from %s to %s/%s: %w", end, far.Name, name, err)
	}
	return nil
}

// room is the place with an end.
func (p *Panel) room(end cabling.End) (*room, error) {
	i := slices.IndexFunc(p.places, func(r *room) bool { return r.Name == end.Node })
	if i < 0 {
		var names []string
		for _, r := range p.places {
			names = append(names, r.Name)
		}
		return nil, fmt.Errorf("%s: there is no %s with ports or NICs; there are %v", end, end.Node, names)
	}
	return p.places[i], nil
}

func (p *Panel) rooms(a, b cabling.End) (roomA, roomB *room, err error) {
	if roomA, err = p.room(a); err != nil {
		return nil, nil, err
	}
	roomB, err = p.room(b)
	return roomA, roomB, err
}

// address is what a link has to have as its MAC address at an end: on a switch
// that of eth0.
func (r *room) address(end cabling.End) (net.HardwareAddr, error) {
	if r.Host {
		return nicAddress(end), nil
	}
	link, err := r.LinkByName(network.NodeLink)
	if err != nil {
		return nil, fmt.Errorf("%s: find %s, whose MAC address its ports have: %w", r.Name, network.NodeLink, err)
	}
	return link.Attrs().HardwareAddr, nil
}
