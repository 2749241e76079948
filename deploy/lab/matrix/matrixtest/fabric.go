// Package matrixtest gives tests a fabric that forwards, without switches: each
// subnet is a bridge, each VPC a network namespace that routes between its bridges,
// and each host's NIC a cable to one bridge.
package matrixtest

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
)

const (
	// MTU of cables and bridges.
	MTU = 9100
	// EndpointMTU is that of endpoints.
	EndpointMTU = 9000
)

// Fabric is the fabric of a test.
type Fabric struct {
	t      testing.TB
	vpcs   map[string]string   // the namespaces
	hosts  map[string]string   // the namespaces
	number map[string]int      // of the VPCs
	taken  map[string]int      // addresses of a subnet that are given away
	nets   map[string][]string // CIDRs by subnet
	ports  map[string]string   // of the bridges, by place
}

// New has nothing yet.
func New(t testing.TB) *Fabric {
	return &Fabric{t, map[string]string{}, map[string]string{}, map[string]int{}, map[string]int{}, map[string][]string{}, map[string]string{}}
}

func (f *Fabric) must(what string, err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatalf("%s: %v", what, err)
	}
}

// Subnet makes a subnet of a VPC, with its gateways: "tenant-a/blue", "web".
func (f *Fabric) Subnet(vpc, subnet string, cidrs ...string) {
	f.t.Helper()
	if f.vpcs[vpc] == "" {
		f.vpcs[vpc] = nettest.Namespace(f.t)
		f.number[vpc] = len(f.number)
		nettest.In(f.t, f.vpcs[vpc], func() error {
			for file, value := range map[string]string{"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1", "ipv6/conf/default/accept_dad": "0"} {
				if err := os.WriteFile("/proc/sys/net/"+file, []byte(value), 0); err != nil {
					return err
				}
			}
			return nil
		})
	}
	h := nettest.Handle(f.t, f.vpcs[vpc])
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = subnet, MTU
	attrs.HardwareAddr = net.HardwareAddr{2, 0, 0, 1, byte(f.number[vpc]), byte(len(f.nets))} // else it is that of a port
	f.must("make a bridge", h.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}))
	bridge := f.link(h, subnet)
	for _, cidr := range cidrs {
		p := netip.MustParsePrefix(cidr)
		gateway, err := netlink.ParseAddr(netip.PrefixFrom(p.Addr().Next(), p.Bits()).String())
		f.must(cidr, err)
		gateway.Flags = 0x02 // IFA_F_NODAD
		f.must("add a gateway", h.AddrAdd(bridge, gateway))
	}
	f.must("switch the bridge on", h.LinkSetUp(bridge))
	f.nets[vpc+"/"+subnet] = cidrs
}

func (f *Fabric) link(h *netlink.Handle, name string) netlink.Link {
	f.t.Helper()
	link, err := h.LinkByName(name)
	f.must(name, err)
	return link
}

// Host makes a host with a NIC that is cabled to a subnet, and returns the endpoint
// there; it is not plugged in yet.
func (f *Fabric) Host(host, nic, vpc, subnet string) matrix.Endpoint {
	f.t.Helper()
	if f.hosts[host] == "" {
		f.hosts[host] = nettest.Namespace(f.t)
	}
	segment := vpc + "/" + subnet
	f.taken[segment]++
	// A port's name is unique and short enough.
	port := fmt.Sprintf("p%d-%s", len(f.ports), host)
	f.ports[host+"/"+nic] = port
	f.cable(f.hosts[host], nic, f.vpcs[vpc], port)
	f.enslave(f.vpcs[vpc], port, subnet)
	e := matrix.Endpoint{Host: host, NIC: nic, Namespace: f.hosts[host], VPC: vpc, Subnet: subnet, MTU: EndpointMTU}
	for _, cidr := range f.nets[segment] {
		p := netip.MustParsePrefix(cidr)
		a := p.Addr().Next()
		e.Gateways = append(e.Gateways, a)
		for range 32*f.number[vpc] + f.taken[segment] { // others in each VPC
			a = a.Next()
		}
		e.Addresses = append(e.Addresses, netip.PrefixFrom(a, p.Bits()))
	}
	return e
}

