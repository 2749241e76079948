package service

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Service is one version of a service, ready to become a DaemonSet. It is kept in a
// ControllerRevision, so that going back gives just what there was, whatever a
// newer controller would make of the same words.
type Service struct {
	Name string `json:"name"`
	// Hash names the version: of the release's name and the template.
	Hash       string                 `json:"hash"`
	Disruptive bool                   `json:"disruptive"`
	Template   corev1.PodTemplateSpec `json:"template"`
}

// Resolve makes the version of a service that a release says. deployed is the pod template
// of the DaemonSet switchlet-agent; nil if there is none.
func Resolve(release string, s v1alpha1.ReleaseService, deployed *corev1.PodTemplateSpec) (Service, error) {
	template := builtin(s.Name, s.Image)
	if s.Name == v1alpha1.ServiceAgent {
		var err error
		if template, err = agent(s, deployed); err != nil {
			return Service{}, fmt.Errorf("spec.services[%s]: %w", s.Name, err)
		}
	}
	template, err := overridden(template, s)
	if err != nil {
		return Service{}, fmt.Errorf("spec.services[%s].overrides: %w", s.Name, err)
	}
	out := Service{Name: s.Name, Disruptive: Disruptive(s.Name)}
	if s.Disruptive != nil {
		out.Disruptive = *s.Disruptive
	}
	if out.Hash, err = hash(release, s.Name, template); err != nil {
		return Service{}, fmt.Errorf("spec.services[%s]: %w", s.Name, err)
	}
	out.Template = labelled(template, release, s.Name, out.Hash)
	return out, nil
}

// overridden is a template with a strategic merge patch, if there is one.
func overridden(t corev1.PodTemplateSpec, s v1alpha1.ReleaseService) (corev1.PodTemplateSpec, error) {
	if s.Overrides == nil || len(s.Overrides.Raw) == 0 {
		return t, nil
	}
	base, err := json.Marshal(t)
	if err != nil {
		return t, err
	}
	merged, err := strategicpatch.StrategicMergePatch(base, s.Overrides.Raw, corev1.PodTemplateSpec{})
	if err != nil {
		return t, fmt.Errorf("it is no strategic merge patch of a pod template: %w", err)
	}
	var out corev1.PodTemplateSpec
	if err := json.Unmarshal(merged, &out); err != nil {
		return t, fmt.Errorf("what it makes is no pod template: %w", err)
	}
	return out, check(out, s)
}

// check refuses what would take the service out of the release's hands.
func check(t corev1.PodTemplateSpec, s v1alpha1.ReleaseService) error {
	i := slices.IndexFunc(t.Spec.Containers, func(c corev1.Container) bool { return c.Name == s.Name })
	switch {
	case i < 0:
		return fmt.Errorf("spec.containers: the container %s is gone: it has to stay", s.Name)
	case t.Spec.Containers[i].Image != s.Image:
		return fmt.Errorf("spec.containers[%s].image: %q is not the service's image: say it in spec.services[%s].image", s.Name, t.Spec.Containers[i].Image, s.Name)
	case undigested(t) != "":
		return fmt.Errorf("image %q: every image has to be named by digest, NAME@sha256:…, or what was tried on one switch may not be what the next one gets", undigested(t))
	case t.Spec.NodeName != "" || t.Spec.Affinity != nil || t.Spec.NodeSelector != nil:
		return fmt.Errorf("spec.nodeName, nodeSelector and affinity must be left out: spec.switches says where the service runs")
	case !t.Spec.HostNetwork:
		return fmt.Errorf("spec.hostNetwork: it must be true: a switch has no pod network")
	}
	return nil
}

// hash is of the release's name too: two releases with the same service never
// share a DaemonSet.
func hash(release, name string, t corev1.PodTemplateSpec) (string, error) {
	data, err := json.Marshal([]any{release, name, t})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:5]), nil
}

// labelled is a template whose pods tell what they are, and run where the Node has
// been admitted for this version.
func labelled(t corev1.PodTemplateSpec, release, name, hash string) corev1.PodTemplateSpec {
	if t.Labels == nil {
		t.Labels = map[string]string{}
	}
	t.Labels[v1alpha1.LabelRelease], t.Labels[v1alpha1.LabelService], t.Labels[v1alpha1.LabelServiceHash] = release, name, hash
	t.Spec.NodeSelector = map[string]string{v1alpha1.LabelAdmitted + name: hash}
	return t
}

// Images of all containers, sorted.
func (s Service) Images() []string { return images(s.Template) }

func images(t corev1.PodTemplateSpec) []string {
	var out []string
	for _, c := range append(slices.Clone(t.Spec.InitContainers), t.Spec.Containers...) {
		out = append(out, c.Image)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// undigested is an image that is not named by digest; empty if there is none.
func undigested(t corev1.PodTemplateSpec) string {
	for _, image := range images(t) {
		if !strings.Contains(image, "@sha256:") {
			return image
		}
	}
	return ""
}
