package docker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Streams of a program without a terminal come in one: frames of eight bytes of
// header and what was written. The header is the stream, three zeros and the
// length, big-endian (Engine API, "Attach to a container", stream format).
const (
	headerSize = 8

	fromStdin  = 0 // as Docker's own client, taken for output
	fromStdout = 1
	fromStderr = 2
	fromDocker = 3 // Docker itself has failed
)

// maxStream bounds frames with their headers, however small they are.
const maxStream = 2 * maxOutput

var (
	errStream  = errors.New("the daemon's stream is not one of frames")
	errTooMuch = errors.New("it wrote more than is read of a program")
)

// demultiplex reads frames up to the end of the stream. Nothing is set aside for
// what a header only claims.
func demultiplex(r io.Reader, most int64) (Output, error) {
	var stdout, stderr, failure strings.Builder
	for header := [headerSize]byte{}; ; {
		if _, err := io.ReadFull(r, header[:]); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return Output{}, fmt.Errorf("read a program's output: %w", err)
		}
		if header[1]|header[2]|header[3] != 0 {
			return Output{}, fmt.Errorf("%w: a header is %x", errStream, header)
		}
		size := int64(binary.BigEndian.Uint32(header[4:]))
		if most -= size; most < 0 {
			return Output{}, errTooMuch
		}
		to := &stdout
		switch header[0] {
		case fromStdin, fromStdout:
		case fromStderr:
			to = &stderr
		case fromDocker:
			to = &failure
		default:
			return Output{}, fmt.Errorf("%w: a header is %x", errStream, header)
		}
		if err := read(to, r, size); err != nil {
			return Output{}, err
		}
	}
	if failure.Len() > 0 {
		return Output{}, errors.New(oneLine(failure.String()))
	}
	return Output{Stdout: stdout.String(), Stderr: stderr.String()}, nil
}

func read(to io.Writer, r io.Reader, size int64) error {
	_, err := io.CopyN(to, r, size)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("read a program's output: %w", err)
	}
	return nil
}
