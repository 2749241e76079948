// Package nettest gives tests network namespaces.
package nettest

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

// Namespace makes a network namespace that is there as long as the test, with a
// loopback that is up, and returns its path. Without root the test ends.
func Namespace(t testing.TB) string {
	t.Helper()
	if os.Geteuid() != 0 {
		labtest.Missing(t, "network namespaces need root")
	}
	var made netns.NsHandle
	stay(t, func() (err error) {
		made, err = netns.New()
		return err
	})
	file := os.NewFile(uintptr(made), "network namespace")
	t.Cleanup(func() { file.Close() })
	path := fmt.Sprintf("/proc/self/fd/%d", file.Fd())
	switchOn(t, path, "lo")
	return path
}

func switchOn(t testing.TB, path, name string) {
	t.Helper()
	handle := Handle(t, path)
	link, err := handle.LinkByName(name)
	if err == nil {
		err = handle.LinkSetUp(link)
	}
	if err != nil {
		t.Fatalf("switch %s on: %v", name, err)
	}
}

// In does something in a network namespace. Programs that are started there
// stay in it.
func In(t testing.TB, path string, do func() error) {
	t.Helper()
	there, err := netns.GetFromPath(path)
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	stay(t, func() error {
		if err := netns.Set(there); err != nil {
			return err
		}
		return do()
	})
}

// stay does something that takes this thread to another namespace, and comes
// back.
func stay(t testing.TB, do func() error) {
	t.Helper()
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	err = do()
	if home := netns.Set(home); home != nil {
		t.Fatal(home) // the thread ends with this goroutine
	}
	runtime.UnlockOSThread()
	if err != nil {
		t.Fatal(err)
	}
}

// Handle is a connection to the kernel in a network namespace.
func Handle(t testing.TB, path string) *netlink.Handle {
	t.Helper()
	there, err := netns.GetFromPath(path)
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	handle, err := netlink.NewHandleAt(there)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(handle.Close)
	return handle
}

// Management gives a namespace an eth0, with a MAC address that ends in number.
// Its other end is in a namespace of its own.
func Management(t testing.TB, path string, number byte) {
	t.Helper()
	far, err := netns.GetFromPath(Namespace(t))
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.HardwareAddr = "eth0", []byte{0x52, 0x54, 0, 0x5c, 0, number}
	pair := &netlink.Veth{LinkAttrs: attrs, PeerName: "mgmt", PeerNamespace: netlink.NsFd(int(far))}
	if err := Handle(t, path).LinkAdd(pair); err != nil {
		t.Fatal(err)
	}
	switchOn(t, path, "eth0")
}
