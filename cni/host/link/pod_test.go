package link_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/host/uplink"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
)

// patience is how long tests wait for what takes milliseconds.
const patience = 20 * time.Second

// bridged makes the host's bridge of network 1111, with eth1 in it.
func (r *rig) bridged() string {
	r.t.Helper()
	have, err := r.kernel.Devices()
	r.must(err)
	network := uplink.Network{VNI: 1111, Name: "blue/web", Uplinks: untagged("eth1"), Bridge: true}
	network.Owner.Name = "blue"
	steps, problems := uplink.Plan(have, []uplink.Network{network})
	if len(problems) > 0 {
		r.t.Fatal(problems)
	}
	for _, s := range steps {
		r.must(r.kernel.Do(s))
	}
	if have, err = r.kernel.Devices(); err != nil {
		r.t.Fatal(err)
	}
	if again, _ := uplink.Plan(have, []uplink.Network{network}); len(again) > 0 {
		r.t.Fatalf("and then it takes %s", again)
	}
	return network.Parent()
}

// Two pods of a host: they have what was said, are announced, and reach each other
// and the switch at once, in both families.
func TestAttach(t *testing.T) {
	for _, mode := range []request.Mode{request.Macvlan, request.Bridge} {
		t.Run(string(mode), func(t *testing.T) {
			r := newRig(t)
			parent, kind := "eth1", "macvlan"
			if mode == request.Bridge {
				parent, kind = r.bridged(), "veth"
			}
			gateway := r.pod(1, mode).i
			addresses(t, r.far, "port", gateway.Addresses)
			ear := r.listen()
			a, b := r.pod(7, mode), r.pod(8, mode)
			for _, p := range []*pod{a, b} {
				p.i.Parent = parent
				mtu, err := r.kernel.Attach(p.file, p.i)
				if err != nil || mtu != 1600 {
					t.Fatalf("mtu %d, error %v", mtu, err)
				}
			}
			want := kind + " 0a:58:0a:01:00:07 mtu 1600 up true 10.1.0.7/24 fd00::7/64"
			if got := r.shows(a.path, "net1"); got != want {
				t.Errorf("net1 is %s, want %s", got, want)
			}
			ear.hears("0a:58:0a:01:00:07: ARP 10.1.0.7 has 0a:58:0a:01:00:07", "0a:58:0a:01:00:07: NA fd00::7", "0a:58:0a:01:00:08: ARP 10.1.0.8 has 0a:58:0a:01:00:08")
			for _, address := range []string{"10.1.0.7", "fd00::7"} {
				r.reach(b.path, a.path, address)
				r.reach(r.far, a.path, address)
			}
			r.reach(a.path, r.far, "10.1.0.1")
		})
	}
}

