package converge_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// proxy stands between an agent and Redis and counts the commands by which the
// agent writes. After a number of them nothing reaches Redis any more: to Redis
// the agent was killed there.
type proxy struct {
	t        testing.TB
	redis    string // socket
	listener net.Listener
	dead     chan struct{} // closed when the next command was held back
	done     sync.WaitGroup

	mu    sync.Mutex
	left  int // commands that may still pass
	seen  int // those that passed
	conns []net.Conn
}

// startProxy lets so many commands pass. Its socket lies beside that of Redis.
func startProxy(t testing.TB, redis string, commands int) *proxy {
	t.Helper()
	socket := filepath.Join(filepath.Dir(redis), "cut.sock")
	_ = os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, redis: redis, listener: listener, dead: make(chan struct{}), left: commands}
	p.done.Go(p.accept)
	return p
}

// databases writes a database_config.json that leads to the proxy.
func (p *proxy) databases(original string) string {
	p.t.Helper()
	text, err := os.ReadFile(original)
	if err != nil {
		p.t.Fatal(err)
	}
	changed := strings.ReplaceAll(string(text), p.redis, p.listener.Addr().String())
	if changed == string(text) {
		p.t.Fatalf("%s does not name %s", original, p.redis)
	}
	name := filepath.Join(p.t.TempDir(), "database_config.json")
	if err := os.WriteFile(name, []byte(changed), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return name
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", p.redis)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		p.done.Go(func() { p.forward(client, server) })
		p.done.Go(func() {
			_, _ = io.Copy(client, server)
			client.Close()
		})
	}
}

// forward passes commands on, one by one.
func (p *proxy) forward(client, server net.Conn) {
	defer server.Close()
	in := bufio.NewReader(client)
	for {
		command, raw, err := readCommand(in)
		if err != nil {
			return
		}
		if !p.pass(command, func() error { _, err := server.Write(raw); return err }) {
			return
		}
	}
}

// pass sends a command if it may pass. Two connections may write at once: what
// counts is the order in which they get here.
func (p *proxy) pass(command string, send func() error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left < 0 {
		return false
	}
	if writes(command) {
		if p.left--; p.left < 0 {
			close(p.dead)
			p.hangUp()
			return false
		}
		p.seen++
	}
	return send() == nil
}

// writes reports whether the agent changes rows by a command.
func writes(command string) bool {
	switch strings.ToLower(command) {
	case "eval", "exec", "hset", "hdel", "del":
		return true
	}
	return false
}

// hangUp ends all connections, and there are no new ones.
func (p *proxy) hangUp() {
	p.listener.Close()
	for _, conn := range p.conns {
		conn.Close()
	}
}

// close ends the proxy, if it is not dead already, and says how many commands
// passed.
func (p *proxy) close() int {
	p.mu.Lock()
	p.hangUp()
	p.mu.Unlock()
	p.done.Wait()
	return p.seen
}

// Bounds of a command, which are far above what the agent sends.
const (
	maxWords = 1 << 12
	maxWord  = 1 << 16
)

var errProtocol = errors.New("not a command of RESP")

// readCommand reads a command as a client of Redis sends it: an array of bulk
// strings (RESP 2). It gives the first word, and all bytes.
func readCommand(in *bufio.Reader) (command string, raw []byte, err error) {
	words, raw, err := readLength(in, nil, '*', maxWords)
	if err != nil {
		return "", nil, err
	}
	for i := range words {
		var size int
		if size, raw, err = readLength(in, raw, '$', maxWord); err != nil {
			return "", nil, err
		}
		word := make([]byte, size+2)
		if _, err := io.ReadFull(in, word); err != nil {
			return "", nil, err
		}
		if i == 0 {
			command = string(word[:size])
		}
		raw = append(raw, word...)
	}
	return command, raw, nil
}

// readLength reads a line such as "*3" or "$12", and appends it to raw.
func readLength(in *bufio.Reader, raw []byte, kind byte, limit int) (int, []byte, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if line[0] != kind {
		return 0, nil, fmt.Errorf("%w: %q", errProtocol, line)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(line[1:])))
	if err != nil || n < 0 || n > limit {
		return 0, nil, fmt.Errorf("%w: %q", errProtocol, line)
	}
	return n, append(raw, line...), nil
}

// What the proxy takes for a command is one.
func TestReadCommand(t *testing.T) {
	for _, test := range []struct{ name, text, command, raw string }{
		{"a command", "*2\r\n$3\r\nGET\r\n$1\r\nx\r\n*1\r\n", "GET", "*2\r\n$3\r\nGET\r\n$1\r\nx\r\n"},
		{"the end is missing", "*2\r\n$3\r\nGET\r\n$1\r\nx", "", ""},
		{"too many words", "*99999\r\n", "", ""},
		{"too long a word", "*1\r\n$99999999\r\n", "", ""},
		{"less than nothing", "*1\r\n$-1\r\n", "", ""},
		{"an answer", "+OK\r\n", "", ""},
		{"inline", "GET x\r\n", "", ""},
	} {
		command, raw, err := readCommand(bufio.NewReader(strings.NewReader(test.text)))
		if command != test.command || string(raw) != test.raw || (err == nil) != (test.raw != "") {
			t.Errorf("%s: %q, %q, %v", test.name, command, raw, err)
		}
	}
}
