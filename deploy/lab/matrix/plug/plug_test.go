// Package plug_test runs in a kernel that has VLAN devices.
package plug_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/matrixtest"
	"github.com/switchlet/switchlet/deploy/lab/matrix/plug"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
	"github.com/switchlet/switchlet/deploy/lab/uml/umltest"
)

func TestMain(m *testing.M) { umltest.Main(m) }

// plugs are made, and taken away when the test ends.
func plugs(t *testing.T) *plug.Plugs {
	p := plug.New(slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func set(t *testing.T, p *plug.Plugs, endpoints ...matrix.Endpoint) []*plug.Room {
	t.Helper()
	if err := p.Set(endpoints); err != nil {
		t.Fatal(err)
	}
	return p.Rooms()
}

// tenants are two tagged endpoints on one NIC and a native one on another.
func tenants(t *testing.T) (*matrixtest.Switch, []matrix.Endpoint) {
	s := matrixtest.NewSwitch(t)
	s.Subnet("a/blue", "web", 101, "10.1.0.0/24", "fd00:1::/64")
	s.Subnet("b/red", "app", 102, "10.1.0.0/24", "fd00:1::/64")
	s.Subnet("a/blue", "db", 103, "10.1.1.0/24")
	return s, []matrix.Endpoint{
		s.Attach("host1", "eth2", "a/blue", "db", false),
		s.Attach("host1", "eth1", "a/blue", "web", true),
		s.Attach("host1", "eth1", "b/red", "app", true),
	}
}

// link is the endpoint's own link, and its default routes.
func link(t *testing.T, r *plug.Room) (attrs *netlink.LinkAttrs, kind string, gateways []string) {
	t.Helper()
	err := r.Do(func() error {
		l, err := netlink.LinkByName(plug.Link)
		if err != nil {
			return err
		}
		attrs, kind = l.Attrs(), l.Type()
		routes, err := netlink.RouteList(l, netlink.FAMILY_ALL)
		for _, route := range routes {
			if route.Gw != nil {
				gateways = append(gateways, route.Gw.String())
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return attrs, kind, gateways
}

func TestEndpointsArePluggedIn(t *testing.T) {
	_, endpoints := tenants(t)
	rooms := set(t, plugs(t), endpoints...)
	for i, want := range []struct{ kind, gateways string }{
		{"macvlan", "10.1.1.1"}, {"vlan", "10.1.0.1 fd00:1::1"}, {"vlan", "10.1.0.1 fd00:1::1"},
	} {
		attrs, kind, gateways := link(t, rooms[i])
		if kind != want.kind || strings.Join(gateways, " ") != want.gateways || attrs.MTU != matrixtest.EndpointMTU || attrs.Flags&net.FlagUp == 0 || attrs.HardwareAddr.String() != rooms[i].MAC.String() {
			t.Errorf("%s: a %s of MTU %d with %v, %v, gateways %v", &rooms[i].Endpoint, kind, attrs.MTU, attrs.HardwareAddr, attrs.Flags, gateways)
		}
	}
}

// What is as it has to be stays; what changes is made anew; what is not named goes.
func TestSetChangesOnlyWhatIsDifferent(t *testing.T) {
	s, endpoints := tenants(t)
	p := plugs(t)
	before := set(t, p, endpoints...)
	if after := set(t, p, endpoints...); !slices.Equal(before, after) {
		t.Error("endpoints that did not change were made anew")
	}
	moved := slices.Clone(endpoints)
	moved[1].VLAN, moved[2].VLAN = 102, 101 // each wants the other's
	moved[0].Switch = "leaf2"               // which changes nothing
	after := set(t, p, moved...)
	if after[0] != before[0] || after[1] == before[1] || after[2] == before[2] {
		t.Errorf("made anew: %v %v %v, wanted the latter two", after[0] != before[0], after[1] != before[1], after[2] != before[2])
	}
	if rooms := set(t, p, moved[0]); len(rooms) != 1 {
		t.Errorf("%d endpoints are left, wanted 1", len(rooms))
	}
	nettest.In(t, endpoints[0].Namespace, func() error {
		links, err := netlink.LinkList()
		for _, l := range links {
			if l.Type() == "vlan" || l.Type() == "macvlan" {
				t.Errorf("the host has %s %s", l.Type(), l.Attrs().Name)
			}
		}
		return err
	})
	_ = s
}

// An endpoint that is a pod is there already: its interface is found, with the MTU that
// it has, and stays as it is. Another interface is not taken for it.
func TestPodIsAnEndpoint(t *testing.T) {
	_, endpoints := tenants(t)
	there := set(t, plugs(t), endpoints[1])[0]
	pod := endpoints[1]
	pod.Pod, pod.NIC, pod.VLAN, pod.MTU = "a/web", plug.Link, 0, 0
	if err := there.Do(func() (err error) {
		pod.Namespace = fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())
		p := plug.New(slog.New(slog.DiscardHandler))
		if err := p.Set([]matrix.Endpoint{pod}); err != nil {
			return err
		}
		room := p.Rooms()[0]
		if room.Index != there.Index || room.MAC.String() != there.MAC.String() || room.Endpoint.MTU != matrixtest.EndpointMTU {
			t.Errorf("the pod's interface is %d with %s and MTU %d", room.Index, room.MAC, room.Endpoint.MTU)
		}
		if err := p.Set([]matrix.Endpoint{pod}); err != nil || p.Rooms()[0] != room {
			t.Errorf("an endpoint that did not change was found anew, error %v", err)
		}
		if err := p.Close(); err != nil {
			return err
		}
		pod.Addresses = []netip.Prefix{netip.MustParsePrefix("10.1.0.250/24")}
		if err := p.Set([]matrix.Endpoint{pod}); !errors.Is(err, plug.ErrUnlike) {
			t.Errorf("an address that the pod has not: error %v", err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, kind, _ := link(t, there); kind != "vlan" {
		t.Errorf("the pod's interface is a %s afterwards", kind)
	}
}

// A NIC that is gone takes its endpoints with it; a new one of that name gets them again.
func TestNICIsReplaced(t *testing.T) {
	s, endpoints := tenants(t)
	p := plugs(t)
	before := set(t, p, endpoints[0])
	nettest.In(t, endpoints[0].Namespace, func() error {
		nic, err := netlink.LinkByName(endpoints[0].NIC)
		if err != nil {
			return err
		}
		return netlink.LinkDel(nic)
	})
	err := p.Set(endpoints[:1])
	if err == nil || !strings.Contains(err.Error(), "NIC eth2 of host1") {
		t.Errorf("error %v, wanted it to name the NIC", err)
	}
	s.Unplugged("host1", "eth2")
	s.Attach("host1", "eth2", "a/blue", "db", false)
	if after := set(t, p, endpoints[0]); len(after) != 1 || after[0] == before[0] {
		t.Errorf("%d endpoints on the new NIC", len(after))
	}
}

// A host may have the VLAN device already: there can be only one of a NIC.
func TestHostHasTheVLANAlready(t *testing.T) {
	for _, bonded := range []bool{false, true} {
		t.Run(fmt.Sprintf("in a bond: %t", bonded), func(t *testing.T) { hasVLANAlready(t, bonded) })
	}
}

func hasVLANAlready(t *testing.T, bonded bool) {
	_, endpoints := tenants(t)
	nettest.In(t, endpoints[1].Namespace, func() error {
		nic, err := netlink.LinkByName("eth1")
		if err != nil {
			return err
		}
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.ParentIndex = "eth1.101", nic.Attrs().Index
		vlan := &netlink.Vlan{LinkAttrs: attrs, VlanId: 101, VlanProtocol: netlink.VLAN_PROTOCOL_8021Q}
		if err := netlink.LinkAdd(vlan); err != nil {
			return err
		}
		if !bonded {
			return netlink.LinkSetUp(vlan)
		}
		bond := netlink.NewLinkBond(netlink.LinkAttrs{Name: "pods", MTU: matrixtest.MTU})
		bond.Mode = netlink.BOND_MODE_ACTIVE_BACKUP
		return errors.Join(netlink.LinkAdd(bond), netlink.LinkSetMaster(vlan, bond), netlink.LinkSetUp(bond))
	})
	rooms := set(t, plugs(t), endpoints[1])
	if _, kind, _ := link(t, rooms[0]); kind != "macvlan" {
		t.Errorf("a %s, wanted a macvlan of what the host has", kind)
	}
}

func TestEndpointsThatCannotBe(t *testing.T) {
	_, endpoints := tenants(t)
	for want, change := range map[string]func(*matrix.Endpoint){
		"NIC eth9 of host1":           func(e *matrix.Endpoint) { e.NIC = "eth9" },
		"mtu 9200 is more than":       func(e *matrix.Endpoint) { e.MTU = 9200 },
		"network namespace of host1":  func(e *matrix.Endpoint) { e.Namespace = "/proc/1/ns/none" },
		"vlan 5000":                   func(e *matrix.Endpoint) { e.VLAN = 5000 },
		"a default route through 10.": func(e *matrix.Endpoint) { e.Gateways[0] = e.Gateways[0].Prev().Prev().Prev() },
	} {
		p := plugs(t)
		wrong := endpoints[1]
		wrong.Gateways = slices.Clone(wrong.Gateways)
		change(&wrong)
		err := p.Set([]matrix.Endpoint{wrong, endpoints[0]})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, wanted %q", err, want)
		}
		if rooms := p.Rooms(); want != "vlan 5000" && (len(rooms) != 1 || rooms[0].Endpoint.Subnet != "db") {
			t.Errorf("%s: %d endpoints, wanted the other one", want, len(rooms))
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Everyone in the subnet hears where a new endpoint is.
func TestNewEndpointsAreAnnounced(t *testing.T) {
	s, endpoints := tenants(t)
	other := s.Attach("host2", "eth1", "a/blue", "web", true)
	listener := set(t, plugs(t), other)[0]
	heard := listen(t, listener)
	room := set(t, plugs(t), endpoints[1])[0]
	ends := map[string]bool{}
	for buffer := make([]byte, 2048); len(ends) < 2; {
		n, err := heard.Read(buffer)
		if err != nil {
			t.Fatalf("%v; heard %v", err, ends)
		}
		frame := buffer[:n]
		if string(frame[6:12]) != string(room.MAC) {
			continue
		}
		for _, a := range room.Endpoint.Addresses {
			if bytes.Contains(frame, a.Addr().AsSlice()) {
				ends[a.String()] = true
			}
		}
	}
}

// listen hears every frame that comes to an endpoint.
func listen(t *testing.T, r *plug.Room) *os.File {
	t.Helper()
	var fd int
	err := r.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL})))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "packets")
	t.Cleanup(func() { file.Close() })
	if err := file.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return file
}

// An endpoint at two NICs has a bond of them, and takes nothing with it that another one
// would want.
func TestEndpointAtTwoNICs(t *testing.T) {
	s := matrixtest.NewSwitch(t)
	s.Subnet("a/blue", "web", 101, "10.1.0.0/24", "fd00:1::/64")
	both, second := s.Attach("host1", "eth1", "a/blue", "web", true), s.Attach("host1", "eth2", "a/blue", "web", true)
	both.Second = matrix.Wire{NIC: second.NIC, VLAN: second.VLAN}
	p := plugs(t)
	for range 2 {
		room := set(t, p, both)[0]
		attrs, kind, _ := link(t, room)
		if kind != "bond" || attrs.MTU != matrixtest.EndpointMTU || attrs.Flags&net.FlagUp == 0 || attrs.HardwareAddr.String() != room.MAC.String() {
			t.Errorf("a %s of MTU %d with %v, %v", kind, attrs.MTU, attrs.HardwareAddr, attrs.Flags)
		}
		set(t, p)
	}
}
