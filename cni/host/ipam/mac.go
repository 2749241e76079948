package ipam

import (
	"hash/fnv"
	"net"
	"net/netip"
)

// MAC is that of an interface with an address. It follows from the address, so
// that it is unique in a subnet, and an address that comes to another pod is no
// surprise to its neighbours. It is of the locally administered ones (IEEE 802,
// section 8.4).
func MAC(a netip.Addr) net.HardwareAddr {
	if a.Is4() {
		b := a.As4()
		return net.HardwareAddr{0x0a, 0x58, b[0], b[1], b[2], b[3]}
	}
	h := fnv.New64a()
	h.Write(a.AsSlice())
	sum := h.Sum(nil)
	return net.HardwareAddr{0x0a, 0x5a, sum[4], sum[5], sum[6], sum[7]}
}
