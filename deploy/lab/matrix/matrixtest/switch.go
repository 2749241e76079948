package matrixtest

import (
	"fmt"
	"net/netip"
	"os"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
)

// Switch is a switch with VLANs and VRFs, for a kernel that has them: one bridge, a VRF
// for each VPC, and in it a VLAN device for each subnet.
type Switch struct {
	t      testing.TB
	space  string
	handle *netlink.Handle
	bridge netlink.Link
	vrfs   map[string]netlink.Link
	vlans  map[string]int            // by segment
	nets   map[string][]netip.Prefix // by segment
	hosts  map[string]string         // namespaces
	ports  map[string]netlink.Link   // by place
	given  int                       // addresses
	made   int                       // ports
}

// NewSwitch has no VLANs and no hosts yet.
func NewSwitch(t testing.TB) *Switch {
	s := &Switch{t: t, space: nettest.Namespace(t), vrfs: map[string]netlink.Link{}, vlans: map[string]int{}, nets: map[string][]netip.Prefix{}, hosts: map[string]string{}, ports: map[string]netlink.Link{}}
	s.handle = nettest.Handle(t, s.space)
	nettest.In(t, s.space, func() error {
		for file, value := range map[string]string{"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1", "ipv6/conf/default/accept_dad": "0"} {
			if err := os.WriteFile("/proc/sys/net/"+file, []byte(value), 0); err != nil {
				return err
			}
		}
		return nil
	})
	filtering, none := true, uint16(0)
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = "Bridge", MTU
	s.bridge = s.add(&netlink.Bridge{LinkAttrs: attrs, VlanFiltering: &filtering, VlanDefaultPVID: &none})
	return s
}

// add makes a link and switches it on.
func (s *Switch) add(link netlink.Link) netlink.Link {
	s.t.Helper()
	name := link.Attrs().Name
	if err := s.handle.LinkAdd(link); err != nil {
		s.t.Fatalf("make %s: %v", name, err)
	}
	made, err := s.handle.LinkByName(name)
	s.must(err)
	s.must(s.handle.LinkSetUp(made))
	return made
}

func (s *Switch) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// Subnet makes a subnet of a VPC with its VLAN and its gateways.
func (s *Switch) Subnet(vpc, subnet string, vlan int, cidrs ...string) {
	s.t.Helper()
	if s.vrfs[vpc] == nil {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = fmt.Sprintf("Vrf%d", len(s.vrfs)+1)
		s.vrfs[vpc] = s.add(&netlink.Vrf{LinkAttrs: attrs, Table: uint32(1001 + len(s.vrfs))})
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex, attrs.MasterIndex, attrs.MTU = fmt.Sprintf("Vlan%d", vlan), s.bridge.Attrs().Index, s.vrfs[vpc].Attrs().Index, MTU
	s.must(s.handle.BridgeVlanAdd(s.bridge, uint16(vlan), false, false, true, false))
	link := s.add(&netlink.Vlan{LinkAttrs: attrs, VlanId: vlan})
	for _, cidr := range cidrs {
		p := netip.MustParsePrefix(cidr)
		gateway, err := netlink.ParseAddr(netip.PrefixFrom(p.Addr().Next(), p.Bits()).String())
		s.must(err)
		s.must(s.handle.AddrAdd(link, gateway))
		s.nets[vpc+"/"+subnet] = append(s.nets[vpc+"/"+subnet], p)
	}
	s.vlans[vpc+"/"+subnet] = vlan
}

// Attach brings a subnet to a NIC of a host, which is made if need be, and returns the
// endpoint there; it is not plugged in yet.
func (s *Switch) Attach(host, nic, vpc, subnet string, tagged bool) matrix.Endpoint {
	s.t.Helper()
	segment := vpc + "/" + subnet
	port := s.port(host, nic)
	s.must(s.handle.BridgeVlanAdd(port, uint16(s.vlans[segment]), !tagged, !tagged, false, true))
	e := matrix.Endpoint{Host: host, NIC: nic, Namespace: s.hosts[host], VPC: vpc, Subnet: subnet, MTU: EndpointMTU}
	if tagged {
		e.VLAN = s.vlans[segment]
	}
	s.given++
	for _, p := range s.nets[segment] {
		a := p.Addr().Next()
		e.Gateways = append(e.Gateways, a)
		for range s.given {
			a = a.Next()
		}
		e.Addresses = append(e.Addresses, netip.PrefixFrom(a, p.Bits()))
	}
	return e
}

// Leak has a port carry a VLAN that it must not.
func (s *Switch) Leak(e matrix.Endpoint, vlan int) {
	s.t.Helper()
	s.must(s.handle.BridgeVlanAdd(s.ports[e.Place()], uint16(vlan), false, false, false, true))
}

// Unplugged says that a NIC is gone, and the port with it.
func (s *Switch) Unplugged(host, nic string) { delete(s.ports, host+"/"+nic) }

// port is the switch's port of a NIC.
func (s *Switch) port(host, nic string) netlink.Link {
	s.t.Helper()
	if s.hosts[host] == "" {
		s.hosts[host] = nettest.Namespace(s.t)
	}
	if port := s.ports[host+"/"+nic]; port != nil {
		return port
	}
	there, err := netns.GetFromPath(s.hosts[host])
	s.must(err)
	defer there.Close()
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.MasterIndex = fmt.Sprintf("Ethernet%d", 4*s.made), MTU, s.bridge.Attrs().Index
	s.made++
	port := s.add(&netlink.Veth{LinkAttrs: attrs, PeerName: nic, PeerMTU: MTU, PeerNamespace: netlink.NsFd(int(there))})
	h := nettest.Handle(s.t, s.hosts[host])
	far, err := h.LinkByName(nic)
	s.must(err)
	s.must(h.LinkSetUp(far))
	s.ports[host+"/"+nic] = port
	return port
}
