package frr

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"time"
)

const (
	dialTimeout = 2 * time.Second
	// answerTimeout bounds one answer of a daemon that hangs; the whole
	// configuration of 2,000 tenants takes it a tenth of a second.
	answerTimeout = 10 * time.Second
	readSize      = 64 << 10
)

// Statuses of answers (FRR lib/command.h).
const (
	statusSuccess = 0
	statusUnknown = 2
)

// errAnswer says that a daemon does not speak the protocol.
var errAnswer = errors.New("the answer is not one of FRR's")

// vty is a connection to the socket that a daemon has for vtysh. A command ends
// with a NUL; its answer is text, three NULs and a byte with the status (FRR
// lib/vty.c, vtysh_read). There is one command on the way at a time, since a
// daemon that waits for mgmtd drops what else it has read.
type vty struct {
	daemon string
	conn   net.Conn
	buffer []byte
}

// dial connects to a daemon's socket.
func dial(ctx context.Context, dir, daemon string) (*vty, error) {
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "unix", filepath.Join(dir, daemon+".vty"))
	if err != nil {
		return nil, fmt.Errorf("connect to FRR's %s: %w", daemon, err)
	}
	return &vty{daemon: daemon, conn: conn, buffer: make([]byte, 0, readSize)}, nil
}

func (v *vty) close() error { return v.conn.Close() }

// run sends a command and returns the text and the status of its answer. After
// an error the connection is of no more use.
func (v *vty) run(ctx context.Context, command string) (string, byte, error) {
	stop := context.AfterFunc(ctx, func() { _ = v.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := v.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return "", 0, v.failed(ctx, command, err)
	}
	if ctx.Err() != nil {
		return "", 0, v.failed(ctx, command, ctx.Err())
	}
	if _, err := v.conn.Write(append([]byte(command), 0)); err != nil {
		return "", 0, v.failed(ctx, command, err)
	}
	text, status, err := readAnswer(v.conn, v.buffer)
	if err != nil {
		return "", 0, v.failed(ctx, command, err)
	}
	return string(text), status, nil
}

func (v *vty) failed(ctx context.Context, command string, err error) error {
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return fmt.Errorf("FRR's %s: %q: %w", v.daemon, command, err)
}

// readAnswer reads up to the end of an answer. The buffer is used if it does.
func readAnswer(r io.Reader, buffer []byte) (text []byte, status byte, err error) {
	end := []byte{0, 0, 0}
	for searched := 0; ; {
		if i := bytes.Index(buffer[searched:], end); i >= 0 && searched+i+len(end) < len(buffer) {
			at := searched + i
			if at+len(end)+1 != len(buffer) {
				return nil, 0, fmt.Errorf("%w: more comes after its end", errAnswer)
			}
			return buffer[:at], buffer[at+len(end)], nil
		} else if i < 0 {
			searched = max(0, len(buffer)-len(end)+1)
		}
		if len(buffer) > maxConfig {
			return nil, 0, fmt.Errorf("%w: it has more than %d bytes", errAnswer, maxConfig)
		}
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, make([]byte, max(readSize, len(buffer)))...)[:len(buffer)]
		}
		n, err := r.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if n == 0 && err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, 0, err
		}
	}
}
