package umltest_test

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/switchlet/switchlet/deploy/lab/uml"
	"github.com/switchlet/switchlet/deploy/lab/uml/umltest"
)

func TestMain(m *testing.M) { umltest.Main(m) }

func TestKernelLacksNothing(t *testing.T) {
	if missing := uml.Missing(); len(missing) > 0 {
		t.Errorf("Missing() = %q, want nothing: the tests run where all of it is", missing)
	}
}

func TestLoopbackIsUp(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil || lo.Flags&net.FlagUp == 0 {
		t.Errorf("lo = %v, %v, want it up", lo, err)
	}
}

// A socket in a test's own folder: no socket can be made on the machine's disk.
func TestUnixSocketsWork(t *testing.T) {
	for _, folder := range []string{t.TempDir(), "/run"} {
		listener, err := net.Listen("unix", filepath.Join(folder, "s"))
		if err != nil {
			t.Fatal(err)
		}
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFilesOfThePackageAreThere(t *testing.T) {
	if _, err := os.Stat("umltest.go"); err != nil {
		t.Error(err)
	}
}

func TestNetworkNamespaces(t *testing.T) {
	runtime.LockOSThread() // and the thread ends with the test
	if _, err := netns.New(); err != nil {
		t.Fatal(err)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "VrfBlue"
	if err := netlink.LinkAdd(&netlink.Vrf{LinkAttrs: attrs, Table: 1001}); err != nil {
		t.Error(err)
	}
}
