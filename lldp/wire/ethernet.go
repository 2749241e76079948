package wire

import (
	"encoding/binary"
	"errors"
	"net"

	"github.com/switchlet/switchlet/lldp/frame"
)

// EtherType of LLDP.
const EtherType = 0x88cc

// MAC is an Ethernet address.
type MAC [6]byte

func (m MAC) String() string { return net.HardwareAddr(m[:]).String() }

// NearestBridge is the group address that no bridge passes on (IEEE 802.1AB-2016,
// table 7-1). Frames are sent to it.
func NearestBridge() MAC { return MAC{0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e} }

// NearestNonTPMRBridge is the one that only two-port MAC relays pass on.
func NearestNonTPMRBridge() MAC { return MAC{0x01, 0x80, 0xc2, 0x00, 0x00, 0x03} }

// NearestCustomerBridge is the one that provider bridges pass on too.
func NearestCustomerBridge() MAC { return MAC{0x01, 0x80, 0xc2, 0x00, 0x00, 0x00} }

func groups() [3]MAC {
	return [3]MAC{NearestBridge(), NearestNonTPMRBridge(), NearestCustomerBridge()}
}

const (
	headerSize = 6 + 6 + 2
	maxFrame   = headerSize + frame.MaxSize
)

var errNotLLDP = errors.New("not an Ethernet frame with an LLDPDU")

// header is what stands before an LLDPDU.
func header(destination, source MAC) []byte {
	b := append(append([]byte{}, destination[:]...), source[:]...)
	return binary.BigEndian.AppendUint16(b, EtherType)
}

// parse reads an Ethernet frame that has an LLDPDU.
func parse(b []byte) (destination, source MAC, f frame.Frame, err error) {
	if len(b) < headerSize || binary.BigEndian.Uint16(b[12:]) != EtherType {
		return MAC{}, MAC{}, frame.Frame{}, errNotLLDP
	}
	f, err = frame.Decode(b[headerSize:])
	return MAC(b[0:6]), MAC(b[6:12]), f, err
}
