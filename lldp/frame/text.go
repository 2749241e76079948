package frame

import (
	"encoding/hex"
	"net"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text makes text from the wire fit to be shown, logged or written into an
// object: valid UTF-8 without control characters, without line breaks and without
// what changes the direction of writing. Whatever else is there becomes U+FFFD.
// The zero octets that some devices send after a text are left out.
func Text(raw string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, strings.TrimRight(raw, "\x00"))
}

// hexText shows octets that are no text.
func hexText(raw string) string { return "0x" + hex.EncodeToString([]byte(raw)) }

// Address families of IANA, as they stand before an address.
const (
	familyIPv4 = 1
	familyIPv6 = 2
	familyMAC  = 6
)

// parseAddress reads an IP address of an IANA address family.
func parseAddress(family uint8, octets string) (netip.Addr, bool) {
	if family == familyIPv4 && len(octets) == 4 || family == familyIPv6 && len(octets) == 16 {
		return netip.AddrFromSlice([]byte(octets))
	}
	return netip.Addr{}, false
}

// family is the IANA address family of an IP address, and its octets.
func family(a netip.Addr) (uint8, string) {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return familyIPv4, string(a.AsSlice())
	}
	return familyIPv6, string(a.AsSlice())
}

func parseMAC(octets string) (net.HardwareAddr, bool) {
	return net.HardwareAddr(octets), len(octets) == 6
}
