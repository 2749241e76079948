package link

import (
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/cni/eintr"
)

// conn is a connection to the kernel, of the network namespace in which it was made
// (rtnetlink(7)). Package netlink asks for one thing after the other, and again for
// what it has made; a pod waits for each.
type conn struct {
	fd   int
	next uint32 // number of the next request: an answer to an older one is not mistaken for one to it
}

func dial() (*conn, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("connect to the kernel: %w", err)
	}
	return &conn{fd: fd}, nil
}

func (c *conn) close() error { return unix.Close(c.fd) }

// change is one that the kernel is asked for.
type change struct {
	what    string // for people
	message *nl.NetlinkRequest
	// fine is what the kernel may answer instead of yes; 0 is nothing else.
	fine unix.Errno
}

// do asks for changes, all at once. The kernel makes them in their order, and goes
// on after one that fails; the error is that of the first.
func (c *conn) do(all ...change) error {
	if len(all) == 0 {
		return nil
	}
	var text []byte
	first := c.next
	for _, change := range all {
		change.message.Seq = c.next
		c.next++
		text = append(text, change.message.Serialize()...)
	}
	if err := c.send(text); err != nil {
		return fmt.Errorf("ask the kernel: %w", err)
	}
	answers, err := c.answers(first, len(all))
	if err != nil {
		return fmt.Errorf("answer of the kernel: %w", err)
	}
	for n, no := range answers {
		if no != 0 && no != all[n].fine {
			return fmt.Errorf("%s: %w", all[n].what, no)
		}
	}
	return nil
}

func (c *conn) send(text []byte) error {
	return eintr.Again(func() error { return unix.Sendto(c.fd, text, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}) })
}

// answers reads those to as many requests as were made, in their order.
func (c *conn) answers(first uint32, want int) ([]unix.Errno, error) {
	all, buffer := make([]unix.Errno, want), make([]byte, unix.Getpagesize())
	for got := 0; got < want; {
		n := 0
		err := eintr.Again(func() (err error) {
			n, _, err = unix.Recvfrom(c.fd, buffer, 0)
			return err
		})
		if err != nil {
			return nil, err
		}
		messages, err := syscall.ParseNetlinkMessage(buffer[:n])
		if err != nil {
			return nil, err
		}
		for _, m := range messages {
			request := m.Header.Seq - first
			if m.Header.Type != unix.NLMSG_ERROR || len(m.Data) < 4 || request >= uint32(want) {
				continue
			}
			all[request] = unix.Errno(-int32(nl.NativeEndian().Uint32(m.Data)))
			got++
		}
	}
	return all, nil
}

// index of a device, and mtu; the kernel tells both without a lock (netdevice(7)).
func (c *conn) index(device string) (int, error) { return c.number(unix.SIOCGIFINDEX, device) }
func (c *conn) mtu(device string) (int, error)   { return c.number(unix.SIOCGIFMTU, device) }

func (c *conn) number(which uint, device string) (int, error) {
	request, err := unix.NewIfreq(device)
	if err == nil {
		err = unix.IoctlIfreq(c.fd, which, request)
	}
	if err != nil {
		return 0, fmt.Errorf("device %s: %w", device, err)
	}
	return int(request.Uint32()), nil
}
