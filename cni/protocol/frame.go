package protocol

import (
	"errors"
	"io"
	"strconv"
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

// notFrame is ErrFrame with what is wrong.
type notFrame string

func (n notFrame) Error() string { return ErrFrame.Error() + ": " + string(n) }
func (n notFrame) Unwrap() error { return ErrFrame }

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
		return nil, Attempt("read the header of a frame", err)
	}
	if begin := string(header[:len(magic)]); begin != magic {
		return nil, notFrame("it begins with " + strconv.Quote(begin) + " instead of " + strconv.Quote(magic))
	}
	n := length(header[len(magic):])
	if n > MaxSize {
		return nil, notFrame("it says it has " + decimal(n) + " octets, and " + decimal(MaxSize) + " are allowed")
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(r, payload); err != nil {
		return nil, Attempt("read a frame of "+decimal(n)+" octets", err)
	}
	return payload, nil
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func appendLength(b []byte, n int) []byte {
	return append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// length is a number of four octets in network order.
func length(b []byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}
