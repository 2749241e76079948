package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// client calls containerd: gRPC's unary calls, which are HTTP/2 requests with a
// message behind five bytes, over a Unix socket.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
type client struct {
	http *http.Client
}

// maxAnswer bounds what is read: a list of some hundred images has 100 KB.
const maxAnswer = 4 << 20

func newClient(socket string) *client {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &client{http: &http.Client{Transport: &http.Transport{
		Protocols: protocols,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}}
}

// call calls a method, such as "/runtime.v1.ImageService/ListImages".
func (c *client) call(ctx context.Context, method string, request []byte) ([]byte, error) {
	frame := make([]byte, 5, 5+len(request)) // not compressed; the length
	binary.BigEndian.PutUint32(frame[1:], uint32(len(request)))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://containerd"+method, bytes.NewReader(append(frame, request...)))
	if err != nil {
		return nil, err
	}
	r.Header = http.Header{
		"Content-Type": {"application/grpc+proto"}, "Te": {"trailers"},
		// The namespace of what kubelets run; the CRI has no other.
		"Containerd-Namespace": {"k8s.io"},
	}
	response, err := c.http.Do(r)
	if err != nil {
		var wrapped *url.Error // its text repeats the method
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	if err := status(response); err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	message, err := unframe(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	return message, nil
}

// unframe takes the one message out of an answer.
func unframe(body []byte) ([]byte, error) {
	if len(body) < 5 || body[0] != 0 || len(body) > maxAnswer || int(binary.BigEndian.Uint32(body[1:5])) != len(body)-5 {
		return nil, fmt.Errorf("containerd's answer of %d bytes is not one message", len(body))
	}
	return body[5:], nil
}

// StatusError is containerd's refusal.
type StatusError struct {
	// Code of gRPC: 5 is "not found", 14 "unavailable".
	Code    int
	Message string
}

func (e *StatusError) Error() string { return e.Message + " (gRPC code " + strconv.Itoa(e.Code) + ")" }

// status is the error in the trailers, or in the headers if there is no answer.
func status(response *http.Response) error {
	from := response.Trailer
	if response.Header.Get("Grpc-Status") != "" {
		from = response.Header
	}
	code, err := strconv.Atoi(from.Get("Grpc-Status"))
	if err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("containerd answers %s without a gRPC status: is that containerd's socket?", response.Status)
	}
	if code == 0 {
		return nil
	}
	message, err := url.PathUnescape(from.Get("Grpc-Message"))
	if err != nil {
		message = from.Get("Grpc-Message")
	}
	return &StatusError{Code: code, Message: message}
}
