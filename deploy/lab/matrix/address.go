package matrix

import (
	"encoding/binary"
	"net/netip"
)

// picker chooses addresses. They follow from the endpoint, so they stay the same from
// one run to the next unless two endpoints want the same one.
type picker struct {
	inVPC map[vpcAddress]bool
	all   map[netip.Addr]bool
}

type vpcAddress struct {
	vpc     string
	address netip.Addr
}

func newPicker() *picker {
	return &picker{map[vpcAddress]bool{}, map[netip.Addr]bool{}}
}

// pick chooses an address that nobody in the VPC has. If it can, it takes one that
// nobody at all has: VPCs may use the same networks, and who gets an answer from an
// address that is in both cannot tell from which.
func (p *picker) pick(e *Endpoint, network netip.Prefix, gateway netip.Addr) (netip.Addr, bool) {
	free := func(a netip.Addr) bool { return a != gateway && !p.inVPC[vpcAddress{e.VPC, a}] }
	seed := uint64(e.ID())
	address, ok := search(network, seed, func(a netip.Addr) bool { return free(a) && !p.all[a] })
	if !ok {
		address, ok = search(network, seed, free)
	}
	if ok {
		p.took(e.VPC, address)
	}
	return address, ok
}

func (p *picker) took(vpc string, address netip.Addr) {
	p.inVPC[vpcAddress{vpc, address}], p.all[address] = true, true
}

// take takes the addresses that an endpoint has already.
func (p *picker) take(e *Endpoint) {
	for _, a := range e.Addresses {
		p.took(e.VPC, a.Addr())
	}
}

// most is how many addresses of a network are looked at, at most.
const most = 1 << 16

// search looks for a host's address from the seed onwards: not the network's own,
// which in IPv6 is all of its routers (RFC 4291, §2.6.1), and not IPv4's broadcast.
func search(network netip.Prefix, seed uint64, good func(netip.Addr) bool) (netip.Addr, bool) {
	hostBits := min(network.Addr().BitLen()-network.Bits(), 32)
	hosts := uint64(1)<<hostBits - 1 // without the first
	if network.Addr().Is4() {
		hosts--
	}
	for i := range min(hosts, most) {
		if a := nth(network, 1+(seed%hosts+i)%hosts); good(a) {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// nth is the address n after a network's own, n below 2³².
func nth(network netip.Prefix, n uint64) netip.Addr {
	raw := network.Masked().Addr().AsSlice()
	low := raw[len(raw)-4:]
	binary.BigEndian.PutUint32(low, binary.BigEndian.Uint32(low)|uint32(n))
	a, _ := netip.AddrFromSlice(raw)
	return a
}
