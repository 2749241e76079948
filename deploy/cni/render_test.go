package cni_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/repo"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// kustomization writes one with these lines, as somebody has who installs Switchlet,
// and returns its folder. $DEPLOY is the product's folder.
func kustomization(t *testing.T, lines ...string) (dir string) {
	t.Helper()
	root, err := repo.Root()
	must(t, err)
	root, err = filepath.EvalSymlinks(root)
	must(t, err)
	dir, err = filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	deploy, err := filepath.Rel(dir, filepath.Join(root, "deploy")) // kustomize takes no other
	must(t, err)
	text := strings.ReplaceAll(strings.Join(lines, "\n"), "$DEPLOY", deploy)
	must(t, os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o644))
	return dir
}

// render returns the objects that a kustomization makes, by kind and name.
func render(t *testing.T, lines ...string) map[string]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(labtest.Kubernetes(t), "kubectl"), "kustomize", kustomization(t, lines...))
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	must(t, err)
	objects := map[string]string{}
	for _, o := range strings.Split(string(output), "\n---\n") {
		var id struct {
			Kind     string
			Metadata struct{ Name string }
		}
		must(t, yaml.Unmarshal([]byte(o), &id))
		objects[id.Kind+"/"+id.Metadata.Name] = strings.TrimSuffix(o, "\n")
	}
	return objects
}

const hostAgent = "DaemonSet/switchlet-host-agent"

func base(t *testing.T) map[string]string {
	t.Helper()
	return render(t, "resources: [$DEPLOY]")
}

func withPods(t *testing.T, lines ...string) map[string]string {
	t.Helper()
	return render(t, append(component(), lines...)...)
}

func component() []string { return []string{"resources: [$DEPLOY]", "components: [$DEPLOY/cni]"} }

func daemonSet(t *testing.T, text string) corev1.PodSpec {
	t.Helper()
	var d appsv1.DaemonSet
	must(t, yaml.UnmarshalStrict([]byte(text), &d))
	return d.Spec.Template.Spec
}

// The component changes the host agent's DaemonSet, adds its rights, and nothing else.
func TestOnlyTheHostAgentChanges(t *testing.T) {
	before, after := base(t), withPods(t)
	for id, o := range after {
		switch _, old := before[id]; {
		case id == "ClusterRole/switchlet-host-agent-cni", id == "ClusterRoleBinding/switchlet-host-agent-cni":
		case !old:
			t.Errorf("%s is new", id)
		case id != hostAgent && o != before[id]:
			t.Errorf("%s (-base +with the component):\n%s", id, cmp.Diff(before[id], o))
		}
	}
	if len(after) != len(before)+2 {
		t.Errorf("%d objects, and %d without the component", len(after), len(before))
	}
}

// Without pods in networks the host agent listens to LLDP, and that is all that it can.
func TestTheBaseStaysSmall(t *testing.T) {
	spec := daemonSet(t, base(t)[hostAgent])
	if len(spec.InitContainers) != 0 || len(spec.Volumes) != 1 || len(spec.Containers[0].Args) != 0 {
		t.Errorf("%d init containers, %d volumes, arguments %q", len(spec.InitContainers), len(spec.Volumes), spec.Containers[0].Args)
	}
	rights(t, spec.Containers[0], "NET_RAW")
}

// What a policy of a cluster may want to know: no container is privileged, none has
// more capabilities than these, and the folder with programs of the host is writable
// for the one only that ends at once.
func TestRightsOnTheNode(t *testing.T) {
	spec := daemonSet(t, withPods(t)[hostAgent])
	if spec.HostPID || spec.HostIPC || !spec.HostNetwork || len(spec.InitContainers) != 1 || len(spec.Containers) != 1 {
		t.Errorf("%+v", spec)
	}
	rights(t, spec.InitContainers[0])
	rights(t, spec.Containers[0], "NET_ADMIN", "NET_RAW", "SYS_ADMIN")
	paths := map[string]string{}
	for _, v := range spec.Volumes {
		paths[v.Name] = v.HostPath.Path
	}
	got := map[string][]string{}
	for _, c := range append(spec.InitContainers, spec.Containers...) {
		for _, m := range c.VolumeMounts {
			if !m.ReadOnly {
				got[c.Name] = append(got[c.Name], paths[m.Name])
			}
		}
	}
	want := map[string][]string{
		"install-plugin": {"/opt/cni/bin"},
		"host-agent":     {"/run/switchlet", "/proc/sys/net", "/var/lib/switchlet"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("writable folders of the host (-want +got):\n%s", diff)
	}
}

func rights(t *testing.T, c corev1.Container, added ...corev1.Capability) {
	t.Helper()
	s := c.SecurityContext
	if s.Privileged != nil || *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Errorf("%s: %+v", c.Name, s)
	}
	if diff := cmp.Diff(&corev1.Capabilities{Drop: []corev1.Capability{"ALL"}, Add: added}, s.Capabilities); diff != "" {
		t.Errorf("%s: capabilities (-want +got):\n%s", c.Name, diff)
	}
}

