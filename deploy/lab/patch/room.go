package patch

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/network"
)

const (
	// loose is the name of an end on the floor; the kernel chooses the number.
	loose = "loose%d"
	// moving is the name of a link on its way from one place to another.
	moving = "swl-moving"
)

// room is an open Place.
type room struct {
	Place
	*netlink.Handle
	file *os.File
}

func openRoom(place Place) (*room, error) {
	file, err := os.Open(place.Namespace)
	if err != nil {
		return nil, fmt.Errorf("network namespace of %s: %w", place.Name, err)
	}
	handle, err := netlink.NewHandleAt(netns.NsHandle(file.Fd()))
	if err != nil {
		return nil, fmt.Errorf("network namespace of %s: %w", place.Name, errors.Join(err, file.Close()))
	}
	return &room{place, handle, file}, nil
}

func (r *room) close() {
	r.Close()
	r.file.Close()
}

func (r *room) fd() int { return int(r.file.Fd()) }

// up switches the link at an end on.
func (r *room) up(end cabling.End) error {
	link, err := r.LinkByName(end.Port)
	if err == nil {
		err = r.LinkSetUp(link)
	}
	if err != nil {
		return fmt.Errorf("switch %s on: %w", end, err)
	}
	return nil
}

// move takes a link, which has no carrier from then on, to another room, and gives
// it as it is there.
func (r *room) move(link netlink.Link, to *room, name string) (netlink.Link, error) {
	if err := r.LinkSetDown(link); err != nil {
		return nil, fmt.Errorf("switch %s/%s off: %w", r.Name, link.Attrs().Name, err)
	}
	// In both rooms there may be another link of the old or the new name.
	if err := r.LinkSetName(link, moving); err != nil {
		return nil, fmt.Errorf("unplug %s/%s: %w", r.Name, link.Attrs().Name, err)
	}
	if err := r.LinkSetNsFd(link, to.fd()); err != nil {
		return nil, fmt.Errorf("take %s/%s to %s: %w", r.Name, link.Attrs().Name, to.Name, err)
	}
	arrived, err := to.LinkByName(moving)
	if err == nil {
		err = to.LinkSetName(arrived, name)
	}
	if err != nil {
		return nil, fmt.Errorf("plug in at %s/%s: %w", to.Name, name, err)
	}
	return arrived, nil
}

// jack is an end with a link in it.
type jack struct {
	end  cabling.End
	room *room
	link netlink.Link
	far  *jack // nil if that is on the floor
}

func (j *jack) carrier() bool { return j.link.Attrs().OperState == netlink.OperUp }

// jacks are all ends with links, and those on the floor.
func (p *Panel) jacks() ([]*jack, error) {
	var all []*jack
	for _, r := range p.places {
		links, err := r.LinkList()
		if err != nil {
			return nil, fmt.Errorf("list the links of %s: %w", r.Name, err)
		}
		for _, link := range links {
			if link.Type() == "veth" && link.Attrs().Name != network.NodeLink {
				all = append(all, &jack{end: cabling.End{Node: r.Name, Port: link.Attrs().Name}, room: r, link: link})
			}
		}
	}
	return all, p.pair(all)
}

// pair finds the other end of each. The kernel names it by its index and by the
// number that the near namespace has given to the far one.
func (p *Panel) pair(all []*jack) error {
	type place struct {
		room  *room
		index int
	}
	at := map[place]*jack{}
	for _, j := range all {
		at[place{j.room, j.link.Attrs().Index}] = j
	}
	numbers := map[*room]map[int]*room{}
	for _, j := range all {
		if numbers[j.room] == nil {
			var err error
			if numbers[j.room], err = p.numbers(j.room); err != nil {
				return err
			}
		}
		far := j.room // without a number
		if number := j.link.Attrs().NetNsID; number >= 0 {
			far = numbers[j.room][number]
		}
		j.far = at[place{far, j.link.Attrs().ParentIndex}]
	}
	return nil
}

// numbers are the places by the numbers that a namespace has given to theirs.
func (p *Panel) numbers(r *room) (map[int]*room, error) {
	numbers := map[int]*room{}
	for _, other := range p.places {
		number, err := r.GetNetNsIdByFd(other.fd())
		if err != nil {
			return nil, fmt.Errorf("number of %s in %s: %w", other.Name, r.Name, err)
		}
		numbers[number] = other // those without one share a number that no link has
	}
	return numbers, nil
}

// nicAddress is the MAC address of a host's NIC, the same whenever a lab is
// started: locally administered, and of no switch.
func nicAddress(end cabling.End) net.HardwareAddr {
	sum := sha256.Sum256([]byte(end.String()))
	return append(net.HardwareAddr{0x52, 0x54, 0x01}, sum[:3]...)
}
