package cni_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/repo"
	"github.com/switchlet/switchlet/deploy/lab/state"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// existing is a lab that is up already.
var existing = flag.String("lab", "", "TestPodsThatForward uses this lab, which is up with --forward --host-pods and three hosts, instead of a new one")

// lab is a lab with a leaf, a spine and host1, on which kubelet and containerd run.
// Its switches forward nothing, and its kernel may have no VLAN devices: networks are
// untagged, one for each of the host's two NICs.
type lab struct {
	t             *testing.T
	name          string
	root, program string
	programs, dir string
}

func newLab(t *testing.T, flags ...string) *lab {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a whole lab")
	}
	if os.Geteuid() != 0 {
		labtest.Missing(t, "a lab needs root")
	}
	for program, of := range map[string]string{"containerd": "containerd", "redis-server": "redis-server", "nsenter": "util-linux", "ip": "iproute2"} {
		labtest.Program(t, program, of)
	}
	labtest.Kubernetes(t)
	root, err := repo.Root()
	must(t, err)
	l := &lab{t: t, name: "cni", root: root, programs: t.TempDir(), dir: t.TempDir()}
	for program, source := range map[string]string{
		"lab": "deploy/lab", "agent": "agent", "host-agent": "cni/host", "switchlet": "cni", "controller": "controller", "metaplugin": "deploy/cni/meta/metaplugin",
	} {
		l.build(program, source)
	}
	l.program = filepath.Join(l.programs, "lab")
	if forwards := slices.Contains(flags, "--forward"); forwards && *existing != "" {
		l.name = *existing
		l.dir, err = state.Base()
		must(t, err)
		return l
	}
	t.Cleanup(func() { l.do("down") })
	l.do("up", append([]string{"--programs", l.programs}, flags...)...)
	return l
}

func (l *lab) build(program, source string, flags ...string) {
	l.t.Helper()
	cmd := exec.Command("go", append(append([]string{"build", "-buildvcs=false"}, flags...), "-o", filepath.Join(l.programs, program), "./"+source)...)
	cmd.Dir, cmd.Env = l.root, append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("build %s: %v: %s", source, err, output)
	}
}

// run runs a command of the lab's.
func (l *lab) run(command string, args ...string) (string, error) {
	cmd := exec.Command(l.program, append([]string{command, "--name", l.name}, args...)...)
	cmd.Dir, cmd.Env = l.root, append(os.Environ(), "SWITCHLET_LAB_DIR="+l.dir)
	output, err := cmd.CombinedOutput()
	return string(output), err
}

func (l *lab) do(command string, args ...string) string {
	l.t.Helper()
	output, err := l.run(command, args...)
	if err != nil {
		l.t.Fatalf("lab %s: %v\n%s", command, err, output)
	}
	return output
}

// kubectl runs kubectl as a shell does that has taken what `lab env` prints.
func (l *lab) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	output, err := l.tryKubectl(args...)
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return output
}

func (l *lab) tryKubectl(args ...string) (string, error) {
	cmd := exec.Command("sh", append([]string{"-c", `eval "$("$0" env --name ` + l.name + `)" && exec kubectl "$@"`, l.program}, args...)...)
	cmd.Dir, cmd.Env = l.root, append(os.Environ(), "SWITCHLET_LAB_DIR="+l.dir)
	output, err := cmd.CombinedOutput()
	return string(output), err
}

// host is a file of host1, as it is seen from outside.
func (l *lab) host(path string) string {
	l.t.Helper()
	path = strings.Replace(path, "/opt/cni/bin", "/cni", 1) // where the lab has it
	return filepath.Join(l.node("host1"), path)
}

// node is the folder of a node.
func (l *lab) node(name string) string { return filepath.Join(l.dir, l.name, "nodes", name) }

// install deploys Switchlet with components of the CNI plugin.
func (l *lab) install(t *testing.T, components ...string) {
	t.Helper()
	lines := []string{"resources: [$DEPLOY]", "components:"}
	for _, c := range components {
		lines = append(lines, "  - $DEPLOY/"+c)
	}
	lines = append(lines, "patches:", "  - {path: controller-patch.yaml}", "  - {path: agent-patch.yaml}",
		"  - target: {kind: DaemonSet, name: switchlet-host-agent}", "    patch: |-",
		`      - {op: add, path: /spec/template/spec/containers/0/args/-, value: "--nics=eth[1-9]*"}`,
		`      - {op: add, path: /spec/template/spec/containers/0/args/-, value: --lldp-interval=3s}`)
	dir := kustomization(t, lines...)
	for _, file := range []string{"controller-patch.yaml", "agent-patch.yaml"} {
		text, err := os.ReadFile(filepath.Join(l.root, "deploy", "lab", "manifests", file))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, file), text, 0o644))
	}
	rbactest.Eventually(t, func() error { // a kind that has just come is not known at once
		output, err := l.tryKubectl("apply", "--server-side", "-k", dir)
		if err != nil {
			return fmt.Errorf("%w: %s", err, output)
		}
		return nil
	})
	l.kubectl(t, "rollout", "status", "-n", rbactest.Namespace, "daemonset/switchlet-host-agent", "--timeout=120s")
}

// pods runs a shell command in the network of each pod of host1, and returns what
// those say that can do it.
func (l *lab) pods(command string) string {
	output, _ := l.run("exec", "host1", "sh", "-c", `for n in /run/netns/*; do nsenter --net=$n sh -c '`+command+`' 2>/dev/null; done; true`)
	return output
}
