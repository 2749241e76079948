package wire

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// skipStatistics asks the kernel not to count a link's packets for an answer
// (RTEXT_FILTER_SKIP_STATS, linux/rtnetlink.h).
const skipStatistics = 1 << 3

// carriers asks the kernel how often a link has lost its carrier. It stays in the
// network namespace in which it was opened, whichever thread asks.
//
// The kernel does not tell of each loss: those of a second are one message, which
// has the link as it is by then (net/core/link_watch.c). What it counts it counts at
// once, and a frame may come before the message.
type carriers struct{ socket *nl.SocketHandle }

func openCarriers() (*carriers, error) {
	socket, err := nl.Subscribe(unix.NETLINK_ROUTE) // to nothing
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	timeout := unix.Timeval{Sec: 1} // it answers from memory
	if err := errors.Join(socket.SetSendTimeout(&timeout), socket.SetReceiveTimeout(&timeout)); err != nil {
		socket.Close()
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	return &carriers{&nl.SocketHandle{Socket: socket}}, nil
}

func (c *carriers) close() { c.socket.Socket.Close() }

// losses of a link. It reports false for one that is gone.
func (c *carriers) losses(index int) (uint32, bool) {
	request := nl.NewNetlinkRequest(unix.RTM_GETLINK, 0)
	request.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: c.socket}
	link := nl.NewIfInfomsg(unix.AF_UNSPEC)
	link.Index = int32(index)
	request.AddData(link)
	request.AddData(nl.NewRtAttr(unix.IFLA_EXT_MASK, nl.Uint32Attr(skipStatistics)))
	messages, err := request.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWLINK)
	if err != nil || len(messages) != 1 {
		return 0, false
	}
	losses, err := carrierLosses(messages[0])
	return losses, err == nil
}

// carrierLosses is how often a link has lost its carrier, by a message of netlink
// that tells of it; 0 on a kernel that does not count them, before Linux 4.16.
func carrierLosses(message []byte) (uint32, error) {
	if len(message) < unix.SizeofIfInfomsg {
		return 0, errors.New("read a link of netlink: the message is too short")
	}
	attributes, err := nl.ParseRouteAttr(message[unix.SizeofIfInfomsg:])
	if err != nil {
		return 0, fmt.Errorf("read a link of netlink: %w", err)
	}
	for _, a := range attributes {
		if a.Attr.Type == unix.IFLA_CARRIER_DOWN_COUNT && len(a.Value) == 4 {
			return nl.NativeEndian().Uint32(a.Value), nil
		}
	}
	return 0, nil
}
