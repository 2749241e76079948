package nics

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// list asks the kernel for all links.
func list() ([]Link, error) {
	all, err := netlink.LinkList()
	// If a change got in between, another list follows on it.
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return nil, fmt.Errorf("list the network interfaces: %w", err)
	}
	links := make([]Link, 0, len(all))
	for _, l := range all {
		links = append(links, fromNetlink(l))
	}
	return links, nil
}

// subscribe gives a signal when a link has changed; several that nobody has
// taken yet are one. They end with ctx, or when the kernel had to leave some out.
func subscribe(ctx context.Context) (<-chan struct{}, error) {
	updates, done := make(chan netlink.LinkUpdate), make(chan struct{})
	if err := netlink.LinkSubscribe(updates, done); err != nil {
		return nil, fmt.Errorf("follow the network interfaces: %w", err)
	}
	changes := make(chan struct{}, 1)
	stop := context.AfterFunc(ctx, func() { close(done) })
	go func() {
		defer close(changes)
		for range updates {
			select {
			case changes <- struct{}{}:
			default:
			}
		}
		if stop() {
			close(done)
		}
	}()
	return changes, nil
}

func fromNetlink(l netlink.Link) Link {
	a := l.Attrs()
	link := Link{
		Index: a.Index, Name: a.Name, AltNames: a.AltNames, Master: a.MasterIndex,
		Ethernet: a.EncapType == "ether",
		MAC:      a.HardwareAddr.String(), Permanent: a.PermHWAddr.String(),
		Carrier: a.Flags&net.FlagUp != 0 && a.RawFlags&unix.IFF_LOWER_UP != 0,
	}
	if kind := l.Type(); kind != "device" { // what netlink calls a link without a kind
		link.Kind = kind
	}
	// A driver may not know its permanent address; a bond remembers what it saw.
	if slave, ok := a.Slave.(*netlink.BondSlave); ok && link.Permanent == "" {
		link.Permanent = slave.PermHardwareAddr.String()
	}
	return link
}
