package control

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// What a frame carries. An empty frame of stdin is its end; the last frame is the exit
// code, 4 bytes.
const (
	stdin = iota
	stdout
	stderr
	exitCode
)

// maxFrame bounds what a frame carries.
const maxFrame = 64 << 10

// frames writes frames: a byte that says what it carries, the length, 4 bytes, and
// that many bytes.
type frames struct {
	mu sync.Mutex
	to io.Writer
}

func (f *frames) write(kind byte, data []byte) error {
	frame := make([]byte, 5, 5+len(data))
	frame[0] = kind
	binary.BigEndian.PutUint32(frame[1:], uint32(len(data)))
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.to.Write(append(frame, data...))
	return err
}

// writer writes what it is given in frames of one kind.
func (f *frames) writer(kind byte) io.Writer { return channel{f, kind} }

type channel struct {
	frames *frames
	kind   byte
}

func (c channel) Write(p []byte) (written int, err error) {
	for len(p) > 0 {
		n := min(len(p), maxFrame)
		if err := c.frames.write(c.kind, p[:n]); err != nil {
			return written, err
		}
		written, p = written+n, p[n:]
	}
	return written, nil
}

// readFrame reads one frame.
func readFrame(from io.Reader) (kind byte, data []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return 0, nil, err
	}
	length := binary.BigEndian.Uint32(head[1:])
	if length > maxFrame {
		return 0, nil, fmt.Errorf("a frame of %d bytes; at most %d are allowed", length, maxFrame)
	}
	data = make([]byte, length)
	_, err = io.ReadFull(from, data)
	return head[0], data, err
}
