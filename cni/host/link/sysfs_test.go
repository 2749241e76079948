package link_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/link"
)

func untagged(nic string) []v1alpha1.HostUplink { return []v1alpha1.HostUplink{{NIC: nic}} }

// sysfs is a NIC ens1 with two virtual functions, of which the second has no
// interface.
func sysfs(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	devices := filepath.Join(root, "bus/pci/devices")
	for _, dir := range []string{"0000:3b:00.0/net/ens1", "0000:3b:02.0/net/ens1v0", "0000:3b:02.1", "0000:00:1f.0"} {
		if err := os.MkdirAll(filepath.Join(devices, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"0000:3b:00.0/virtfn0": "../0000:3b:02.0", "0000:3b:00.0/virtfn1": "../0000:3b:02.1",
		"0000:3b:02.0/physfn": "../0000:3b:00.0", "0000:3b:02.1/physfn": "../0000:3b:00.0",
	} {
		if err := os.Symlink(target, filepath.Join(devices, link)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestFunction(t *testing.T) {
	kernel, err := link.Open(link.Config{Proc: "/proc", Sys: sysfs(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer kernel.Close()
	for device, want := range map[string]link.Function{
		"0000:3b:02.0": {Physical: []string{"ens1"}, Index: 0, Link: "ens1v0"},
		"0000:3b:02.1": {Physical: []string{"ens1"}, Index: 1},
	} {
		if got, err := kernel.Function(device); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s is %+v, error %v", device, got, err)
		}
	}
	for _, device := range []string{"0000:00:1f.0", "0000:ff:00.0"} {
		if _, err := kernel.Function(device); err == nil || !strings.Contains(err.Error(), "no virtual function") {
			t.Errorf("%s: error %v", device, err)
		}
	}
}
