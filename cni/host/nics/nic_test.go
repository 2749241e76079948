package nics_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/nics"
)

// sysfs makes a folder like the kernel's, of files with their contents.
func sysfs(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Of the interfaces of a node, those are NICs into which a cable goes.
func TestHardwareIsChosen(t *testing.T) {
	rules := nics.Rules{Sysfs: sysfs(t, map[string]string{
		"eno1/device/vendor":              "0x8086",
		"enp3s0f0np0/device/vendor":       "0x15b3",
		"enp3s0f0np0/phys_port_name":      "p0\n",
		"enp3s0f0v0/device/physfn/vendor": "0x15b3",
		"enp3s0f0r0/device/vendor":        "0x15b3",
		"enp3s0f0r0/phys_port_name":       "pf0vf0\n",
		"enp3s0f0r1/device/vendor":        "0x15b3",
		"enp3s0f0r1/phys_port_name":       "c1pf0sf88\n",
		"wlp4s0/device/vendor":            "0x8086",
		"wlp4s0/phy80211/name":            "phy0",
		"lo/address":                      "00:00:00:00:00:00",
		"dummy0/address":                  "02:00:00:00:00:01",
		"bond0/device/vendor":             "whatever a driver may put there",
	})}
	for _, c := range []struct {
		name, kind string
		want       bool
		why        string
	}{
		{"eno1", "", true, "a port"},
		{"enp3s0f0np0", "", true, "a port of a NIC with a switch inside"},
		{"enp3s0f0v0", "", false, "a virtual function"},
		{"enp3s0f0r0", "", false, "stands for a virtual function"},
		{"enp3s0f0r1", "", false, "stands for a subfunction of a SmartNIC's host"},
		{"wlp4s0", "", false, "wireless"},
		{"lo", "", false, "the loopback"},
		{"dummy0", "dummy", false, "no hardware"},
		{"bond0", "bond", false, "a bond"},
		{"veth12ab", "veth", false, "a pod's"},
		{"eno1.100", "vlan", false, "a VLAN"},
		{"gone0", "", false, "has another name by now"},
	} {
		if got := rules.Chosen(c.name, c.kind); got != c.want {
			t.Errorf("%s, which is %s: chosen %t", c.name, c.why, got)
		}
	}
}

// In a lab NICs are chosen by name, and are ends of veth pairs.
func TestNamesAreChosen(t *testing.T) {
	names, err := nics.ParseNames("eth[12], ens*,")
	if err != nil {
		t.Fatal(err)
	}
	rules := nics.Rules{Names: names, Sysfs: t.TempDir()}
	for what, want := range map[string]bool{
		"eth1 veth": true, "eth2 ": true, "eth3 veth": false, "ens3f0np0 ": true,
		"eth1 bridge": false, "eth1 bond": false, "eth1 vlan": false, "eth1 macvlan": false, "ens3.100 vlan": false,
	} {
		name, kind, _ := strings.Cut(what, " ")
		if got := rules.Chosen(name, kind); got != want {
			t.Errorf("%q: chosen %t", what, got)
		}
	}
	if (nics.Rules{Names: []string{"*"}}).Chosen("lo", "") {
		t.Error("the loopback is chosen")
	}
	if _, err := nics.ParseNames("eth[1"); err == nil || !strings.Contains(err.Error(), `"eth[1"`) {
		t.Errorf("error %v", err)
	}
}

// A node with a bond and pods.
func TestNICs(t *testing.T) {
	links := []nics.Link{
		{Index: 1, Name: "lo", Carrier: true},
		{Index: 12, Name: "eth10", Ethernet: true, MAC: "52:54:00:00:00:0a"},
		{Index: 2, Name: "eth1", Ethernet: true, MAC: "52:54:00:00:00:01", Permanent: "52:54:00:00:00:01", Master: 9, Carrier: true},
		{Index: 3, Name: "eth2", Ethernet: true, MAC: "52:54:00:00:00:01", Permanent: "52:54:00:00:00:02", Master: 9, Carrier: true,
			AltNames: []string{"enp3s0f1", "1", "2", "3", "4", "5", "6", "7", "8"}},
		{Index: 4, Name: "eth3", Ethernet: true, MAC: "52:54:00:00:00:03", Master: 8},
		{Index: 5, Name: "eth4"}, // InfiniBand
		{Index: 8, Name: "br0", Kind: "bridge", Ethernet: true},
		{Index: 9, Name: "bond0", Kind: "bond", Ethernet: true, MAC: "52:54:00:00:00:01", Master: 8, Carrier: true},
		{Index: 30, Name: "eth1.100", Kind: "vlan", Ethernet: true},
	}
	want := []v1alpha1.HostNIC{
		{Name: "eth1", MAC: "52:54:00:00:00:01", Bond: "bond0", Up: true},
		{Name: "eth2", MAC: "52:54:00:00:00:02", Bond: "bond0", Up: true, AltNames: []string{"enp3s0f1", "1", "2", "3", "4", "5", "6", "7"}},
		{Name: "eth3", MAC: "52:54:00:00:00:03"},
		{Name: "eth10", MAC: "52:54:00:00:00:0a"},
	}
	got := nics.Rules{Names: []string{"eth*"}}.NICs(links)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
