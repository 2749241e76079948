package probe

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/mark"
)

// Sizes of headers in bytes.
const (
	headersIPv4 = 20 + 8 // and those of UDP or ICMP
	headersIPv6 = 40 + 8
)

// request is the message of a question.
func (p *probe) request(q *question, number uint64) mark.Mark {
	m := mark.Mark{Kind: mark.Request, Run: p.Run, From: q.From, To: q.To, Seq: number, Length: mark.Size}
	if !q.Full {
		return m
	}
	mtu := min(q.from.room.Endpoint.MTU, q.to.room.Endpoint.MTU)
	switch {
	case q.Protocol == matrix.TCP:
		m.Length = uint32(segments * mtu)
	case q.IPv6:
		m.Length = uint32(mtu - headersIPv6)
	default:
		m.Length = uint32(mtu - headersIPv4)
	}
	return m
}

// send asks a question by ICMP or UDP.
func (s *station) send(q *question, number uint64) error {
	address, _ := q.to.room.Endpoint.Address(q.IPv6)
	buffer := s.probe.buffers.Get().(*[most]byte)
	defer s.probe.buffers.Put(buffer)
	request := s.probe.request(q, number)
	message := buffer[:request.Length]
	request.Put(message)
	f := &s.families[index(q.IPv6)]
	if q.Protocol == matrix.UDP {
		_, err := f.udp.WriteToUDPAddrPort(message, netip.AddrPortFrom(address, port))
		return inner(err)
	}
	echo := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: int(s.probe.Run & 0xffff), Seq: int(number & 0xffff), Data: message}}
	if q.IPv6 {
		echo.Type = ipv6.ICMPTypeEchoRequest // the kernel adds the checksum
	}
	packet, err := echo.Marshal(nil)
	if err == nil {
		_, err = f.icmp.WriteToIP(packet, &net.IPAddr{IP: address.AsSlice()})
	}
	return inner(err)
}

// inner is what the kernel said, without what package net tells about it.
func inner(err error) error {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number
	}
	return err
}

// hearUDP answers requests and takes answers until the socket is closed.
func (s *station) hearUDP(c *net.UDPConn) {
	buffer := make([]byte, largest)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		m, ok := mark.Parse(buffer[:n])
		if err != nil || !ok {
			continue
		}
		if m.Kind == mark.Reply {
			s.probe.replied(m, m.From, s)
			continue
		}
		s.probe.requested(m, s)
		s.reply(m).Put(buffer)
		_, _ = c.WriteToUDPAddrPort(buffer[:n], from) // who asked asks again
	}
}

// reply is the answer to a request; it says who answers.
func (s *station) reply(m mark.Mark) mark.Mark {
	m.Kind, m.From, m.To = mark.Reply, s.id, m.From
	m.Sent = time.Now().UnixNano()
	return m
}

// hearICMP takes answers, which the kernel gives, until the socket is closed.
func (s *station) hearICMP(c *net.IPConn) {
	buffer := make([]byte, largest)
	const header = 8
	for {
		n, err := c.Read(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		packet := buffer[:n]
		if err != nil || n == 0 {
			continue
		}
		if packet[0]>>4 == 4 { // Read leaves IPv4's header there
			packet = packet[min(int(packet[0]&0xf)*4, n):]
		}
		if m, ok := mark.Parse(packet[min(header, len(packet)):]); ok {
			s.probe.replied(m, m.To, s)
		}
	}
}
