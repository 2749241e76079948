// Package upgrade turns an HTTP request into a connection that carries bytes in both
// directions, as RFC 9110, section 7.8, has it.
package upgrade

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// protocol is the name in the header Upgrade.
const protocol = "switchlet-lab"

// maxRefusal is how much of a refusal's text is read.
const maxRefusal = 4 << 10

// Accept is the server's side: from then on the connection is the caller's. If it
// fails, the client has been told.
func Accept(w http.ResponseWriter, r *http.Request) (net.Conn, error) {
	hijacker, ok := w.(http.Hijacker)
	if !ok || r.Header.Get("Upgrade") != protocol {
		http.Error(w, "this wants a connection: Upgrade: "+protocol, http.StatusUpgradeRequired)
		return nil, errors.New("a request without Upgrade")
	}
	conn, buffered, err := hijacker.Hijack()
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", protocol); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &connection{conn, buffered.Reader}, nil
}

// Request is the client's side: it sends a request over a new connection, which is
// the caller's from then on if the server agrees, and closed if not.
func Request(conn net.Conn, r *http.Request) (net.Conn, error) {
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", protocol)
	if err := r.Write(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, r)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		text, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
		return nil, errors.Join(fmt.Errorf("%s: %s", response.Status, bytes.TrimSpace(text)), err, response.Body.Close(), conn.Close())
	}
	return &connection{conn, reader}, nil
}

// connection is one of which some bytes may have been read already.
type connection struct {
	net.Conn
	reader *bufio.Reader
}

func (c *connection) Read(p []byte) (int, error) { return c.reader.Read(p) }

// Join passes on what comes from either connection until one of them ends, and
// closes both.
func Join(a, b net.Conn) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1]) // how it ends is for the two who speak to see
			_ = a.Close()
			_ = b.Close()
		})
	}
	both.Wait()
}
