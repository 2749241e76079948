package redis

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/switchlet/switchlet/sonic"
)

// wire is a connection that speaks RESP 2, the protocol of Redis, as far as rows
// take it: ten thousand of them come and go without an object for each command.
// One goroutine may send while another receives.
type wire struct {
	conn *net.UnixConn
	in   *bufio.Reader
	out  []byte // commands that were not sent yet
}

const (
	// wireBuffer is what is read from the socket at once.
	wireBuffer = 32 << 10
	// maxBulk bounds one value; Redis's own bound is 512 MiB.
	maxBulk = 16 << 20
	// maxArray bounds the parts of an answer: the fields of a row and their
	// values.
	maxArray = 1 << 20
)

// errProtocol says that Redis sent what is not expected of it.
var errProtocol = errors.New("unexpected answer of Redis")

// answerError is an answer of Redis that says what is wrong with a command.
type answerError string

func (e answerError) Error() string { return string(e) }

// dialWire connects to a database.
func dialWire(ctx context.Context, db Database) (*wire, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", db.Socket)
	if err != nil {
		return nil, err
	}
	w := newWire(conn.(*net.UnixConn)) // a socket of Unix is one
	if err := w.open(db); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return w, nil
}

func newWire(conn *net.UnixConn) *wire {
	return &wire{conn: conn, in: bufio.NewReaderSize(conn, wireBuffer)}
}

// open makes the connection one to the database.
func (w *wire) open(db Database) error {
	answers := 1
	if db.Password != "" {
		w.add("auth", db.Password)
		answers++
	}
	w.add("select", strconv.Itoa(db.ID))
	if err := w.flush(); err != nil {
		return err
	}
	w.awaitAnswers()
	for range answers {
		if _, _, err := w.head(); err != nil {
			return err
		}
	}
	return nil
}

// alive reports whether nothing has come: Redis has neither ended the connection
// nor said anything unasked.
func (w *wire) alive() bool {
	raw, err := w.conn.SyscallConn()
	if err != nil {
		return false
	}
	var read error
	err = raw.Read(func(fd uintptr) bool {
		_, read = syscall.Read(int(fd), make([]byte, 1))
		return true
	})
	return err == nil && errors.Is(read, syscall.EAGAIN)
}

// add adds a command to those to be sent.
func (w *wire) add(words ...string) {
	w.begin(len(words))
	for _, word := range words {
		w.word(word)
	}
}

// begin begins a command of so many words.
func (w *wire) begin(words int) {
	w.out = append(w.out, '*')
	w.out = strconv.AppendInt(w.out, int64(words), 10)
	w.out = append(w.out, "\r\n"...)
}

func (w *wire) word(word string) {
	w.size(len(word))
	w.out = append(w.out, word...)
	w.out = append(w.out, "\r\n"...)
}

// number adds a number as a word.
func (w *wire) number(n int) {
	var text [20]byte
	digits := strconv.AppendInt(text[:0], int64(n), 10)
	w.size(len(digits))
	w.out = append(w.out, digits...)
	w.out = append(w.out, "\r\n"...)
}

// key adds a key as a word.
func (w *wire) key(key sonic.Key) {
	w.size(len(key.Table) + len(sonic.Separator) + len(key.Name))
	w.out = append(w.out, key.Table...)
	w.out = append(w.out, sonic.Separator...)
	w.out = append(w.out, key.Name...)
	w.out = append(w.out, "\r\n"...)
}

func (w *wire) size(n int) {
	w.out = append(w.out, '$')
	w.out = strconv.AppendInt(w.out, int64(n), 10)
	w.out = append(w.out, "\r\n"...)
}

// flush sends the commands.
func (w *wire) flush() error {
	if err := w.conn.SetWriteDeadline(time.Now().Add(ioTimeout)); err != nil {
		return err
	}
	_, err := w.conn.Write(w.out)
	if w.out = w.out[:0]; cap(w.out) > maxIdleBuffer {
		w.out = nil
	}
	return err
}

// maxIdleBuffer is how much memory for commands is kept until the next.
const maxIdleBuffer = 256 << 10

// awaitAnswers gives Redis time for the answers that are read next.
func (w *wire) awaitAnswers() { _ = w.conn.SetReadDeadline(time.Now().Add(ioTimeout)) }

// head reads the beginning of an answer: its kind and, for a number, a bulk
// string and an array, the number that comes with it. A bulk string that is not
// there has -1. What Redis says is wrong is an answerError.
func (w *wire) head() (kind byte, n int, err error) {
	line, err := w.in.ReadSlice('\n')
	if err != nil {
		return 0, 0, err
	}
	if len(line) < 3 || line[len(line)-2] != '\r' {
		return 0, 0, fmt.Errorf("%w: %q", errProtocol, line)
	}
	text := line[1 : len(line)-2]
	switch line[0] {
	case '+':
		return '+', 0, nil
	case '-':
		return '-', 0, answerError(text)
	case ':', '$', '*':
		if n, ok := parseNumber(text); ok {
			return line[0], n, nil
		}
	}
	return 0, 0, fmt.Errorf("%w: %q", errProtocol, line)
}

// parseNumber is a number of RESP that fits into 31 bits.
func parseNumber(text []byte) (n int, ok bool) {
	digits := bytes.TrimPrefix(text, []byte("-"))
	if len(digits) == 0 || len(digits) > 10 {
		return 0, false
	}
	for _, digit := range digits {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		n = 10*n + int(digit-'0')
	}
	if len(digits) < len(text) {
		n = -n
	}
	return n, n < 1<<31
}

// array reads the beginning of an array and gives the number of its parts.
func (w *wire) array() (int, error) {
	kind, n, err := w.head()
	if err == nil && (kind != '*' || n < 0 || n > maxArray) {
		err = fmt.Errorf("%w: %c%d instead of an array", errProtocol, kind, n)
	}
	return n, err
}

// bulk reads a string. The bytes are good until the next answer is read; there
// are none, not even empty ones, if the string is not there.
func (w *wire) bulk() ([]byte, error) {
	kind, n, err := w.head()
	if err != nil {
		return nil, err
	}
	if kind == '$' && n == -1 {
		return nil, nil
	}
	if kind != '$' || n < 0 || n > maxBulk {
		return nil, fmt.Errorf("%w: %c%d instead of a string", errProtocol, kind, n)
	}
	text, err := w.peek(n + 2)
	if err == nil && (text[n] != '\r' || text[n+1] != '\n') {
		err = fmt.Errorf("%w: a string of %d bytes goes on", errProtocol, n)
	}
	if err != nil {
		return nil, err
	}
	return text[:n], nil
}

// peek reads so many bytes, which are good until more is read.
func (w *wire) peek(n int) ([]byte, error) {
	if n > w.in.Size() {
		text := make([]byte, n)
		_, err := io.ReadFull(w.in, text)
		return text, err
	}
	text, err := w.in.Peek(n)
	if err != nil {
		return nil, err
	}
	_, err = w.in.Discard(n)
	return text, err
}

// until ends the connection when ctx is done. It gives what to call when the
// connection is not used any more, which reports whether that has not happened.
func (w *wire) until(ctx context.Context) (release func() bool) {
	return context.AfterFunc(ctx, func() { _ = w.conn.Close() })
}
