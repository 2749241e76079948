package layers

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/switchlet/switchlet/"

// pure packages compute: their whole import tree has no client, no database, no
// network and no device in it.
var pure = []string{
	"api/v1alpha1", "api/natural", "api/neighbor", "controller/alloc", "controller/approve/group", "controller/ipam", "controller/nad", "controller/plan", "controller/release", "controller/release/service", "controller/topology", "lldp/frame", "sonic", "sonic/configdb", "sonic/yang/xpath", "sonic/yang/datatype", "sonic/yang/xsd", "agent/render",
	"deploy/lab/swss", "deploy/lab/matrix", "deploy/lab/matrix/mark",
	"cni/protocol", "cni/host/request", "cni/host/networks", "cni/host/ipam", "cni/host/uplink", "cni/host/result"}

// impure is what the import tree of a pure package must not contain.
var impure = []string{
	"sigs.k8s.io/controller-runtime/", "k8s.io/client-go/", "github.com/redis/", "github.com/vishvananda/",
	"log", "log/slog", "os/exec", "net/http", "database/sql",
}

// entry says where each third-party library may be imported. The lab, which is
// not part of the product, may use any of them.
var entry = map[string][]string{
	"sigs.k8s.io/controller-runtime": {"controller", "controller/approve", "controller/reconcile", "agent", "agent/watch", "agent/report", "deploy/kubectl-switchlet/kubeconfig", "deploy/kubectl-switchlet/release", "deploy/kubectl-switchlet/switches"},
	"k8s.io/client-go":               {"controller", "controller/reconcile", "agent", "agent/watch", "agent/report", "cni/host", "cni/host/hostconfig", "cni/host/object", "cni/host/pods", "cni/host/report", "deploy/kubectl-switchlet/join", "deploy/kubectl-switchlet/kubeconfig"},
	"github.com/redis/go-redis":      {"sonic/redis"},
	"github.com/vishvananda/netlink": {"cni/host/nics", "cni/host/link", "lldp/wire"},
	"github.com/mdlayher/packet":     {"lldp/wire"},
	"golang.org/x/net/bpf":           {"lldp/wire"},
	"github.com/openconfig/goyang":   {"sonic/yang"},
	"google.golang.org/protobuf":     {"images/store"},
	"github.com/spf13/cobra":         {"deploy/kubectl-switchlet", "deploy/kubectl-switchlet/config", "deploy/kubectl-switchlet/join", "deploy/kubectl-switchlet/kubeconfig", "deploy/kubectl-switchlet/release", "deploy/kubectl-switchlet/switches"},
}

type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func TestPurePackagesComputeOnly(t *testing.T) {
	all := list(t)
	for _, name := range pure {
		p, ok := all[name]
		if !ok {
			t.Errorf("package %s does not exist: correct the list of pure packages", name)
			continue
		}
		// apimachinery's own logging comes with the API types; ours must not.
		for _, i := range p.Imports {
			for _, bad := range impure {
				if i == strings.TrimSuffix(bad, "/") || strings.HasSuffix(bad, "/") && strings.HasPrefix(i, bad) {
					t.Errorf("%s imports %s, but it is a pure package", name, i)
				}
			}
		}
		for _, d := range p.Deps {
			if strings.HasPrefix(d, "sigs.k8s.io/controller-runtime/") || strings.HasPrefix(d, "k8s.io/client-go/") || strings.HasPrefix(d, "github.com/redis/") {
				t.Errorf("%s depends on %s, but it is a pure package", name, d)
			}
		}
	}
}

func TestLibrariesEnterInOnePlace(t *testing.T) {
	for name, p := range list(t) {
		if strings.HasPrefix(name, "deploy/") && !strings.HasPrefix(name, "deploy/kubectl-switchlet") || strings.HasPrefix(name, "images") {
			continue
		}
		for _, i := range p.Imports {
			for library, allowed := range entry {
				if strings.HasPrefix(i, library) && !slices.Contains(allowed, name) {
					t.Errorf("%s imports %s, which may be imported in %s only", name, i, strings.Join(allowed, ", "))
				}
			}
		}
	}
}

func TestStagesDoNotKnowEachOther(t *testing.T) {
	all := list(t)
	for from, banned := range map[string][]string{
		"sonic":      {"api/", "agent", "controller"},
		"controller": {"sonic", "agent"},
		"agent":      {"controller"},
		"lldp":       {"api/", "agent", "controller", "sonic", "cni"},
		"cni":        {"agent", "controller", "sonic"},
	} {
		for name, p := range all {
			if name != from && !strings.HasPrefix(name, from+"/") {
				continue
			}
			for _, i := range p.Imports {
				for _, b := range banned {
					if rest, ours := strings.CutPrefix(i, module); ours && (rest == b || strings.HasPrefix(rest, strings.TrimSuffix(b, "/")+"/")) {
						t.Errorf("%s imports %s: %s is another stage", name, rest, b)
					}
				}
			}
		}
	}
}

// list is all packages of the module by their path below it.
func list(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := map[string]pkg{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages[strings.TrimPrefix(p.ImportPath, module)] = p
	}
}
