package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/deploy/lab/matrix/mark"
)

const (
	// segments that a full exchange by TCP has, each of one packet.
	segments = 3
	// most is how much an exchange may have.
	most = segments * largest
)

// hearTCP takes calls until the listener is closed.
func (s *station) hearTCP(l *net.TCPListener) {
	for {
		c, err := l.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			s.probe.replies.Go(func() { s.serve(c) })
		}
	}
}

// serve answers what is asked in one connection, until the other end closes it.
func (s *station) serve(c *net.TCPConn) {
	defer c.Close()
	defer context.AfterFunc(s.probe.ending, func() { _ = c.Close() })() // who called may be cut off
	if err := c.SetLinger(0); err != nil {
		return
	}
	buffer := s.probe.buffers.Get().(*[most]byte)
	defer s.probe.buffers.Put(buffer)
	for {
		if _, err := io.ReadFull(c, buffer[:mark.Size]); err != nil {
			return
		}
		m, ok := mark.Parse(buffer[:mark.Size])
		if !ok || m.Length < mark.Size || m.Length > most {
			return
		}
		if _, err := io.ReadFull(c, buffer[mark.Size:m.Length]); err != nil {
			return
		}
		s.probe.requested(m, s)
		s.reply(m).Put(buffer[:])
		if _, err := c.Write(buffer[:m.Length]); err != nil {
			return
		}
	}
}

// askTCP asks two questions, of which the full one comes after the other.
func (p *probe) askTCP(number int, patience time.Duration) {
	small, full := p.questions[number], p.questions[number+1]
	p.start(small)
	address, _ := small.to.room.Endpoint.Address(small.IPv6)
	c, err := small.from.call(netip.AddrPortFrom(address, port), time.Now().Add(patience))
	if err != nil {
		p.say(small, err.Error())
		p.say(full, err.Error())
		return
	}
	defer c.Close()
	for i, q := range []*question{small, full} {
		p.start(q)
		err := c.SetDeadline(time.Now().Add(patience))
		if err == nil {
			err = p.exchange(c, q.from, p.request(q, uint64(number+i)))
		}
		if err != nil {
			p.say(q, inner(err).Error())
			return
		}
	}
}

// exchange sends a request and reads the answer to it.
func (p *probe) exchange(c *os.File, at *station, request mark.Mark) error {
	buffer := p.buffers.Get().(*[most]byte)
	defer p.buffers.Put(buffer)
	message := buffer[:request.Length]
	request.Put(message)
	if _, err := c.Write(message); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, message); err != nil {
		return err
	}
	if m, ok := mark.Parse(message); ok && m.Kind == mark.Reply {
		p.replied(m, m.From, at)
	}
	return nil
}

// call connects one of the sockets.
func (s *station) call(to netip.AddrPort, deadline time.Time) (*os.File, error) {
	fd := s.take(to.Addr().Is6())
	err := unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) // no TIME_WAIT
	if err == nil {
		err = unix.Connect(fd, sockaddr(to))
	}
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return nil, errors.Join(err, unix.Close(fd))
	}
	c := os.NewFile(uintptr(fd), to.String())
	if err := errors.Join(c.SetDeadline(deadline), connected(c)); err != nil {
		return nil, errors.Join(inner(err), c.Close())
	}
	return c, nil
}

func sockaddr(to netip.AddrPort) unix.Sockaddr {
	if to.Addr().Is6() {
		return &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
	}
	return &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
}

// connected waits until a connection is made.
func connected(c *os.File) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Write(func(fd uintptr) (done bool) {
		number, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && number != 0 {
			err = unix.Errno(number)
		}
		if err != nil {
			failed = err
			return true
		}
		_, err = unix.Getpeername(int(fd))
		return err == nil // else it is still on its way
	})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("no connection")
	}
	if err != nil {
		return fmt.Errorf("wait for the connection: %w", err)
	}
	return failed
}

// take takes one of the sockets for calls.
func (s *station) take(v6 bool) int {
	s.probe.mu.Lock()
	defer s.probe.mu.Unlock()
	list := &s.calls
	if v6 {
		list = &s.calls6
	}
	fd := (*list)[len(*list)-1]
	*list = (*list)[:len(*list)-1]
	return fd
}
