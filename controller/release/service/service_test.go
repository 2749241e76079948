package service

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Each file of testdata is a service and the pod template that becomes of it, or
// the error. UPDATE=1 writes what becomes of it now.
func TestResolve(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases found", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := resolve(t, archive.Files[0].Data)
			if os.Getenv("UPDATE") != "" {
				archive.Files = append(archive.Files[:1], txtar.File{Name: "template", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := string(archive.Files[1].Data); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func resolve(t *testing.T, text []byte) string {
	t.Helper()
	var s v1alpha1.ReleaseService
	if err := yaml.UnmarshalStrict(text, &s); err != nil {
		t.Fatal(err)
	}
	out, err := Resolve("core", s, deployed(t))
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	data, err := yaml.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// deployed is the pod template of the product's own DaemonSet.
func deployed(t *testing.T) *corev1.PodTemplateSpec {
	t.Helper()
	text, err := os.ReadFile("../../../deploy/agent/daemonset.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var d appsv1.DaemonSet
	if err := yaml.UnmarshalStrict(text, &d); err != nil {
		t.Fatal(err)
	}
	return &d.Spec.Template
}

// Without an agent there is none to have another version of, and one whose sidecar may be
// anything is no version.
func TestNoAgent(t *testing.T) {
	s := v1alpha1.ReleaseService{Name: v1alpha1.ServiceAgent, Image: "agent" + digest}
	if _, err := Resolve("core", s, nil); !errors.Is(err, ErrNotDeployed) {
		t.Errorf("%v", err)
	}
	template := deployed(t)
	template.Spec.Containers = append(template.Spec.Containers, corev1.Container{Name: "sidecar", Image: "busybox"})
	if _, err := Resolve("core", s, template); err == nil || !strings.HasPrefix(err.Error(), `spec.services[agent]: DaemonSet switchlet-agent: image "busybox": every image has to be named by digest`) {
		t.Errorf("%v", err)
	}
	template.Spec.Containers = template.Spec.Containers[1:]
	if _, err := Resolve("core", s, template); err == nil || err.Error() != "spec.services[agent]: DaemonSet switchlet-agent has no container agent" {
		t.Errorf("%v", err)
	}
}

const digest = "@sha256:0000000000000000000000000000000000000000000000000000000000000000"

// The same words are the same version, and another release's are another one.
func TestHash(t *testing.T) {
	of := func(release, image string) string {
		s, err := Resolve(release, v1alpha1.ReleaseService{Name: "bgp", Image: image}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s.Hash
	}
	if again := of("core", "frr"+digest); again != of("core", "frr"+digest) {
		t.Error("the same service is not the same version")
	}
	if of("core", "frr"+digest) == of("edge", "frr"+digest) {
		t.Error("two releases share a version")
	}
	if of("core", "frr"+digest) == of("core", "other"+digest) {
		t.Error("two images are one version")
	}
}

// No service has a memory limit: where SONiC's vm.panic_on_oom is in force, a pod
// that reaches it takes the switch down.
func TestNoMemoryLimit(t *testing.T) {
	for _, name := range []string{"bgp", "lldp", "snmp", "telemetry", "gnmi", "dhcp-relay", "radv", "something-else"} {
		s, err := Resolve("core", v1alpha1.ReleaseService{Name: name, Image: "x" + digest}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Template.Spec.Containers {
			if _, ok := c.Resources.Limits[corev1.ResourceMemory]; ok {
				t.Errorf("%s has a memory limit", name)
			}
		}
	}
}
