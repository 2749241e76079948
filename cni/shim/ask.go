package shim

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/switchlet/switchlet/cni/protocol"
)

// ask sends a request, with the network namespace if there is one, and waits for
// the answer. It speaks to the kernel directly: package net would take as long to
// set itself up as all the rest.
func ask(socket string, r protocol.Request, netns *os.File) (protocol.Response, error) {
	fd, err := connect(socket)
	if err != nil {
		return protocol.Response{}, err
	}
	defer syscall.Close(fd)
	var rights []byte
	if netns != nil {
		rights = syscall.UnixRights(int(netns.Fd()))
	}
	if err := send(fd, protocol.AppendFrame(nil, r.Append(nil)), rights); err != nil {
		return protocol.Response{}, fmt.Errorf("send to %s: %w", socket, err)
	}
	payload, err := protocol.ReadFrame(reader(fd))
	if err != nil {
		return protocol.Response{}, fmt.Errorf("read from %s: %w", socket, err)
	}
	return protocol.ParseResponse(payload)
}

func connect(socket string) (int, error) {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("unix socket: %w", err)
	}
	limit := syscall.NsecToTimeval(protocol.Patience.Nanoseconds())
	err = errors.Join(
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &limit),
		again(func() error { return syscall.Connect(fd, &syscall.SockaddrUnix{Name: socket}) }),
	)
	if err != nil {
		syscall.Close(fd)
		return 0, fmt.Errorf("connect to %s: %w", socket, err)
	}
	return fd, nil
}

// send sends all of b; the rights go with its first octet.
func send(fd int, b, rights []byte) error {
	for len(b) > 0 {
		n := 0
		err := again(func() (err error) {
			n, err = syscall.SendmsgN(fd, b, rights, nil, syscall.MSG_NOSIGNAL)
			return err
		})
		if err != nil {
			return err
		}
		b, rights = b[n:], nil
	}
	return nil
}

// reader reads from a socket.
type reader int

func (r reader) Read(b []byte) (n int, err error) {
	err = again(func() (err error) {
		n, err = syscall.Read(int(r), b)
		return err
	})
	if err != nil {
		return 0, err
	}
	if n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// again does a system call until no signal gets in between. Go's own signals do.
func again(call func() error) error {
	for {
		if err := call(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
