package mark

import (
	"bytes"
	"encoding/binary"
)

// Sizes of headers in bytes: IEEE 802.3 and 802.1Q, RFC 791, RFC 8200, RFC 768 and
// 792, RFC 7348.
const (
	ethernet  = 14
	tag       = 4
	ipv4      = 20
	ipv6      = 40
	transport = 8 // UDP, and an echo of ICMP
	vxlan     = 8
)

// Ethernet types.
const (
	typeIPv4  = 0x0800
	typeIPv6  = 0x86dd
	typeVLAN  = 0x8100
	typeSVLAN = 0x88a8
)

// Heard is a marked frame.
type Heard struct {
	Mark
	// TTL or hop limit of the IP packet in the frame; 0 if there is none that is
	// understood.
	TTL uint8
	// IPv6, else IPv4.
	IPv6 bool
	// Bytes is the size of the frame.
	Bytes int
}

// Find looks for a mark in an Ethernet frame. Where it is not where it should be, such
// as in a tunnel, it is looked for everywhere.
func Find(frame []byte) (Heard, bool) {
	h := Heard{Bytes: len(frame)}
	at := h.headers(frame)
	if m, ok := Parse(frame[min(at, len(frame)):]); ok {
		h.Mark = m
		return h, true
	}
	i := bytes.Index(frame, binary.BigEndian.AppendUint64(nil, magic))
	if i < 0 {
		return h, false
	}
	m, ok := Parse(frame[i:])
	return Heard{Mark: m, Bytes: len(frame)}, ok
}

// headers reads the headers and says where the payload begins.
func (h *Heard) headers(frame []byte) int {
	at := ethernet - 2
	var kind uint16
	for {
		if len(frame) < at+2 {
			return len(frame)
		}
		kind = binary.BigEndian.Uint16(frame[at:])
		at += 2
		if kind != typeVLAN && kind != typeSVLAN {
			break
		}
		at += tag - 2
	}
	switch {
	case kind == typeIPv4 && len(frame) >= at+ipv4:
		h.TTL = frame[at+8]
		return at + int(frame[at]&0xf)*4 + transport
	case kind == typeIPv6 && len(frame) >= at+ipv6:
		h.TTL, h.IPv6 = frame[at+7], true
		return at + ipv6 + transport
	}
	return len(frame)
}
