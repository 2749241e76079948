package wire

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

// receiveBuffer is how many octets the kernel keeps until they are read: some
// hundred frames, such as all links may bring at one moment.
const receiveBuffer = 1 << 20

// socket sends and hears LLDP on all links. It is bound to LLDP's type and not to
// all types, so that the machine's other traffic never comes near it.
type socket struct {
	conn *packet.Conn
	raw  syscall.RawConn

	// What receive and send give to raw and get from it: a closure for each frame
	// would be garbage.
	in  transfer
	out transfer

	closing atomic.Bool

	mu      sync.Mutex
	dropped uint64
}

// transfer is one frame on its way into or out of the kernel.
type transfer struct {
	run  func(fd uintptr) bool
	buf  []byte
	n    int
	from unix.Sockaddr
	to   unix.SockaddrLinklayer
	err  error
}

// open opens the socket in the network namespace of the calling thread.
func open() (*socket, error) {
	program, err := filter()
	if err != nil {
		return nil, err
	}
	conn, err := packet.Listen(&net.Interface{}, packet.Raw, EtherType, &packet.Config{Filter: program})
	if errors.Is(err, unix.EPERM) {
		return nil, fmt.Errorf("open a packet socket for LLDP: %w: the process needs CAP_NET_RAW", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open a packet socket for LLDP: %w", err)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("use the packet socket for LLDP: %w", err), conn.Close())
	}
	s := &socket{conn: conn, raw: raw}
	s.in.run, s.out.run = s.receiveOnce, s.sendOnce
	s.enlarge()
	return s, nil
}

// enlarge asks for a larger buffer. Without CAP_NET_ADMIN the machine's limit
// holds, which is good enough.
func (s *socket) enlarge() {
	_ = s.raw.Control(func(fd uintptr) {
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
		}
	})
}

// close ends receive, too.
func (s *socket) close() error {
	s.closing.Store(true)
	return s.conn.Close()
}

// receive waits for a frame. It is called by one goroutine.
func (s *socket) receive(b []byte) (n, index int, err error) {
	s.in.buf = b
	if err := s.raw.Read(s.in.run); err != nil {
		return 0, 0, err
	}
	if from, ok := s.in.from.(*unix.SockaddrLinklayer); ok {
		index = from.Ifindex
	}
	return s.in.n, index, s.in.err
}

func (s *socket) receiveOnce(fd uintptr) bool {
	for {
		// Of a frame that is too long, its length is told all the same.
		s.in.n, s.in.from, s.in.err = unix.Recvfrom(int(fd), s.in.buf, unix.MSG_TRUNC)
		if !errors.Is(s.in.err, unix.EINTR) {
			return !errors.Is(s.in.err, unix.EAGAIN)
		}
	}
}

// send gives a frame to a link. It is called by one goroutine, and does not wait.
func (s *socket) send(index int, b []byte) error {
	s.out.buf = b
	s.out.to = unix.SockaddrLinklayer{Ifindex: index, Protocol: networkOrder(EtherType)}
	if err := s.raw.Write(s.out.run); err != nil {
		return err
	}
	return s.out.err
}

func (s *socket) sendOnce(fd uintptr) bool {
	s.out.err = unix.Sendto(int(fd), s.out.buf, unix.MSG_DONTWAIT, &s.out.to)
	return true
}

func networkOrder(n uint16) uint16 { return n<<8 | n>>8 }

// join lets the link's hardware take LLDP's group addresses.
func (s *socket) join(index int) error { return s.membership(index, unix.PACKET_ADD_MEMBERSHIP) }

// leave takes join back. The kernel does it by itself for a link that is gone.
func (s *socket) leave(index int) error { return s.membership(index, unix.PACKET_DROP_MEMBERSHIP) }

func (s *socket) membership(index, option int) error {
	var all error
	err := s.raw.Control(func(fd uintptr) {
		for _, group := range groups() {
			request := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_MULTICAST, Alen: uint16(len(group))}
			copy(request.Address[:], group[:])
			all = errors.Join(all, unix.SetsockoptPacketMreq(int(fd), unix.SOL_PACKET, option, &request))
		}
	})
	return errors.Join(err, all)
}

// drops counts the frames that came while the kernel's buffer was full. Nobody can
// tell on which links.
func (s *socket) drops() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stats, err := s.conn.Stats(); err == nil {
		s.dropped += uint64(stats.Drops)
	}
	return s.dropped
}
