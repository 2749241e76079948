package install_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/containernetworking/cni/libcni"

	"github.com/switchlet/switchlet/cni/host/install"
)

// What is written is what a runtime reads: the newest version, the name, and the
// subnet. Written again it is left alone, and what others have in the folder always.
func TestNetwork(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "99-other.conflist"), []byte("another"), 0o600))
	subnet := install.Subnet{Namespace: "net", VPC: "cluster", Subnet: "pods"}
	for _, want := range []bool{true, false} {
		changed, err := install.Network(subnet, dir)
		if err != nil || changed != want {
			t.Fatalf("changed %t, error %v", changed, err)
		}
	}
	files, err := libcni.ConfFiles(dir, []string{".conf", ".conflist", ".json"})
	if err != nil || len(files) != 2 || filepath.Base(files[0]) != install.NetworkFile {
		t.Fatalf("a runtime finds %v, error %v", files, err)
	}
	list, err := libcni.ConfListFromFile(files[0])
	must(t, err)
	const want = `{"capabilities":{"ips":true,"mac":true},"defaultRoute":true,"subnet":"pods","type":"switchlet","vpc":"cluster","vpcNamespace":"net"}`
	if list.CNIVersion != "1.1.0" || list.Name != "switchlet" || len(list.Plugins) != 1 || compact(t, list.Plugins[0].Bytes) != want {
		t.Errorf("a runtime reads version %s, name %s, %s", list.CNIVersion, list.Name, list.Plugins[0].Bytes)
	}
	if changed, err := install.Network(install.Subnet{Namespace: "net", VPC: "other", Subnet: "pods"}, dir); err != nil || !changed {
		t.Errorf("another subnet: changed %t, error %v", changed, err)
	}
}

// compact is JSON without blanks, with its names in order.
func compact(t *testing.T, text []byte) string {
	t.Helper()
	var value map[string]any
	must(t, json.Unmarshal(text, &value))
	text, err := json.Marshal(value)
	must(t, err)
	return string(text)
}
