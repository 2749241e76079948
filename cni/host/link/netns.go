package link

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Inode tells network namespaces apart.
func Inode(ns *os.File) (uint64, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(ns.Fd()), &st); err != nil {
		return 0, fmt.Errorf("network namespace %s: %w", ns.Name(), err)
	}
	return st.Ino, nil
}

// ErrNotNetns says that a file is no network namespace.
var ErrNotNetns = errors.New("it is no network namespace")

// OpenNetns opens the network namespace at a path.
func OpenNetns(path string) (*os.File, error) {
	ns, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := CheckNetns(ns); err != nil {
		ns.Close()
		return nil, err
	}
	return ns, nil
}

// CheckNetns reports whether a file is a network namespace. When one has been
// unmounted its path may still be there, as a plain file.
func CheckNetns(ns *os.File) error {
	kind, err := unix.IoctlRetInt(int(ns.Fd()), unix.NS_GET_NSTYPE)
	if err != nil || kind != unix.CLONE_NEWNET {
		return fmt.Errorf("%s: %w", ns.Name(), ErrNotNetns)
	}
	return nil
}

// in does something in a pod's network namespace, with a connection to the kernel
// there.
func (k *Kernel) in(ns *os.File, do func(*netlink.Handle) error) error {
	return k.inside(ns, func() error { return with(do) })
}

// inside does something on a thread that is in a network namespace.
func (k *Kernel) inside(ns *os.File, do func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			runtime.UnlockOSThread()
			done <- fmt.Errorf("enter network namespace %s: %w", ns.Name(), err)
			return
		}
		err := do()
		if unix.Setns(int(k.back.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		} // else the thread ends with this goroutine
		done <- err
	}()
	return <-done
}

// own opens the network namespace of the threads that goroutines come to if nobody
// has locked them to another.
func own(proc string) (ns *os.File, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		ns, err = os.Open(filepath.Join(proc, "thread-self/ns/net"))
	}()
	<-done
	return ns, err
}

func with(do func(*netlink.Handle) error) error {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("connect to the kernel: %w", err)
	}
	defer handle.Close()
	return do(handle)
}
