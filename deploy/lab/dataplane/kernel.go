package dataplane

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// kernel is a network namespace.
type kernel struct {
	*netlink.Handle
	socket *nl.SocketHandle // for what the library does not know
	file   *os.File         // the namespace; nil for the process's own

	journal *journal
	// switched says of ports how they were switched last.
	switched map[string]switched
}

// openKernel opens the network namespace at a path, or for "" the process's own.
func openKernel(path string) (_ *kernel, err error) {
	k := &kernel{}
	there := netns.None()
	if path != "" {
		if k.file, err = os.Open(path); err != nil {
			return nil, fmt.Errorf("network namespace of the switch: %w", err)
		}
		there = netns.NsHandle(k.file.Fd())
	}
	if k.Handle, err = netlink.NewHandleAt(there, unix.NETLINK_ROUTE); err == nil {
		var socket *nl.NetlinkSocket
		if socket, err = nl.GetNetlinkSocketAt(there, netns.None(), unix.NETLINK_ROUTE); err == nil {
			k.socket = &nl.SocketHandle{Socket: socket}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("speak to the kernel: %w", errors.Join(err, k.close()))
	}
	return k, nil
}

func (k *kernel) close() error {
	if k.Handle != nil {
		k.Close()
	}
	if k.socket != nil {
		k.socket.Close()
	}
	if k.file != nil {
		return k.file.Close()
	}
	return nil
}

// namespace is for subscriptions; nil for the process's own.
func (k *kernel) namespace() *netns.NsHandle {
	if k.file == nil {
		return nil
	}
	handle := netns.NsHandle(k.file.Fd())
	return &handle
}

// inside does something in the namespace: /proc/sys/net is that of the thread
// that opens it.
func (k *kernel) inside(do func() error) error {
	if k.file == nil {
		return do()
	}
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer home.Close()
	if err := netns.Set(netns.NsHandle(k.file.Fd())); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter the network namespace of the switch: %w", err)
	}
	err = do()
	if back := netns.Set(home); back != nil {
		return errors.Join(err, back) // the thread is lost, and ends with the goroutine
	}
	runtime.UnlockOSThread()
	return err
}

// execute sends a request that the library does not know.
func (k *kernel) execute(request *nl.NetlinkRequest) ([][]byte, error) {
	request.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: k.socket}
	return request.Execute(unix.NETLINK_ROUTE, 0)
}
