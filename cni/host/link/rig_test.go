package link_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/cni/host/ipam"
	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
)

// rig is a host with NIC eth1, which is cabled to a port of a switch.
type rig struct {
	t      *testing.T
	host   string // namespaces
	far    string
	kernel *link.Kernel
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, host: nettest.Namespace(t), far: nettest.Namespace(t)}
	far := r.file(r.far)
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = "eth1", 1600
	pair := &netlink.Veth{LinkAttrs: attrs, PeerName: "port", PeerMTU: 1600, PeerNamespace: netlink.NsFd(int(far.Fd()))}
	r.must(nettest.Handle(t, r.host).LinkAdd(pair))
	r.up(r.host, "eth1")
	r.up(r.far, "port")
	nettest.In(t, r.host, func() (err error) {
		r.kernel, err = link.Open(link.Config{Proc: "/proc", Sys: "/sys"})
		return err
	})
	t.Cleanup(func() { r.must(r.kernel.Close()) })
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// file is a namespace as the runtime hands it over.
func (r *rig) file(path string) *os.File {
	r.t.Helper()
	f, err := link.OpenNetns(path)
	r.must(err)
	r.t.Cleanup(func() { f.Close() })
	return f
}

func (r *rig) up(namespace, name string) {
	r.t.Helper()
	handle := nettest.Handle(r.t, namespace)
	l, err := handle.LinkByName(name)
	r.must(err)
	r.must(handle.LinkSetUp(l))
}

// pod is a network namespace with, or without, an interface.
type pod struct {
	path string
	file *os.File
	i    link.Interface
}

func (r *rig) pod(number byte, mode request.Mode) *pod {
	r.t.Helper()
	path := nettest.Namespace(r.t)
	v4, v6 := netip.AddrFrom4([4]byte{10, 1, 0, number}), netip.MustParseAddr(fmt.Sprintf("fd00::%x", number))
	return &pod{path, r.file(path), link.Interface{
		Key: request.Key{ContainerID: fmt.Sprint("c", number), IfName: "net1"}, Mode: mode, Parent: "eth1",
		MAC: ipam.MAC(v4), Addresses: []netip.Prefix{netip.PrefixFrom(v4, 24), netip.PrefixFrom(v6, 64)}, IPv6: true,
	}}
}

// shows is an interface as text: its MAC address, MTU, whether it is up, and its
// addresses that are not link-local.
func (r *rig) shows(namespace, name string) string {
	r.t.Helper()
	handle := nettest.Handle(r.t, namespace)
	l, err := handle.LinkByName(name)
	if err != nil {
		return err.Error()
	}
	a := l.Attrs()
	text := fmt.Sprintf("%s %s mtu %d up %t", l.Type(), a.HardwareAddr, a.MTU, a.Flags&net.FlagUp != 0)
	addresses, err := handle.AddrList(l, netlink.FAMILY_ALL)
	r.must(err)
	for _, address := range addresses {
		if !address.IP.IsLinkLocalUnicast() {
			text += " " + address.IPNet.String()
			if address.Flags&unix.IFA_F_TENTATIVE != 0 {
				text += " tentative"
			}
		}
	}
	return text
}

// reach opens a TCP connection from one namespace to an address in another.
func (r *rig) reach(from, to string, address string) {
	r.t.Helper()
	var listener net.Listener
	nettest.In(r.t, to, func() (err error) {
		listener, err = net.Listen("tcp", net.JoinHostPort(address, "0"))
		return err
	})
	defer listener.Close()
	nettest.In(r.t, from, func() error {
		conn, err := net.DialTimeout("tcp", listener.Addr().String(), patience)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// listen hears what comes to the switch's port from now on.
func (r *rig) listen() *ear {
	r.t.Helper()
	e := &ear{t: r.t}
	nettest.In(r.t, r.far, func() (err error) {
		e.socket, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(unix.ETH_P_ALL)<<8)
		return err
	})
	r.must(unix.SetsockoptTimeval(e.socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: int64(patience.Seconds())}))
	r.t.Cleanup(func() { unix.Close(e.socket) })
	return e
}

type ear struct {
	t      *testing.T
	socket int
}

// hears waits for frames of which each of these texts describes one.
func (e *ear) hears(want ...string) {
	e.t.Helper()
	missing := map[string]bool{}
	for _, w := range want {
		missing[w] = true
	}
	var heard []string
	for frame := make([]byte, 2000); len(missing) > 0; {
		n, _, err := unix.Recvfrom(e.socket, frame, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			e.t.Fatalf("%v; heard\n%s", err, strings.Join(heard, "\n"))
		}
		text := describe(frame[:n])
		heard = append(heard, text)
		delete(missing, text)
	}
}

// describe is an announcement as text, other frames as their first octets.
func describe(f []byte) string {
	source := net.HardwareAddr(f[6:12])
	switch {
	case len(f) >= 42 && f[12] == 8 && f[13] == 6: // ARP (RFC 826)
		return fmt.Sprintf("%s: ARP %s has %s", source, net.IP(f[28:32]), net.HardwareAddr(f[22:28]))
	case len(f) >= 78 && f[12] == 0x86 && f[13] == 0xdd && f[20] == 58 && f[54] == 136: // RFC 4861, section 4.4
		return fmt.Sprintf("%s: NA %s", source, net.IP(f[62:78]))
	}
	return fmt.Sprintf("%x", f[:min(len(f), 60)])
}
