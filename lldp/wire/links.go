package wire

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// linkEvents is how many changes of links may wait; more wait in the kernel.
const linkEvents = 64

// links follows the machine's links. It gives all there are now, and then each
// change in events, which ends with ctx or when the kernel had to leave changes
// out: it then has to be called again. What is in events may be older than all.
func links(ctx context.Context) (all []Link, events <-chan linkEvent, err error) {
	updates, done := make(chan netlink.LinkUpdate), make(chan struct{})
	if err := netlink.LinkSubscribe(updates, done); err != nil {
		return nil, nil, fmt.Errorf("follow the machine's links: %w", err)
	}
	list, err := netlink.LinkList()
	// One that was disturbed by a change is good enough: the change is in updates.
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		close(done)
		drain(updates)
		return nil, nil, fmt.Errorf("list the machine's links: %w", err)
	}
	for _, l := range list {
		all = append(all, fromNetlink(l))
	}
	changes := make(chan linkEvent, linkEvents)
	go pass(ctx, updates, changes, done)
	return all, changes, nil
}

// pass passes updates on until they or ctx end.
func pass(ctx context.Context, updates <-chan netlink.LinkUpdate, changes chan<- linkEvent, done chan<- struct{}) {
	defer close(changes)
	defer drain(updates)
	defer close(done)
	for {
		select {
		case <-ctx.Done():
			return
		case u, ok := <-updates:
			if !ok {
				return
			}
			if change, ok := fromUpdate(u); ok {
				select {
				case changes <- change:
				case <-ctx.Done():
					return
				}
			}
		}
	}
}

// drain lets the subscription end.
func drain(updates <-chan netlink.LinkUpdate) {
	for range updates {
	}
}

// fromUpdate reads a message of netlink. A bridge tells in the same way which ports
// it takes and lets go; those links are neither new nor gone.
func fromUpdate(u netlink.LinkUpdate) (change linkEvent, ok bool) {
	if u.Family != unix.AF_UNSPEC {
		return linkEvent{}, false
	}
	return linkEvent{fromNetlink(u.Link), u.Header.Type == unix.RTM_DELLINK}, true
}

func fromNetlink(l netlink.Link) Link {
	a := l.Attrs()
	link := Link{
		Index:    a.Index,
		Name:     a.Name,
		Alias:    a.Alias,
		MTU:      a.MTU,
		Ethernet: a.EncapType == "ether" && len(a.HardwareAddr) == len(MAC{}),
		Running:  a.Flags&net.FlagUp != 0 && a.RawFlags&unix.IFF_RUNNING != 0,
		Master:   a.MasterIndex,
	}
	if link.Ethernet {
		link.MAC = MAC(a.HardwareAddr)
	}
	if kind := l.Type(); kind != "device" { // what netlink calls a link without a kind
		link.Kind = kind
	}
	_, link.Bonded = a.Slave.(*netlink.BondSlave)
	return link
}