// A cluster without another network: the agent may write into the folder of the
// runtime's configurations, and its pod names the network, so that every node has it.
func TestPrimary(t *testing.T) {
	before := withPods(t)
	after := render(t, "resources: [$DEPLOY]", "components: [$DEPLOY/cni/definition, $DEPLOY/cni, $DEPLOY/cni/primary]")
	for id, o := range after {
		_, old := before[id]
		switch id {
		case "CustomResourceDefinition/network-attachment-definitions.k8s.cni.cncf.io", "NetworkAttachmentDefinition/cluster", hostAgent:
		default:
			if !old || o != before[id] {
				t.Errorf("%s (-without +with the component):\n%s", id, cmp.Diff(before[id], o))
			}
		}
	}
	spec := daemonSet(t, after[hostAgent])
	rights(t, spec.Containers[0], "NET_ADMIN", "NET_RAW", "SYS_ADMIN")
	want := []string{"--cni-socket=/run/switchlet/cni.sock", "--proc=/host/proc", "--cni-config=/host/etc/cni/net.d", "--cni-network=switchlet-system/cluster/pods"}
	if diff := cmp.Diff(want, spec.Containers[0].Args); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	mounts := spec.Containers[0].VolumeMounts
	if last := mounts[len(mounts)-1]; last.MountPath != "/host/etc/cni/net.d" || last.ReadOnly {
		t.Errorf("the last mount is %+v", last)
	}
	if !strings.Contains(after[hostAgent], "v1.multus-cni.io/default-network: cluster") {
		t.Error("the agent's pod does not name the network")
	}
}

// Whoever takes another image gets the plugin of that image.
func TestThePluginIsOfTheAgentsImage(t *testing.T) {
	for _, c := range []struct{ images, want string }{
		{"", "switchlet.io/host-agent:dev"},
		{"images: [{name: switchlet.io/host-agent, newName: registry.example/host-agent, newTag: v1.2.3}]", "registry.example/host-agent:v1.2.3"},
	} {
		spec := daemonSet(t, withPods(t, c.images)[hostAgent])
		if plugin, agent := spec.InitContainers[0].Image, spec.Containers[0].Image; plugin != c.want || agent != c.want {
			t.Errorf("the plugin is of %s, the agent of %s, want %s", plugin, agent, c.want)
		}
	}
}

// A JSON patch adds arguments to those of the component.
func TestArgumentsMayBeAdded(t *testing.T) {
	spec := daemonSet(t, withPods(t, `
patches:
  - target: {kind: DaemonSet, name: switchlet-host-agent}
    patch: '- {op: add, path: /spec/template/spec/containers/0/args/-, value: "--nics=ens*"}'
`)[hostAgent])
	want := []string{"--cni-socket=/run/switchlet/cni.sock", "--proc=/host/proc", "--nics=ens*"}
	if diff := cmp.Diff(want, spec.Containers[0].Args); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
}

// The component comes to a cluster that has Switchlet, and goes again, without a word
// of the API server's.
func TestTheAPIServerTakesIt(t *testing.T) {
	cluster := rbactest.Start(t, controlplane.Config{})
	said := cluster.Kubectl(t, "apply", "-k", kustomization(t, component()...))
	if strings.Contains(strings.ToLower(said), "warning") || !strings.Contains(said, "daemonset.apps/switchlet-host-agent configured") {
		t.Error(said)
	}
	said = cluster.Kubectl(t, "apply", "-k", kustomization(t, "resources: [$DEPLOY]"))
	if strings.Contains(strings.ToLower(said), "warning") || !strings.Contains(said, "daemonset.apps/switchlet-host-agent configured") {
		t.Error(said)
	}
	spec := daemonSet(t, cluster.Kubectl(t, "get", "daemonset", "-n", rbactest.Namespace, "switchlet-host-agent", "-o", "yaml"))
	rights(t, spec.Containers[0], "NET_RAW")
	if len(spec.InitContainers) != 0 || len(spec.Volumes) != 1 {
		t.Errorf("without the component again: %d init containers, %d volumes", len(spec.InitContainers), len(spec.Volumes))
	}
}
