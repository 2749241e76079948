package watch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/mark"
	"github.com/switchlet/switchlet/deploy/lab/matrix/plug"
)

const (
	// port of all datagrams of a watch.
	port = 20008
	// pending is room for what waits until the kernel knows that nobody has an address.
	pending = 8 << 20
)

// post is an endpoint that sends. What is sent to it is heard by the sniffer of its NIC;
// its own sockets drop everything.
type post struct {
	room *plug.Room
	id   matrix.ID

	datagrams [2]batchWriter // IPv4 and IPv6; nil without an address
	closers   []func() error
	frames    int // the packet socket for strays

	stop chan struct{}
	done chan struct{}

	// Guarded by the watch.
	turn     uint64
	messages [2][]outgoing
	strays   []stray
}

// batchWriter sends many datagrams with one system call.
type batchWriter interface {
	WriteBatch(messages []ipv4.Message, flags int) (int, error)
}

// outgoing is a datagram that is sent again and again.
type outgoing struct {
	mark    mark.Mark
	message ipv4.Message
	every   uint64 // turns
	flow    *flow  // nil if nobody may receive it, or all
}

// stray is a frame that is sent again and again.
type stray struct {
	mark  mark.Mark
	frame []byte
	at    int // where the mark is
}

func openPost(r *plug.Room) (*post, error) {
	p := &post{room: r, id: r.Endpoint.ID(), frames: -1, stop: make(chan struct{}), done: make(chan struct{})}
	err := r.Do(func() (err error) {
		for _, v6 := range []bool{false, true} {
			if address, ok := r.Endpoint.Address(v6); ok {
				if err := p.openFamily(address); err != nil {
					return err
				}
			}
		}
		p.frames, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0) // to send only
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("endpoint %s: open its sockets: %w", &r.Endpoint, err), p.close())
	}
	return p, nil
}

func (p *post) openFamily(address netip.Addr) error {
	cfg := net.ListenConfig{Control: deaf}
	at := net.JoinHostPort(address.String(), strconv.Itoa(port))
	c, err := cfg.ListenPacket(context.Background(), "udp", at) // nothing is looked up
	if err != nil {
		return err
	}
	p.closers = append(p.closers, c.Close)
	if address.Is4() {
		p.datagrams[0] = ipv4.NewPacketConn(c)
		return nil
	}
	six := ipv6.NewPacketConn(c)
	p.datagrams[1] = six
	return six.SetMulticastInterface(&net.Interface{Index: p.room.Index})
}

// deaf has a socket hear nothing and never run out of room to send.
func deaf(_, _ string, c syscall.RawConn) error {
	program, err := mark.DropAll()
	if err != nil {
		return err
	}
	if outer := c.Control(func(fd uintptr) {
		err = errors.Join(attach(int(fd), program), unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, pending))
	}); outer != nil {
		return outer
	}
	return err
}

// close closes the sockets of a post that does not run.
func (p *post) close() error {
	var failed []error
	for _, c := range p.closers {
		failed = append(failed, c())
	}
	if p.frames >= 0 {
		failed = append(failed, unix.Close(p.frames))
	}
	return errors.Join(failed...)
}

// run sends at every tick until it is stopped.
func (p *post) run(w *Watch) {
	defer close(p.done)
	ticker := time.NewTicker(w.interval())
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case now := <-ticker.C:
			p.tick(w, now)
		}
	}
}

// tick sends what is due.
func (p *post) tick(w *Watch, now time.Time) {
	batches, frame := w.due(p, now)
	for i, batch := range batches {
		if len(batch) > 0 {
			w.count(p.write(p.datagrams[i], batch))
		}
	}
	if frame != nil {
		err := unix.Sendto(p.frames, frame, 0, &unix.SockaddrLinklayer{Ifindex: p.room.Index})
		sent := 1
		if err != nil {
			sent = 0
		}
		w.count(sent, 1-sent, err)
	}
}

// write sends datagrams, but not those that the kernel refuses.
func (p *post) write(c batchWriter, batch []ipv4.Message) (sent, refused int, last error) {
	for len(batch) > 0 {
		n, err := c.WriteBatch(batch, 0)
		sent, batch = sent+max(n, 0), batch[max(n, 0):]
		if err == nil {
			continue
		}
		if errors.Is(err, net.ErrClosed) || len(batch) == 0 {
			return sent, refused + len(batch), err
		}
		refused, batch, last = refused+1, batch[1:], err
	}
	return sent, refused, last
}
