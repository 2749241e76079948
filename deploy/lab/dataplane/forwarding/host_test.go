package forwarding

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/deploy/lab/nettest"
)

// host has a NIC, eth1.
type host struct {
	testing.TB
	name      string
	namespace string
	device    string // with the addresses
}

// attach gives a host addresses on its NIC, in a VLAN if that is not 0, and routes
// by a gateway of each family.
func (h *host) attach(vlan, mtu int, addresses []string, gateways ...string) {
	h.Helper()
	handle := nettest.Handle(h, h.namespace)
	must := func(err error) {
		h.Helper()
		if err != nil {
			h.Fatalf("%s: %v", h.name, err)
		}
	}
	link, err := handle.LinkByName("eth1")
	must(err)
	nettest.In(h, h.namespace, func() error {
		return os.WriteFile("/proc/sys/net/ipv6/conf/default/accept_dad", []byte("0"), 0o644)
	})
	if vlan != 0 {
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.ParentIndex = fmt.Sprintf("eth1.%d", vlan), link.Attrs().Index
		link = &netlink.Vlan{LinkAttrs: attrs, VlanId: vlan}
		must(handle.LinkAdd(link))
	}
	h.device = link.Attrs().Name
	must(handle.LinkSetMTU(link, mtu))
	must(handle.LinkSetUp(link))
	for _, text := range addresses {
		p := netip.MustParsePrefix(text)
		ip := net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
		must(handle.AddrAdd(link, &netlink.Addr{IPNet: &ip, Flags: unix.IFA_F_NODAD}))
	}
	for _, text := range gateways {
		gateway := netip.MustParseAddr(text)
		all := net.IPNet{IP: make(net.IP, gateway.BitLen()/8), Mask: net.CIDRMask(0, gateway.BitLen())}
		must(handle.RouteReplace(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: &all, Gw: gateway.AsSlice()}))
	}
}

// setMTU sets that of the device that the host's addresses are on.
func (h *host) setMTU(mtu int) {
	h.Helper()
	handle := nettest.Handle(h, h.namespace)
	link, err := handle.LinkByName(h.device)
	if err == nil {
		err = handle.LinkSetMTU(link, mtu)
	}
	if err != nil {
		h.Fatalf("%s: %v", h.name, err)
	}
}

// reaches waits until an address answers to a ping, at most for a while, and
// returns how long that took.
func (h *host) reaches(to string, patience time.Duration) (time.Duration, error) {
	began := time.Now()
	for {
		err := h.ping(to, 56, 250*time.Millisecond)
		if err == nil || time.Since(began) > patience {
			return time.Since(began), err
		}
	}
}

// errSilent says that no answer came.
var errSilent = errors.New("no answer")

// ping sends one echo request with a payload, which may not be fragmented on its
// way, and waits for the answer.
func (h *host) ping(to string, payload int, patience time.Duration) (err error) {
	nettest.In(h, h.namespace, func() error {
		err = ping(netip.MustParseAddr(to), payload, patience)
		return nil
	})
	if err != nil {
		return fmt.Errorf("ping from %s to %s: %w", h.name, to, err)
	}
	return nil
}

func ping(to netip.Addr, payload int, patience time.Duration) error {
	connection, err := listen(to)
	if err != nil {
		return err
	}
	defer connection.Close()
	kinds := echoOf(to)
	id, seq := os.Getpid()&0xffff, int(time.Now().UnixNano()&0x7fff)
	message := icmp.Message{Type: kinds.request, Body: &icmp.Echo{ID: id, Seq: seq, Data: make([]byte, payload)}}
	packet, err := message.Marshal(nil)
	if err != nil {
		return err
	}
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := connection.WriteTo(packet, &net.IPAddr{IP: to.AsSlice()}); err != nil {
		return err
	}
	buffer := make([]byte, 1<<16)
	for {
		n, from, err := connection.ReadFrom(buffer)
		if err != nil {
			return fmt.Errorf("%w within %v", errSilent, patience)
		}
		answer, err := icmp.ParseMessage(kinds.protocol, buffer[:n])
		if err != nil || answer.Type != kinds.reply || from.String() != to.String() {
			continue
		}
		if echo, ok := answer.Body.(*icmp.Echo); ok && echo.ID == id && echo.Seq == seq {
			return nil
		}
	}
}

// echo is what a family has for pings.
type echo struct {
	network        string
	protocol       int
	request, reply icmp.Type
	// level, option and value have the kernel send packets whole or not at all.
	level, option, value int
}

func echoOf(to netip.Addr) echo {
	if to.Is6() {
		return echo{
			"ip6:ipv6-icmp", 58, ipv6.ICMPTypeEchoRequest, ipv6.ICMPTypeEchoReply,
			unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE,
		}
	}
	return echo{
		"ip4:icmp", 1, ipv4.ICMPTypeEcho, ipv4.ICMPTypeEchoReply,
		unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE,
	}
}

func listen(to netip.Addr) (net.PacketConn, error) {
	kinds := echoOf(to)
	connection, err := net.ListenPacket(kinds.network, "")
	if err != nil {
		return nil, err
	}
	raw, err := connection.(*net.IPConn).SyscallConn()
	if err == nil {
		var refused error
		err = raw.Control(func(fd uintptr) { refused = unix.SetsockoptInt(int(fd), kinds.level, kinds.option, kinds.value) })
		err = errors.Join(err, refused)
	}
	if err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	return connection, nil
}
