package link

import (
	"encoding/binary"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// announcements are how long after an interface has come up its addresses are
// announced. A bridge needs a moment until it takes frames from a new port, and
// drops what comes before; once more is for a frame that gets lost (RFC 5227,
// section 2.3).
func announcements() []time.Duration {
	return []time.Duration{50 * time.Millisecond, time.Second}
}

// announce tells the others on the network where an interface's addresses are. It
// goes on in the background until Close. The thread is in the pod. An agent that may
// not send frames does without: the kernel has announced the addresses once.
func (k *Kernel) announce(i Interface) {
	socket, err := packetSocket(i.IfName)
	if err != nil {
		return
	}
	began := time.Now()
	k.background.Go(func() {
		defer unix.Close(socket)
		for _, after := range announcements() {
			if !k.until(began.Add(after)) || say(socket, i) != nil {
				return // it ends, or the interface is gone
			}
		}
	})
}

// until waits, and reports whether Close was not called meanwhile.
func (k *Kernel) until(at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-k.closed:
		return false
	case <-timer.C:
		return true
	}
}

// say announces the addresses once.
func say(socket int, i Interface) error {
	for _, a := range i.Addresses {
		if _, err := unix.Write(socket, announcement(i, a.Addr())); err != nil {
			return err
		}
	}
	return nil
}

// packetSocket is one for frames on an interface of the pod that the thread is in.
func packetSocket(name string) (int, error) {
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	index, err := (&conn{fd: socket}).index(name)
	if err == nil {
		err = unix.Bind(socket, &unix.SockaddrLinklayer{Ifindex: index})
	}
	if err != nil {
		unix.Close(socket)
		return 0, err
	}
	return socket, nil
}

func announcement(i Interface, a netip.Addr) []byte {
	if a.Is4() {
		return gratuitousARP(i, a)
	}
	return advertisement(i, a)
}

// gratuitousARP is an ARP announcement (RFC 5227, section 3): a request for the
// sender's own address.
func gratuitousARP(i Interface, a netip.Addr) []byte {
	ip := a.As4()
	f := append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, i.MAC...)
	f = append(f, 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1)
	f = append(append(f, i.MAC...), ip[:]...)
	f = append(append(f, make([]byte, 6)...), ip[:]...)
	return append(f, make([]byte, 18)...) // Ethernet's least length
}

// advertisement is an unsolicited neighbour advertisement with flag override (RFC
// 4861, section 7.2.6), to all nodes.
func advertisement(i Interface, a netip.Addr) []byte {
	to, from := netip.MustParseAddr("ff02::1").As16(), a.As16()
	icmp := append([]byte{136, 0, 0, 0, 0x20, 0, 0, 0}, from[:]...)
	icmp = append(append(icmp, 2, 1), i.MAC...) // option target link-layer address
	binary.BigEndian.PutUint16(icmp[2:], checksum(from, to, icmp))
	f := append([]byte{0x33, 0x33, 0, 0, 0, 1}, i.MAC...)
	f = append(f, 0x86, 0xdd, 0x60, 0, 0, 0, 0, byte(len(icmp)), 58, 255)
	f = append(append(f, from[:]...), to[:]...)
	return append(f, icmp...)
}

// checksum is that of ICMPv6, with the pseudo-header (RFC 8200, section 8.1).
func checksum(from, to [16]byte, icmp []byte) uint16 {
	all := append(append([]byte{}, from[:]...), to[:]...)
	all = append(all, 0, 0, 0, byte(len(icmp)), 0, 0, 0, 58)
	all = append(all, icmp...) // of even length
	var sum uint32
	for n := 0; n < len(all); n += 2 {
		sum += uint32(binary.BigEndian.Uint16(all[n:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
