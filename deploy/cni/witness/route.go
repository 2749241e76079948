package main

import (
	"encoding/binary"
	"net"
	"strconv"
	"strings"
)

// defaultGateway finds the gateway of the default route in /proc/net/route, whose
// columns are interface, destination, gateway, flags and more, addresses in the
// machine's own byte order; nil if there is none.
func defaultGateway(text string) net.IP {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 8 || words[1] != "00000000" || words[7] != "00000000" {
			continue
		}
		if raw, err := strconv.ParseUint(words[2], 16, 32); err == nil && raw != 0 {
			return binary.NativeEndian.AppendUint32(nil, uint32(raw))
		}
	}
	return nil
}
