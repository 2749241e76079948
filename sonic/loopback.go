package sonic

import "net/netip"

// TableLoopback is the table of sonic-loopback-interface.yang.
const TableLoopback = "LOOPBACK_INTERFACE"

// Loopback is an address of a loopback interface (sonic-loopback-interface.yang).
type Loopback struct {
	Name    string
	Address netip.Addr
}

// Rows are the interface, which has no fields of its own, and the address as a
// host route.
func (l Loopback) Rows() []Row {
	host := netip.PrefixFrom(l.Address, l.Address.BitLen())
	return []Row{
		{Key{TableLoopback, l.Name}, nil},
		{Key{TableLoopback, l.Name + Separator + host.String()}, nil},
	}
}

// loopbackAddress is the address in the key of a loopback's address row.
func loopbackAddress(k Key) (string, bool) {
	_, rest := k.split()
	prefix, err := netip.ParsePrefix(rest)
	return prefix.Addr().String(), k.Table == TableLoopback && err == nil
}
