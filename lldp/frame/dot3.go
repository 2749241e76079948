package frame

import "encoding/binary"

// Subtypes of IEEE 802.3's TLVs (IEEE 802.3-2018, table 79-1).
const (
	dot3MACPHY          = 1
	dot3LinkAggregation = 3
	dot3MaxFrameSize    = 4
)

// MACPHY is what a port's device says about its speed and how it came to it.
type MACPHY struct {
	AutonegotiationSupported, AutonegotiationEnabled bool
	// Advertised are the bits of ifMauAutoNegCapAdvertisedBits (RFC 4836).
	Advertised uint16
	// MAU is the number of a dot3MauType (RFC 4836), such as 54 for 10GBASE-T.
	MAU uint16
}

const macPHYSize = 5

// MACPHY is what the port's device says about its speed.
func (f Frame) MACPHY() (MACPHY, bool) {
	value, ok := f.organizational(OUI8023(), dot3MACPHY, macPHYSize)
	if !ok {
		return MACPHY{}, false
	}
	return MACPHY{
		AutonegotiationSupported: value[0]&1 != 0,
		AutonegotiationEnabled:   value[0]&2 != 0,
		Advertised:               uint16At(value, 1),
		MAU:                      uint16At(value, 3),
	}, true
}

// MACPHYTLV is the TLV that MACPHY reads.
func MACPHYTLV(m MACPHY) Organizational {
	var status byte
	if m.AutonegotiationSupported {
		status |= 1
	}
	if m.AutonegotiationEnabled {
		status |= 2
	}
	value := binary.BigEndian.AppendUint16([]byte{status}, m.Advertised)
	return Organizational{OUI8023(), dot3MACPHY, string(binary.BigEndian.AppendUint16(value, m.MAU))}
}

// MaxFrameSize is the longest frame in octets that the port's device takes, with
// headers and checksum.
func (f Frame) MaxFrameSize() (octets uint16, ok bool) {
	value, ok := f.organizational(OUI8023(), dot3MaxFrameSize, 2)
	if !ok {
		return 0, false
	}
	return uint16At(value, 0), true
}

// MaxFrameSizeTLV is the TLV that MaxFrameSize reads.
func MaxFrameSizeTLV(octets uint16) Organizational {
	return Organizational{OUI8023(), dot3MaxFrameSize, string(binary.BigEndian.AppendUint16(nil, octets))}
}
