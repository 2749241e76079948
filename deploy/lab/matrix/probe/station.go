package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/plug"
)

const (
	// port at which endpoints are asked by UDP and TCP; nobody else is in their
	// namespaces.
	port = 20007
	// largest is more than any datagram's size.
	largest = 1 << 14
	// queue is the room for what waits to be read, in bytes of the kernel's.
	queue = 4 << 20
)

// station is an endpoint with its sockets, which ask and answer.
type station struct {
	probe *probe
	room  *plug.Room
	id    matrix.ID

	families [2]sockets // IPv4, IPv6
	calls    []int      // sockets for TCP that nothing was done with yet, IPv4
	calls6   []int      // the same for IPv6
}

// sockets of one family; nil where the endpoint has no address of it.
type sockets struct {
	udp  *net.UDPConn
	icmp *net.IPConn
	tcp  *net.TCPListener
}

func index(v6 bool) int {
	if v6 {
		return 1
	}
	return 0
}

// open opens the sockets in the endpoint's namespace.
func (s *station) open() error {
	return s.room.Do(func() error {
		for _, v6 := range []bool{false, true} {
			if address, ok := s.room.Endpoint.Address(v6); ok {
				if err := s.openFamily(address); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (s *station) openFamily(address netip.Addr) error {
	ctx := context.Background() // sockets are opened at once
	cfg := net.ListenConfig{Control: unfragmented(address), KeepAlive: -1}
	at := net.JoinHostPort(address.String(), strconv.Itoa(port))
	family := &s.families[index(address.Is6())]
	udp, err := cfg.ListenPacket(ctx, "udp", at)
	if err != nil {
		return err
	}
	family.udp = udp.(*net.UDPConn)
	network := "ip4:icmp"
	if address.Is6() {
		network = "ip6:ipv6-icmp"
	}
	echo, err := cfg.ListenPacket(ctx, network, address.String())
	if err != nil {
		return err
	}
	family.icmp = echo.(*net.IPConn)
	tcp, err := cfg.Listen(ctx, "tcp", at)
	if err != nil {
		return err
	}
	family.tcp = tcp.(*net.TCPListener)
	return errors.Join(onlyEchoReplies(family.icmp, address), s.openCalls(address))
}

// openCalls opens a socket for each endpoint that may have to be called: all at once,
// so that the namespace is entered only once.
func (s *station) openCalls(address netip.Addr) error {
	for range s.probe.Rooms {
		fd, err := unix.Socket(domain(address), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		if address.Is6() {
			s.calls6 = append(s.calls6, fd)
		} else {
			s.calls = append(s.calls, fd)
		}
	}
	return nil
}

func domain(address netip.Addr) int {
	if address.Is6() {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

// unfragmented has packets sent as they are or not at all: nobody on the way may
// fragment them, and what the kernel believes of the way's MTU does not count. Nothing
// that comes is dropped because this process is slow.
func unfragmented(address netip.Addr) func(_, _ string, c syscall.RawConn) error {
	return func(network, _ string, c syscall.RawConn) error {
		var err error
		if outer := c.Control(func(fd uintptr) {
			switch {
			case network[:3] == "tcp": // does so itself
			case address.Is4():
				err = errors.Join(
					unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, queue),
					unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE))
			default:
				err = errors.Join(
					unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, queue),
					unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE),
					unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG, 1))
			}
		}); outer != nil {
			return outer
		}
		return err
	}
}

// onlyEchoReplies keeps the kernel from handing over other messages.
func onlyEchoReplies(c *net.IPConn, address netip.Addr) error {
	if address.Is4() {
		var filter ipv4.ICMPFilter
		filter.SetAll(true)
		filter.Accept(ipv4.ICMPTypeEchoReply)
		return ipv4.NewPacketConn(c).SetICMPFilter(&filter)
	}
	var filter ipv6.ICMPFilter
	filter.SetAll(true)
	filter.Accept(ipv6.ICMPTypeEchoReply)
	return ipv6.NewPacketConn(c).SetICMPFilter(&filter)
}

// answer begins to answer those who ask, and to listen for answers.
func (s *station) answer() {
	for i := range s.families {
		f := &s.families[i]
		if f.udp != nil {
			s.probe.replies.Go(func() { s.hearUDP(f.udp) })
			s.probe.replies.Go(func() { s.hearICMP(f.icmp) })
			s.probe.replies.Go(func() { s.hearTCP(f.tcp) })
		}
	}
}

// close ends everything that listens.
func (s *station) close() error {
	var failed []error
	for _, f := range s.families {
		if f.udp != nil {
			failed = append(failed, f.udp.Close())
		}
		if f.icmp != nil {
			failed = append(failed, f.icmp.Close())
		}
		if f.tcp != nil {
			failed = append(failed, f.tcp.Close())
		}
	}
	for _, fd := range append(s.calls, s.calls6...) {
		failed = append(failed, unix.Close(fd))
	}
	return errors.Join(failed...)
}
