package serve

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/cni/host/link"
)

// controlSize is that of a control message with one file (unix(7), SCM_RIGHTS).
func controlSize() int { return unix.CmsgSpace(4) }

// errNotRoot says that somebody else than root has connected.
var errNotRoot = errors.New("only root may ask the host agent for interfaces")

// rootAlone looks at who has connected (unix(7), SO_PEERCRED).
func rootAlone(conn *net.UnixConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var peer *unix.Ucred
	var peerErr error
	err = raw.Control(func(fd uintptr) { peer, peerErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err := errors.Join(err, peerErr); err != nil {
		return fmt.Errorf("who has connected: %w", err)
	}
	if peer.Uid != 0 {
		return fmt.Errorf("user %d, process %d: %w", peer.Uid, peer.Pid, errNotRoot)
	}
	return nil
}

// file is the network namespace in a control message, nil if there is none. Every
// file that came is closed but that one.
func file(control []byte) (*os.File, error) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return nil, fmt.Errorf("files that came with a request: %w", err)
	}
	var files []*os.File
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			continue // of another kind
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "of the pod"))
		}
	}
	if len(files) == 0 {
		return nil, nil
	}
	for _, f := range files[1:] {
		f.Close()
	}
	if err := link.CheckNetns(files[0]); err != nil {
		files[0].Close()
		return nil, fmt.Errorf("file that came with a request: %w", err)
	}
	return files[0], nil
}
