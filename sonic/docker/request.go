package docker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	dialTimeout = 2 * time.Second
	// maxAnswer bounds the answer to a request, with its header.
	maxAnswer = 1 << 20
	// maxMessage bounds what an error quotes.
	maxMessage = 300
)

// connection carries one request. It ends with a context.
type connection struct {
	ctx   context.Context
	conn  *net.UnixConn
	in    *bufio.Reader
	limit *io.LimitedReader // how much may still be read
	end   func()
}

func (e *Engine) dial(ctx context.Context) (*connection, error) {
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "unix", e.socket)
	if err != nil {
		return nil, fmt.Errorf("connect to Docker: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	end := sync.OnceFunc(func() {
		stop()
		_ = conn.Close()
	})
	limit := &io.LimitedReader{R: conn, N: maxAnswer}
	return &connection{ctx: ctx, conn: conn.(*net.UnixConn), in: bufio.NewReader(limit), limit: limit, end: end}, nil
}

// send sends a request and reads the header of the answer.
func (c *connection) send(method, path string, body any, header http.Header) (*http.Response, error) {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	const anyHost = "http://docker"
	req, err := http.NewRequestWithContext(c.ctx, method, anyHost+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header = header
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if err := req.Write(c.conn); err != nil {
		return nil, fmt.Errorf("ask Docker: %w", err)
	}
	resp, err := http.ReadResponse(c.in, req)
	if err != nil {
		return nil, fmt.Errorf("read Docker's answer: %w", err)
	}
	return resp, nil
}

// call sends a request and decodes the answer to it.
func (e *Engine) call(ctx context.Context, method, path string, body, answer any) error {
	c, err := e.dial(ctx)
	if err != nil {
		return err
	}
	defer c.end()
	resp, err := c.send(method, path, body, http.Header{"Connection": {"close"}})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusMultipleChoices {
		return refusal(resp)
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("read Docker's answer: %w", err)
	}
	return nil
}

// refusal is what Docker says when it does not do something.
func refusal(resp *http.Response) error {
	var said struct{ Message string }
	if err := json.NewDecoder(resp.Body).Decode(&said); err != nil || said.Message == "" {
		return fmt.Errorf("the daemon answers %s", oneLine(resp.Status))
	}
	return errors.New(oneLine(said.Message))
}

// oneLine bounds a text and puts it on a line.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "…"
	}
	return text
}
