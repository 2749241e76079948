package nics

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
)

// host is a network namespace with two cables, eth1 and eth2.
type host struct {
	namespace string
	*netlink.Handle
}

func newHost(t *testing.T) host {
	t.Helper()
	h := host{namespace: nettest.Namespace(t)}
	h.Handle = nettest.Handle(t, h.namespace)
	for name, last := range map[string]byte{"eth1": 1, "eth2": 2} {
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.HardwareAddr = name, net.HardwareAddr{0x52, 0x54, 0, 0, 0, last}
		h.must(t, h.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "far" + name}))
	}
	return h
}

func (h host) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h host) link(t *testing.T, name string) netlink.Link {
	t.Helper()
	link, err := h.LinkByName(name)
	h.must(t, err)
	return link
}

// In a bond, whose NICs all have the same address, each is told with its own.
func TestBond(t *testing.T) {
	h := newHost(t)
	bond := netlink.NewLinkBond(netlink.NewLinkAttrs())
	bond.Name, bond.Mode = "bond0", netlink.BOND_MODE_ACTIVE_BACKUP
	err := h.LinkAdd(bond)
	if errors.Is(err, unix.EOPNOTSUPP) {
		t.Skip("this kernel has no bonds; TestBondOfMessages goes without them")
	}
	h.must(t, err)
	for _, name := range []string{"eth1", "eth2"} {
		h.must(t, h.LinkSetMaster(h.link(t, name), bond))
	}
	h.must(t, h.LinkSetUp(h.link(t, "fareth2")))
	h.must(t, h.LinkAddAltName(h.link(t, "eth2"), "enp3s0f1np1"))
	if a, b := h.link(t, "eth1").Attrs().HardwareAddr, h.link(t, "eth2").Attrs().HardwareAddr; a.String() != b.String() {
		t.Fatalf("the bond has left its NICs their addresses %v and %v", a, b)
	}
	want := []v1alpha1.HostNIC{
		{Name: "eth1", MAC: "52:54:00:00:00:01", Bond: "bond0"},
		{Name: "eth2", MAC: "52:54:00:00:00:02", Bond: "bond0", AltNames: []string{"enp3s0f1np1"}, Up: true},
	}
	nettest.In(t, h.namespace, func() error {
		links, err := list()
		if diff := cmp.Diff(want, Rules{Names: []string{"eth*", "bond*"}}.NICs(links)); err == nil && diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		return err
	})
}

// The same without the kernel's help, and where a driver knows no permanent
// address.
func TestBondOfMessages(t *testing.T) {
	bond := netlink.NewLinkBond(netlink.LinkAttrs{Name: "bond0", Index: 9, EncapType: "ether"})
	shared, own := net.HardwareAddr{0x52, 0x54, 0, 0, 0, 1}, net.HardwareAddr{0x52, 0x54, 0, 0, 0, 2}
	links := []Link{fromNetlink(bond)}
	for name, attrs := range map[string]netlink.LinkAttrs{
		"eth1": {PermHWAddr: own},
		"eth2": {Slave: &netlink.BondSlave{PermHardwareAddr: own}},
		"eth3": {},
	} {
		attrs.Name, attrs.MasterIndex, attrs.EncapType, attrs.HardwareAddr = name, 9, "ether", shared
		links = append(links, fromNetlink(&netlink.Device{LinkAttrs: attrs}))
	}
	want := []v1alpha1.HostNIC{
		{Name: "eth1", MAC: own.String(), Bond: "bond0"},
		{Name: "eth2", MAC: own.String(), Bond: "bond0"},
		{Name: "eth3", MAC: shared.String(), Bond: "bond0"},
	}
	if diff := cmp.Diff(want, Rules{Names: []string{"*"}}.NICs(links)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What the kernel tells of a cable: names, the carrier, the address.
func TestCable(t *testing.T) {
	h := newHost(t)
	h.must(t, h.LinkSetUp(h.link(t, "eth2")))
	h.must(t, h.LinkSetUp(h.link(t, "fareth2")))
	h.must(t, h.LinkSetUp(h.link(t, "eth1"))) // the other end is off
	h.must(t, h.LinkAddAltName(h.link(t, "eth2"), "enp3s0f1np1"))
	want := []v1alpha1.HostNIC{
		{Name: "eth1", MAC: "52:54:00:00:00:01"},
		{Name: "eth2", MAC: "52:54:00:00:00:02", AltNames: []string{"enp3s0f1np1"}, Up: true},
	}
	nettest.In(t, h.namespace, func() error {
		links, err := list()
		if diff := cmp.Diff(want, Rules{Names: []string{"eth*"}}.NICs(links)); err == nil && diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		return err
	})
}

// A change is told, and the end.
func TestSubscribe(t *testing.T) {
	h := newHost(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var changes <-chan struct{}
	nettest.In(t, h.namespace, func() (err error) {
		changes, err = subscribe(ctx)
		return err
	})
	h.must(t, h.LinkSetUp(h.link(t, "eth1")))
	deadline := time.After(20 * time.Second)
	select {
	case <-changes:
	case <-deadline:
		t.Fatal("no change is told")
	}
	stop()
	for {
		select {
		case _, ok := <-changes:
			if !ok {
				return
			}
		case <-deadline:
			t.Fatal("it does not end")
		}
	}
}
