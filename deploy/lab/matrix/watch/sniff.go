package watch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/deploy/lab/matrix/mark"
	"github.com/switchlet/switchlet/deploy/lab/matrix/plug"
)

const (
	// snap is how much of a frame is read: a mark is within it wherever it is.
	snap = 256
	// queue is the room for frames that wait to be read, in bytes of the kernel's.
	queue = 8 << 20
)

// sniffer reads all marked frames that come to a NIC of a host, with whatever VLAN tag
// and for whatever MAC address: what a switch puts on the cable is what it leaks, not
// only what the host takes.
type sniffer struct {
	nic  nic
	file *os.File
	done chan struct{}
}

// key tells NICs apart, also from those of a host that was started anew.
func key(r *plug.Room, name string) string { return r.HostID() + "/" + name }

func openSniffer(r *plug.Room, name string, hear func(nic, int, []byte, int)) (*sniffer, error) {
	s := &sniffer{nic: nicOf(&r.Endpoint, name), done: make(chan struct{})}
	err := r.OnHost(func() error {
		link, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		s.file, err = listen(link.Index)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen on %s/%s: %w", r.Endpoint.Host, name, err)
	}
	raw, err := s.file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, s.file.Close())
	}
	go func() {
		defer close(s.done)
		s.read(raw, hear)
	}()
	return s, nil
}

// listen opens a packet socket that hears everything on a link that comes in marked.
func listen(link int) (_ *os.File, err error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0) // nothing yet
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, unix.Close(fd))
		}
	}()
	program, err := mark.Filter()
	if err != nil {
		return nil, err
	}
	promiscuous := &unix.PacketMreq{Ifindex: int32(link), Type: unix.PACKET_MR_PROMISC}
	all := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))
	err = errors.Join(
		attach(fd, program),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, queue),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1),
		unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, promiscuous),
		unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: link, Protocol: all}))
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "packet socket"), nil
}

// attach gives a socket a filter.
func attach(fd int, program []bpf.RawInstruction) error {
	var list []unix.SockFilter
	for _, i := range program {
		list = append(list, unix.SockFilter{Code: i.Op, Jt: i.Jt, Jf: i.Jf, K: i.K})
	}
	return os.NewSyscallError("attach a filter", unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(list)), Filter: &list[0]}))
}

// read hands frames over until the socket is closed.
func (s *sniffer) read(raw syscall.RawConn, hear func(nic, int, []byte, int)) {
	frame, control := make([]byte, snap), make([]byte, unix.CmsgSpace(auxiliary))
	for {
		var n, controls int
		var failed error
		err := raw.Read(func(fd uintptr) bool {
			n, controls, _, _, failed = unix.Recvmsg(int(fd), frame, control, 0)
			return !errors.Is(failed, unix.EAGAIN)
		})
		if err != nil {
			return
		}
		if failed != nil { // ENETDOWN once when the link goes down; it may come up again
			if errors.Is(failed, unix.ENETDOWN) || errors.Is(failed, unix.EINTR) {
				continue
			}
			return
		}
		vlan, size := tagOf(control[:controls])
		hear(s.nic, vlan, frame[:n], max(size, n))
	}
}

// auxiliary is the size of struct tpacket_auxdata (linux/if_packet.h): status, len,
// snaplen of 32 bits, mac, net, vlan_tci, vlan_tpid of 16 bits.
const auxiliary = 20

// tagOf reads the VLAN tag, which the kernel has taken out of the frame, and the size
// of the frame.
func tagOf(control []byte) (vlan, size int) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return 0, 0
	}
	for _, m := range messages {
		if m.Header.Level != unix.SOL_PACKET || m.Header.Type != unix.PACKET_AUXDATA || len(m.Data) < auxiliary {
			continue
		}
		size = int(binary.NativeEndian.Uint32(m.Data[4:]))
		if binary.NativeEndian.Uint32(m.Data)&unix.TP_STATUS_VLAN_VALID != 0 {
			vlan = int(binary.NativeEndian.Uint16(m.Data[16:]) & 0xfff)
		}
	}
	return vlan, size
}

// drops are how many frames came too fast, since the last time it was asked.
func (s *sniffer) drops() uint64 {
	raw, err := s.file.SyscallConn()
	if err != nil {
		return 0
	}
	var stats *unix.TpacketStats
	if outer := raw.Control(func(fd uintptr) {
		stats, err = unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS)
	}); outer != nil || err != nil {
		return 0
	}
	return uint64(stats.Drops)
}

// ended says that the NIC is gone.
func (s *sniffer) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func (s *sniffer) close() error {
	err := s.file.Close()
	<-s.done
	return err
}