func addresses(t *testing.T, namespace, name string, all []netip.Prefix) {
	t.Helper()
	handle := nettest.Handle(t, namespace)
	l, err := handle.LinkByName(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		a, err := netlink.ParseAddr(p.String())
		if err == nil {
			a.Flags = 0x02 // IFA_F_NODAD
			err = handle.AddrAdd(l, a)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// In a network without IPv6 a pod has none, not even a link-local address that
// others could reach.
func TestAttachIPv4Only(t *testing.T) {
	r := newRig(t)
	p := r.pod(7, request.Macvlan)
	p.i.Addresses, p.i.IPv6, p.i.MTU = p.i.Addresses[:1], false, 1400
	if mtu, err := r.kernel.Attach(p.file, p.i); err != nil || mtu != 1400 {
		t.Fatalf("mtu %d, error %v", mtu, err)
	}
	if got, want := r.shows(p.path, "net1"), "macvlan 0a:58:0a:01:00:07 mtu 1400 up true 10.1.0.7/24"; got != want {
		t.Errorf("net1 is %s, want %s", got, want)
	}
	handle := nettest.Handle(t, p.path)
	l, err := handle.LinkByName("net1")
	r.must(err)
	if all, err := handle.AddrList(l, netlink.FAMILY_V6); err != nil || len(all) > 0 {
		t.Errorf("IPv6 addresses %v, error %v", all, err)
	}
}

// An interface of that name is somebody else's, and stays as it is, whether the host has
// one of the name too or not.
func TestAttachNextToAnother(t *testing.T) {
	for _, hostToo := range []bool{false, true} {
		t.Run(fmt.Sprint(hostToo), func(t *testing.T) {
			r := newRig(t)
			if hostToo {
				attrs := netlink.NewLinkAttrs()
				attrs.Name = "net1"
				r.must(nettest.Handle(t, r.host).LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "net1-peer"}))
			}
			first, second := r.pod(7, request.Macvlan), r.pod(8, request.Macvlan)
			if _, err := r.kernel.Attach(first.file, first.i); err != nil {
				t.Fatal(err)
			}
			if _, err := r.kernel.Attach(first.file, second.i); !errors.Is(err, link.ErrExists) {
				t.Errorf("error %v", err)
			}
			r.must(r.kernel.Detach(first.file, second.i))
			r.must(r.kernel.Check(first.file, first.i))
			links, err := nettest.Handle(t, first.path).LinkList()
			if r.must(err); len(links) != 2 {
				t.Errorf("the pod has %d interfaces, want lo and net1", len(links))
			}
		})
	}
}

// What cannot be finished is taken back.
func TestAttachLeavesNothing(t *testing.T) {
	r := newRig(t)
	p := r.pod(7, request.Macvlan)
	p.i.Addresses = append(p.i.Addresses, netip.MustParsePrefix("ff02::1/64"))
	if _, err := r.kernel.Attach(p.file, p.i); err == nil {
		t.Error("the kernel takes any address")
	}
	if err := r.kernel.Check(p.file, p.i); !errors.Is(err, link.ErrMissing) {
		t.Errorf("afterwards: %v", err)
	}
	p.i.Parent = "eth9"
	if _, err := r.kernel.Attach(p.file, p.i); err == nil {
		t.Error("there is no eth9")
	}
}

func TestDetach(t *testing.T) {
	for _, mode := range []request.Mode{request.Macvlan, request.Bridge} {
		t.Run(string(mode), func(t *testing.T) {
			r := newRig(t)
			p := r.pod(7, mode)
			if mode == request.Bridge {
				p.i.Parent = r.bridged()
			}
			if _, err := r.kernel.Attach(p.file, p.i); err != nil {
				t.Fatal(err)
			}
			for range 2 { // once more is no error
				r.must(r.kernel.Detach(p.file, p.i))
				if err := r.kernel.Check(p.file, p.i); !errors.Is(err, link.ErrMissing) {
					t.Errorf("afterwards: %v", err)
				}
			}
			r.must(r.kernel.Detach(nil, p.i)) // nor when the namespace is gone
		})
	}
}

// Whatever somebody takes away in a pod is found and comes back.
func TestRepair(t *testing.T) {
	r := newRig(t)
	for i, c := range []struct {
		name string
		harm func(*netlink.Handle, netlink.Link) error
		want string
	}{
		{"an address", func(h *netlink.Handle, l netlink.Link) error {
			a, err := netlink.ParseAddr(fmt.Sprintf("10.1.0.%d/24", 10))
			return errors.Join(err, h.AddrDel(l, a))
		}, "address 10.1.0.10/24 of interface net1: missing"},
		{"it is switched off", func(h *netlink.Handle, l netlink.Link) error { return h.LinkSetDown(l) }, "interface net1 is down: its flag up is missing"},
		{"its MAC address", func(h *netlink.Handle, l netlink.Link) error {
			return h.LinkSetHardwareAddr(l, []byte{2, 0, 0, 0, 0, 1})
		}, "interface net1 has MAC address 02:00:00:00:00:01, and 0a:58:0a:01:00:0c is missing"},
		{"all of it", func(h *netlink.Handle, l netlink.Link) error { return h.LinkDel(l) }, "interface net1: missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := r.pod(byte(10+i), request.Macvlan)
			if _, err := r.kernel.Attach(p.file, p.i); err != nil {
				t.Fatal(err)
			}
			r.must(r.kernel.Check(p.file, p.i))
			handle := nettest.Handle(t, p.path)
			l, err := handle.LinkByName("net1")
			r.must(err)
			r.must(c.harm(handle, l))
			if err := r.kernel.Check(p.file, p.i); !errors.Is(err, link.ErrMissing) || err.Error() != c.want {
				t.Errorf("found %v, want %s", err, c.want)
			}
			r.must(r.kernel.Repair(p.file, p.i))
			r.must(r.kernel.Check(p.file, p.i))
		})
	}
}

func TestNotANetns(t *testing.T) {
	if _, err := link.OpenNetns("/proc/self/ns/pid"); !errors.Is(err, link.ErrNotNetns) {
		t.Errorf("error %v", err)
	}
	if _, err := link.OpenNetns("/proc/self/status"); !errors.Is(err, link.ErrNotNetns) {
		t.Errorf("error %v", err)
	}
}
