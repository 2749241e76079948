package wire

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// linkEvents is how many changes of links may wait; more wait in the kernel.
const linkEvents = 64

// links follows the machine's links. It gives all there are now, and then each
// change in events, which ends with ctx or when the kernel had to leave changes
// out: it then has to be called again. What is in events may be older than all.
func links(ctx context.Context) (all []Link, events <-chan linkEvent, err error) {
	updates, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK)
	if err != nil {
		return nil, nil, fmt.Errorf("follow the machine's links: %w", err)
	}
	if all, err = list(); err != nil {
		updates.Close()
		return nil, nil, fmt.Errorf("list the machine's links: %w", err)
	}
	changes := make(chan linkEvent, linkEvents)
	go pass(ctx, updates, changes)
	return all, changes, nil
}

// list asks for all links.
func list() ([]Link, error) {
	request := nl.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
	request.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	messages, err := request.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWLINK)
	// One that was disturbed by a change is good enough: the change is in updates.
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return nil, err
	}
	var all []Link
	for _, m := range messages {
		l, err := fromMessage(m)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

// pass passes updates on until they or ctx end.
func pass(ctx context.Context, updates *nl.NetlinkSocket, changes chan<- linkEvent) {
	defer close(changes)
	defer updates.Close()
	stop := context.AfterFunc(ctx, updates.Close) // which ends Receive
	defer stop()
	for {
		messages, from, err := updates.Receive()
		if err != nil {
			return
		}
		for _, m := range messages {
			change, ok := fromUpdate(m.Header.Type, m.Data)
			if !ok || from.Pid != nl.PidKernel {
				continue
			}
			select {
			case changes <- change:
			case <-ctx.Done():
				return
			}
		}
	}
}

// fromUpdate reads a message of netlink. A bridge tells in the same way which ports
// it takes and lets go; those links are neither new nor gone.
func fromUpdate(kind uint16, message []byte) (change linkEvent, ok bool) {
	if kind != unix.RTM_NEWLINK && kind != unix.RTM_DELLINK ||
		len(message) < unix.SizeofIfInfomsg || nl.DeserializeIfInfomsg(message).Family != unix.AF_UNSPEC {
		return linkEvent{}, false
	}
	l, err := fromMessage(message)
	return linkEvent{l, kind == unix.RTM_DELLINK}, err == nil
}

// fromMessage reads what the kernel says of a link.
func fromMessage(message []byte) (Link, error) {
	l, err := netlink.LinkDeserialize(nil, message)
	if err != nil {
		return Link{}, fmt.Errorf("read a link of netlink: %w", err)
	}
	link := fromNetlink(l)
	link.CarrierLosses, err = carrierLosses(message)
	return link, err
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
