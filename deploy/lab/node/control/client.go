package control

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/switchlet/switchlet/deploy/lab/upgrade"
)

// Client does things in a node.
type Client struct {
	// Dial connects to the node's socket.
	Dial func(context.Context) (net.Conn, error)
}

// NewClient is a client of the node that answers at a Unix socket.
func NewClient(socket string) Client {
	return Client{Dial: func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
}

// WaitBooted waits until what belongs to the node itself is started: on a switch its
// Redis, daemons, FRR and lldpd.
func (c Client) WaitBooted(ctx context.Context) error {
	return c.do(ctx, http.MethodGet, "/booted", nil)
}

// Run starts a program, in place of the one of that name.
func (c Client) Run(ctx context.Context, name string, p Program) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPut, "/programs/"+url.PathEscape(name), text)
}

// Stop stops a program that Run started.
func (c Client) Stop(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, "/programs/"+url.PathEscape(name), nil)
}

// Signal sends a signal, such as "KILL", to every process of a name, such as "bgpd".
func (c Client) Signal(ctx context.Context, name, signal string) error {
	return c.do(ctx, http.MethodPost, "/processes/"+url.PathEscape(name)+"/"+url.PathEscape(signal), nil)
}

func (c Client) do(ctx context.Context, method, path string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://node"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	transport := &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return c.Dial(ctx) },
		DisableKeepAlives: true,
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		text, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
		return errors.Join(fmt.Errorf("%s %s: %s: %s", method, path, response.Status, bytes.TrimSpace(text)), err)
	}
	return nil
}

// Streams are those of a command.
type Streams struct {
	In       io.Reader // nil for none
	Out, Err io.Writer
}

// Exec runs a command and returns its exit code.
func (c Client) Exec(ctx context.Context, s Streams, args ...string) (code int, err error) {
	query := url.Values{"arg": args}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://node/exec?"+query.Encode(), nil)
	if err != nil {
		return 1, err
	}
	conn, err := c.Dial(ctx)
	if err != nil {
		return 1, err
	}
	if conn, err = upgrade.Request(conn, request); err != nil {
		return 1, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends what is read below
	defer stop()
	go sendInput(conn, s.In)
	return s.receive(ctx, conn)
}

// sendInput ends with the connection, or, if it waits for more, with the program.
func sendInput(conn net.Conn, in io.Reader) {
	out := &frames{to: conn}
	if in != nil {
		_, _ = io.Copy(out.writer(stdin), in) // what remains is not wanted any more
	}
	_ = out.write(stdin, nil)
}

// receive passes on what a command prints until its exit code comes.
func (s Streams) receive(ctx context.Context, conn net.Conn) (code int, err error) {
	for {
		kind, data, err := readFrame(conn)
		if err != nil {
			return 1, fmt.Errorf("the command's end was not told: %w", errors.Join(ctx.Err(), err))
		}
		switch {
		case kind == stdout:
			_, err = s.Out.Write(data)
		case kind == stderr:
			_, err = s.Err.Write(data)
		case kind == exitCode && len(data) == 4:
			return int(binary.BigEndian.Uint32(data)), nil
		}
		if err != nil {
			return 1, err
		}
	}
}
