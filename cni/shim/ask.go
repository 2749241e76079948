package shim

import (
	"errors"
	"runtime"
	"syscall"

	"github.com/switchlet/switchlet/cni/eintr"
	"github.com/switchlet/switchlet/cni/protocol"
)

// ask sends a request, with the network namespace if there is one, and waits for
// the answer.
func ask(socket string, r protocol.Request, netns file) (protocol.Response, error) {
	f, err := connect(socket)
	if err != nil {
		return protocol.Response{}, err
	}
	defer f.close()
	var rights []byte
	if netns != none {
		rights = syscall.UnixRights(int(netns))
	}
	if err := send(int(f), protocol.AppendFrame(nil, r.Append(nil)), rights); err != nil {
		return protocol.Response{}, protocol.Attempt("send to "+socket, err)
	}
	// Of several processors Go's runtime would watch the others, every 20 µs, and take
	// from the agent what that needs to answer.
	runtime.GOMAXPROCS(1)
	payload, err := protocol.ReadFrame(f)
	if err != nil {
		return protocol.Response{}, protocol.Attempt("read from "+socket, err)
	}
	return protocol.ParseResponse(payload)
}

func connect(socket string) (file, error) {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, protocol.Attempt("unix socket", err)
	}
	limit := syscall.Timeval{Sec: protocol.Patience}
	err = errors.Join(
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &limit),
		eintr.Again(func() error { return syscall.Connect(fd, &syscall.SockaddrUnix{Name: socket}) }),
	)
	if err != nil {
		syscall.Close(fd)
		return 0, protocol.Attempt("connect to "+socket, err)
	}
	return file(fd), nil
}

// send sends all of b; the rights go with its first octet.
func send(fd int, b, rights []byte) error {
	for len(b) > 0 {
		n := 0
		err := eintr.Again(func() (err error) {
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
