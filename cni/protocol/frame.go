package protocol

import (
	"errors"
	"fmt"
	"io"
)

// MaxSize of a request and of an answer, in octets. A configuration with its
// prevResult has a few thousand; one of GC has some hundred for each pod.
const MaxSize = 1 << 20

// magic begins a frame; its last character is the version of the protocol.
const magic = "swl1"

// headerSize is that of the magic and of the length that follows on it.
const headerSize = len(magic) + 4

// ErrFrame says that what came is not of this protocol.
var ErrFrame = errors.New("not a frame of this protocol")

// AppendFrame adds a frame with a payload.
func AppendFrame(b, payload []byte) []byte {
	b = append(b, magic...)
	b = appendLength(b, len(payload))
	return append(b, payload...)
}

// ReadFrame reads a frame and returns its payload.
func ReadFrame(r io.Reader) ([]byte, error) {
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, fmt.Errorf("read the header of a frame: %w", err)
	}
	if string(header[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: it begins with %q instead of %q", ErrFrame, header[:len(magic)], magic)
	}
	n := length(header[len(magic):])
	if n > MaxSize {
		return nil, fmt.Errorf("%w: it says it has %d octets, and %d are allowed", ErrFrame, n, MaxSize)
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(r, payload); err != nil {
		return nil, fmt.Errorf("read a frame of %d octets: %w", n, err)
	}
	return payload, nil
}

func appendLength(b []byte, n int) []byte {
	return append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// length is a number of four octets in network order.
func length(b []byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}