// cable makes a veth pair with both ends up.
func (f *Fabric) cable(here, name, there, far string) {
	f.t.Helper()
	other, err := netns.GetFromPath(there)
	f.must(there, err)
	defer other.Close()
	h := nettest.Handle(f.t, here)
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = name, MTU
	f.must("make a cable", h.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: far, PeerMTU: MTU, PeerNamespace: netlink.NsFd(int(other))}))
	f.must("switch a cable on", h.LinkSetUp(f.link(h, name)))
	g := nettest.Handle(f.t, there)
	f.must("switch a cable on", g.LinkSetUp(f.link(g, far)))
}

func (f *Fabric) enslave(namespace, port, bridge string) {
	f.t.Helper()
	h := nettest.Handle(f.t, namespace)
	f.must("plug in at the bridge", h.LinkSetMaster(f.link(h, port), f.link(h, bridge)))
}

// Bridge makes one broadcast domain of two subnets, such as "tenant-a/blue/web".
func (f *Fabric) Bridge(one, other string) {
	f.t.Helper()
	a, b := segment(one), segment(other)
	f.cable(f.vpcs[a.vpc], "leak0", f.vpcs[b.vpc], "leak1")
	f.enslave(f.vpcs[a.vpc], "leak0", a.subnet)
	f.enslave(f.vpcs[b.vpc], "leak1", b.subnet)
}

// Route has a VPC send everything that it has no route for to another one: one way, as
// a route that was imported by mistake does.
func (f *Fabric) Route(from, to string) {
	f.t.Helper()
	f.cable(f.vpcs[from], "route0", f.vpcs[to], "route1")
	h, g := nettest.Handle(f.t, f.vpcs[from]), nettest.Handle(f.t, f.vpcs[to])
	link := f.link(h, "route0")
	for _, p := range []struct{ near, far, gateway string }{
		{"192.0.2.1/30", "192.0.2.2/30", "192.0.2.2"}, {"2001:db8::1/64", "2001:db8::2/64", "2001:db8::2"},
	} {
		near, err := netlink.ParseAddr(p.near)
		f.must(p.near, err)
		far, err := netlink.ParseAddr(p.far)
		f.must(p.far, err)
		near.Flags, far.Flags = 0x02, 0x02
		f.must("add an address", h.AddrAdd(link, near))
		f.must("add an address", g.AddrAdd(f.link(g, "route1"), far))
		f.must("add a route", h.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: netip.MustParseAddr(p.gateway).AsSlice()}))
	}
}

// MTU makes that of the port that a NIC is cabled to smaller, as on a switch that was
// forgotten.
func (f *Fabric) MTU(e matrix.Endpoint, mtu int) {
	f.t.Helper()
	h := nettest.Handle(f.t, f.vpcs[e.VPC])
	f.must("set an MTU", h.LinkSetMTU(f.link(h, f.ports[e.Place()]), mtu))
}

// Cut has the fabric pass nothing of a NIC, without the host noticing, until the function
// that it returns is called.
func (f *Fabric) Cut(e matrix.Endpoint) (mend func()) {
	f.t.Helper()
	h := nettest.Handle(f.t, f.vpcs[e.VPC])
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "void" // a bridge that is off
	f.must("make a bridge", h.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}))
	port, subnet, void := f.link(h, f.ports[e.Place()]), f.link(h, e.Subnet), f.link(h, "void")
	f.must("cut", h.LinkSetMaster(port, void))
	return func() {
		f.t.Helper()
		f.must("mend", h.LinkSetMaster(port, subnet))
	}
}

type domain struct{ vpc, subnet string }

func segment(text string) domain {
	i := strings.LastIndex(text, "/")
	return domain{text[:i], text[i+1:]}
}
