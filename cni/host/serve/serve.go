// Package serve takes requests of the CNI plugin from a unix socket, from root
// alone, each on a connection of its own.
package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/switchlet/switchlet/cni/protocol"
)

// requestTime is how long a plugin may take to send its request.
const requestTime = 10 * time.Second

// retryAfter is when it is tried again to take connections.
const retryAfter = 10 * time.Millisecond

// Handler does what a runtime asks for. netns is nil if none came along; it is
// closed afterwards. ctx ends when the runtime has gone away.
type Handler func(ctx context.Context, r protocol.Request, netns *os.File) protocol.Response

// Server listens for the plugin.
type Server struct {
	listener *net.UnixListener
	handle   Handler
	log      *slog.Logger
}

// Listen makes the socket, in place of one that another run has left. Its folder
// is root's alone from then on.
func Listen(socket string, handle Handler, log *slog.Logger) (*Server, error) {
	if err := os.MkdirAll(filepath.Dir(socket), 0o700); err != nil {
		return nil, fmt.Errorf("listen for the CNI plugin: %w", err)
	}
	// Another name first: a plugin that comes in between finds either the old
	// socket, which nobody answers, or the new one.
	fresh := socket + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("listen for the CNI plugin: %w", err)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: fresh, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen for the CNI plugin: %w", err)
	}
	listener.SetUnlinkOnClose(false) // the next run may have its own there by then
	if err := errors.Join(os.Chmod(fresh, 0o600), os.Rename(fresh, socket)); err != nil {
		listener.Close()
		return nil, fmt.Errorf("listen for the CNI plugin: %w", err)
	}
	return &Server{listener, handle, log}, nil
}

// Run serves until ctx is done, and returns when all requests are answered.
func (s *Server) Run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { s.listener.Close() })
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		conn, err := s.listener.AcceptUnix()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			s.log.Warn("no connection of the CNI plugin", "error", err)
			select { // such as too many open files
			case <-ctx.Done():
			case <-time.After(retryAfter):
			}
			continue
		}
		all.Go(func() {
			defer conn.Close()
			if err := s.serve(ctx, conn); err != nil {
				s.log.Warn("connection of the CNI plugin", "error", err)
			}
		})
	}
}

func (s *Server) serve(ctx context.Context, conn *net.UnixConn) error {
	if err := rootAlone(conn); err != nil {
		return err
	}
	if err := conn.SetDeadline(time.Now().Add(requestTime)); err != nil {
		return err
	}
	request, netns, err := receive(conn)
	if netns != nil {
		defer netns.Close()
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	go func() { // ends when conn is closed
		_, _ = io.ReadFull(conn, make([]byte, 1)) // nothing more comes but the end
		cancel()
	}()
	answer := s.handle(ctx, request, netns)
	if err := conn.SetWriteDeadline(time.Now().Add(requestTime)); err != nil {
		return err
	}
	_, err = conn.Write(protocol.AppendFrame(nil, answer.Append(nil)))
	return err
}

// receive reads a request, and the file that comes with its first octet.
func receive(conn *net.UnixConn) (protocol.Request, *os.File, error) {
	first, control := make([]byte, 4096), make([]byte, controlSize())
	n, m, _, _, err := conn.ReadMsgUnix(first, control)
	if err != nil {
		return protocol.Request{}, nil, fmt.Errorf("read a request: %w", err)
	}
	netns, err := file(control[:m])
	if err != nil {
		return protocol.Request{}, nil, err
	}
	payload, err := protocol.ReadFrame(io.MultiReader(bytes.NewReader(first[:n]), conn))
	if err != nil {
		return protocol.Request{}, netns, err
	}
	request, err := protocol.ParseRequest(payload)
	return request, netns, err
}
