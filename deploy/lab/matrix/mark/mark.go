// Package mark is the payload of the packets by which the matrix is tested: it says
// who sent it to whom, so that a packet that comes out where it must not is known for
// what it is. It only computes.
package mark

import (
	"encoding/binary"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
)

// Size of a mark in bytes.
const Size = 56

// magic is what a mark begins with. Its first half is what the kernel looks for.
const magic uint64 = 0x5377_4c1e_7461_6773

// Kind is what a packet is for.
type Kind uint32

// The kinds.
const (
	Request   Kind = iota + 1 // a question of a probe
	Reply                     // the answer to one: From is who answers
	Flow                      // of a watch, to someone who may be reached
	Forbidden                 // of a watch, to someone who must not be reached
	Broadcast                 // of a watch, to all of a broadcast domain
	Stray                     // of a watch: a frame to the MAC address of someone in another broadcast domain
)

// String is such as "broadcast".
func (k Kind) String() string {
	names := []string{"unknown", "request", "reply", "flow", "forbidden", "broadcast", "stray"}
	if int(k) >= len(names) {
		return names[0]
	}
	return names[k]
}

// Mark is what a packet says of itself.
type Mark struct {
	Kind Kind
	// Run tells probes and watches apart.
	Run      uint32
	From, To matrix.ID
	// Seq is the number of the question, or of the packet in its flow.
	Seq uint64
	// Sent is the sender's clock, in nanoseconds.
	Sent int64
	// Length of the message in bytes, with the mark.
	Length uint32
}

// Put writes a mark to the beginning of b, which has at least Size bytes.
func (m Mark) Put(b []byte) {
	_ = b[Size-1]
	binary.BigEndian.PutUint64(b, magic)
	binary.BigEndian.PutUint32(b[8:], uint32(m.Kind))
	binary.BigEndian.PutUint32(b[12:], m.Run)
	binary.BigEndian.PutUint64(b[16:], uint64(m.From))
	binary.BigEndian.PutUint64(b[24:], uint64(m.To))
	binary.BigEndian.PutUint64(b[32:], m.Seq)
	binary.BigEndian.PutUint64(b[40:], uint64(m.Sent))
	binary.BigEndian.PutUint32(b[48:], m.Length)
	binary.BigEndian.PutUint32(b[52:], 0)
}

// Message is a mark, and zeros until the message has its length.
func (m Mark) Message() []byte {
	b := make([]byte, max(Size, int(m.Length)))
	m.Put(b)
	return b
}

// Parse reads the mark at the beginning of a payload. It reports false if there is none.
func Parse(b []byte) (Mark, bool) {
	if len(b) < Size || binary.BigEndian.Uint64(b) != magic {
		return Mark{}, false
	}
	return Mark{
		Kind:   Kind(binary.BigEndian.Uint32(b[8:])),
		Run:    binary.BigEndian.Uint32(b[12:]),
		From:   matrix.ID(binary.BigEndian.Uint64(b[16:])),
		To:     matrix.ID(binary.BigEndian.Uint64(b[24:])),
		Seq:    binary.BigEndian.Uint64(b[32:]),
		Sent:   int64(binary.BigEndian.Uint64(b[40:])),
		Length: binary.BigEndian.Uint32(b[48:]),
	}, true
}
