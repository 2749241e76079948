package manifests_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/manifests"
	"github.com/switchlet/switchlet/deploy/lab/repo"
)

// The overlay of the product's own manifests renders, wherever the lab's folder
// is, and changes the controller, one volume of the switches' agent and the
// arguments of the hosts' only.
func TestOverlayRenders(t *testing.T) {
	kubectl := filepath.Join(labtest.Kubernetes(t), "kubectl")
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	product, folder := filepath.Join(root, "deploy"), filepath.Join(t.TempDir(), "manifests")
	if err := manifests.Write(folder, product, false); err != nil {
		t.Fatal(err)
	}
	render := func(dir string) []string {
		cmd := exec.CommandContext(t.Context(), kubectl, "kustomize", dir)
		cmd.Stderr = os.Stderr
		text, err := cmd.Output()
		if err != nil {
			t.Fatalf("kubectl kustomize %s: %v", dir, err)
		}
		return strings.Split(string(text), "---\n")
	}
	ours, theirs := render(filepath.Join(folder, "deploy")), render(product)
	if len(ours) != len(theirs) {
		t.Fatalf("the overlay has %d objects, the product %d", len(ours), len(theirs))
	}
	const usr, own = "/usr/share/yang/modules/libyang", "/var/lib/ietf-models"
	for i := range ours {
		if strings.Contains(theirs[i], "kind: DaemonSet") {
			want := strings.Replace(theirs[i], "path: "+usr+"\n          type", "path: "+own+"\n          type", 1)
			if strings.Contains(want, "name: switchlet-host-agent") {
				want += "      - args:\n        - --nics=eth[1-9]*\n        - --lldp-interval=3s\n        env:\n"
				want = strings.Replace(want, "      - env:\n", "", 1)
			}
			if diff := cmp.Diff(sortedLines(want), sortedLines(ours[i])); diff != "" {
				t.Errorf("an agent's DaemonSet (-want +got):\n%s", diff)
			}
			continue
		}
		controller := strings.Contains(theirs[i], "kind: Deployment")
		if changed := ours[i] != theirs[i]; changed != controller {
			t.Errorf("changed = %v, is the controller's Deployment = %v:\n%s", changed, controller, ours[i])
		}
	}
}

// sortedLines are the lines of an object: a patch moves what it changes.
func sortedLines(text string) []string { return slices.Sorted(strings.Lines(text)) }

// Cables say where hosts are: no manifest names a port or a switch.
func TestNobodyNamesAPort(t *testing.T) {
	for _, name := range []string{manifests.Fabric, manifests.VPCBlue, manifests.VPCRed} {
		text, err := manifests.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"port:", "switch:", "Ethernet", "PortChannel", "leaf1", "leaf2"} {
			if strings.Contains(string(text), word) {
				t.Errorf("%s contains %q", name, word)
			}
		}
	}
}
