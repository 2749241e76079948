package wire_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/lldp/frame"
	"github.com/switchlet/switchlet/lldp/wire"
)

// sender sends any frames on a link of a namespace.
type sender struct {
	t     testing.TB
	fd    int
	index int
}

func (s *space) sender(link string) *sender {
	s.t.Helper()
	r := &sender{t: s.t}
	s.set(link, func(l netlink.Link) (err error) {
		r.index = l.Attrs().Index
		r.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		return err
	})
	s.t.Cleanup(func() { unix.Close(r.fd) })
	return r
}

func (r *sender) send(raw []byte) {
	r.t.Helper()
	if err := unix.Sendto(r.fd, raw, 0, &unix.SockaddrLinklayer{Ifindex: r.index}); err != nil {
		r.t.Fatal(err)
	}
}

// ethernet is a frame: destination, what stands before the type, the LLDPDU.
func ethernet(t testing.TB, destination wire.MAC, tag []byte, chassis string) []byte {
	t.Helper()
	f := frame.Frame{ChassisID: frame.ChassisByName(chassis), PortID: frame.PortByName("x"), TTL: time.Minute}
	raw := append(append([]byte{}, destination[:]...), 2, 0, 0, 0, 0, 1)
	raw, err := f.Append(append(append(raw, tag...), wire.EtherType>>8, wire.EtherType&0xff))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Heard are the three group addresses of LLDP, without a VLAN or with a priority
// only. Everything else does not even come to the agent.
func TestOnlyLLDPIsHeard(t *testing.T) {
	node, leaf := newSpace(t), newSpace(t)
	cable(node, "eth0", leaf, "eth0")
	a := node.agent(named("node1"))
	a.speaks()
	out := leaf.sender("eth0")
	vlan := func(tci uint16) []byte { return []byte{0x81, 0x00, byte(tci >> 8), byte(tci)} }
	for _, raw := range [][]byte{
		ethernet(t, wire.MAC{0x01, 0x80, 0xc2, 0, 0, 0x02}, nil, "slow protocols"),
		ethernet(t, wire.MAC{0x01, 0x80, 0xc3, 0, 0, 0x0e}, nil, "other group"),
		ethernet(t, wire.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, nil, "broadcast"),
		ethernet(t, wire.MAC{2, 0, 0, 0, 0, 2}, nil, "unicast"),
		ethernet(t, wire.NearestBridge(), vlan(10), "VLAN 10"),
		ethernet(t, wire.NearestBridge(), vlan(7<<13|4094), "VLAN 4094"),
		append([]byte{0x01, 0x80, 0xc2, 0, 0, 0x0e, 2, 0, 0, 0, 0, 1, 0x88, 0xb5}, make([]byte, 50)...), // another protocol
		ethernet(t, wire.NearestBridge(), vlan(7<<13), "priority 7"),
		ethernet(t, wire.NearestBridge(), nil, "nearest bridge"),
		ethernet(t, wire.NearestNonTPMRBridge(), nil, "nearest bridge that is no relay"),
		ethernet(t, wire.NearestCustomerBridge(), nil, "nearest customer bridge"),
	} {
		out.send(raw)
	}
	a.untilNeighbors("eth0: nearest bridge x", "eth0: nearest bridge that is no relay x", "eth0: nearest customer bridge x", "eth0: priority 7 x")
	if c := a.Ports()[0].Counters; c.In != 4 {
		t.Errorf("%d frames came to the agent", c.In)
	}
}

// A frame that is longer than any LLDPDU, or is none, is counted and nothing else.
func TestMalformedFrames(t *testing.T) {
	node, leaf := newSpace(t), newSpace(t)
	cable(node, "eth0", leaf, "eth0")
	leaf.set("eth0", func(l netlink.Link) error { return netlink.LinkSetMTU(l, 9000) })
	a := node.agent(named("node1"))
	a.speaks()
	out := leaf.sender("eth0")
	good := ethernet(t, wire.NearestBridge(), nil, "leaf1")
	out.send(append(good[:len(good):len(good)], make([]byte, 1400)...)) // too much padding, but no more than fits
	out.send(good[:20])
	out.send(good[:14])
	node.set("eth0", func(l netlink.Link) error { return netlink.LinkSetMTU(l, 9000) })
	out.send(append(good[:len(good):len(good)], make([]byte, 8000)...))
	a.untilNeighbors("eth0: leaf1 x")
	awaitTrue(t, "three malformed frames", func() bool { return a.Ports()[0].Counters.Malformed == 3 })
}

// When the kernel had to leave out changes of links, because there were more than
// were read, the agent asks for all of them again.
func TestLostChangesOfLinks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	node, leaf := newSpace(t), newSpace(t)
	cable(node, "eth0", leaf, "eth0")
	busy, free := make(chan struct{}), make(chan struct{})
	var once sync.Once
	cfg := named("node1")
	cfg.Select = func(l wire.Link) bool {
		if l.Alias == "wait" {
			once.Do(func() { close(busy) })
			<-free
		}
		return l.Kind == "veth"
	}
	a := node.agent(cfg)
	a.until("eth0", func() bool { return len(a.Ports()) == 1 })
	node.set("eth0", func(l netlink.Link) error { return netlink.LinkSetAlias(l, "wait") })
	<-busy
	for i := range 1000 { // much more than the kernel keeps
		node.set("eth0", func(l netlink.Link) error { return netlink.LinkSetAlias(l, fmt.Sprint("alias", i)) })
	}
	cable(node, "eth1", leaf, "eth1")
	node.set("eth0", netlink.LinkDel)
	close(free)
	a.until("eth1 alone", func() bool { p := a.Ports(); return len(p) == 1 && p[0].Link.Name == "eth1" })
}
