package plug

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
)

// Link is the name of an endpoint's link in its namespace.
const Link = "net0"

// Room is an endpoint that is there.
type Room struct {
	Endpoint matrix.Endpoint
	// MAC address and index of its link.
	MAC   net.HardwareAddr
	Index int

	host place
	file *os.File
}

// open makes an endpoint: afterwards the network knows of it.
func open(e matrix.Endpoint) (_ *Room, err error) {
	r := &Room{Endpoint: e, MAC: macOf(&e)}
	if r.host, err = inode(e.Namespace); err != nil {
		return nil, fmt.Errorf("network namespace of %s: %w", e.Place(), err)
	}
	if e.Pod != "" {
		if err := r.enter(); err != nil {
			return nil, errors.Join(err, r.close())
		}
		return r, nil
	}
	if r.file, err = newNamespace(); err != nil {
		return nil, fmt.Errorf("make a network namespace: %w", err)
	}
	for _, step := range []func() error{r.settings, r.link, r.address, r.announce} {
		if err := step(); err != nil {
			return nil, errors.Join(err, r.close())
		}
	}
	return r, nil
}

// close takes an endpoint away. Its link goes with the namespace; it is deleted before,
// since the kernel takes its time for that. A pod stays as it is.
func (r *Room) close() error {
	if r.Endpoint.Pod != "" {
		if r.file == nil {
			return nil
		}
		return r.file.Close()
	}
	err := r.with(func(h *netlink.Handle) error {
		var failed []error
		for _, name := range slices.Compact(append([]string{Link}, r.wires()...)) {
			link, err := h.LinkByName(name)
			if err == nil {
				err = h.LinkDel(link)
			}
			if !errors.As(err, &netlink.LinkNotFoundError{}) {
				failed = append(failed, err)
			}
		}
		return errors.Join(failed...)
	})
	return errors.Join(err, r.file.Close())
}

// alive says whether the link is still there: it goes when the host's NIC does, or the
// pod.
func (r *Room) alive() bool {
	return r.with(func(h *netlink.Handle) error {
		names := []string{r.name()}
		if r.Endpoint.Pod == "" {
			names = append(names, r.wires()...)
		}
		for _, name := range names {
			if _, err := h.LinkByName(name); err != nil {
				return err
			}
		}
		return nil
	}) == nil
}

// name of the endpoint's link.
func (r *Room) name() string {
	if r.Endpoint.Pod != "" {
		return r.Endpoint.NIC
	}
	return Link
}

// with gives a connection to the kernel in the namespace.
func (r *Room) with(do func(*netlink.Handle) error) error {
	handle, err := netlink.NewHandleAt(netns.NsHandle(r.file.Fd()))
	if err != nil {
		return err
	}
	defer handle.Close()
	return do(handle)
}

// Do does something in the namespace. Sockets that are opened there stay there.
func (r *Room) Do(do func() error) error {
	return away(func() error {
		if err := netns.Set(netns.NsHandle(r.file.Fd())); err != nil {
			return fmt.Errorf("enter the namespace of %s: %w", &r.Endpoint, err)
		}
		return do()
	})
}

func newNamespace() (*os.File, error) {
	var made netns.NsHandle
	err := away(func() (err error) {
		made, err = netns.New()
		return err
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(made), "network namespace"), nil
}

// away does something that takes a thread to another network namespace. It has a
// goroutine of its own: if the thread cannot come back it ends with that.
func away(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		home, err := netns.Get()
		if err != nil {
			runtime.UnlockOSThread()
			done <- err
			return
		}
		defer home.Close()
		err = do()
		if back := netns.Set(home); back != nil {
			done <- errors.Join(err, back)
			return
		}
		runtime.UnlockOSThread()
		done <- err
	}()
	return <-done
}

// OnHost does something in the network namespace of the endpoint's host, or pod.
func (r *Room) OnHost(do func() error) error {
	return away(func() error {
		host, err := netns.GetFromPath(r.Endpoint.Namespace)
		if err == nil {
			err = netns.Set(host)
			host.Close()
		}
		if err != nil {
			return fmt.Errorf("enter the network namespace of %s: %w", r.Endpoint.Place(), err)
		}
		return do()
	})
}

// HostID tells the network namespaces of hosts and pods apart.
func (r *Room) HostID() string { return fmt.Sprintf("%d:%d", r.host.dev, r.host.inode) }
