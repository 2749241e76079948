package node

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestKubeletSettings(t *testing.T) {
	for _, test := range []struct {
		name, taint string
		taints      int
	}{
		{"switch", "fabric.switchlet.io/switch", 1},
		{"ordinary node", "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, err := render("kubelet.yaml", settings{Name: "leaf1", Address: "198.18.0.10", Taint: test.taint})
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				Address            string
				TLSCertFile        string
				RegisterWithTaints []struct{ Key, Effect string }
			}
			if err := yaml.Unmarshal(text, &got); err != nil {
				t.Fatalf("%v:\n%s", err, text)
			}
			if got.Address != "198.18.0.10" || got.TLSCertFile != "/etc/kubernetes/leaf1.crt" {
				t.Errorf("got %+v", got)
			}
			if len(got.RegisterWithTaints) != test.taints {
				t.Errorf("taints = %v, want %d", got.RegisterWithTaints, test.taints)
			}
		})
	}
}

func TestMachineIDsDiffer(t *testing.T) {
	first, second := machineID(netip.MustParseAddr("198.18.0.10")), machineID(netip.MustParseAddr("198.18.0.11"))
	if len(first) != 32 || first == second {
		t.Errorf("machine ids %q and %q: want 32 digits each, and different", first, second)
	}
}

// A node keeps all that it writes in its own folder.
func TestOnlyTheNodesOwnFoldersCanBeWritten(t *testing.T) {
	s := Spec{Name: "leaf1", Dir: t.TempDir(), Address: netip.MustParsePrefix("198.18.0.10/24"), Binaries: "/binaries", Images: "/images"}
	if err := s.prepare(); err != nil {
		t.Fatal(err)
	}
	for _, m := range s.mounts() {
		shared := m.Type != "" || m.Source == "/dev" // they are the kernel's
		if !m.ReadOnly && !shared && !strings.HasPrefix(m.Source, s.Dir+"/") {
			t.Errorf("%s is %s of the machine, and can be written", m.Target, m.Source)
		}
	}
	for _, setting := range kernelSettings() {
		if _, err := os.Stat(filepath.Join(s.Dir, setting.file())); err != nil {
			t.Error(err)
		}
	}
}
