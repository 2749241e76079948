package service

import (
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// ErrNotDeployed says that there is no agent of which a release could have a version.
var ErrNotDeployed = errors.New("there is no DaemonSet switchlet-agent, from which the agent of a release has its pod template: apply deploy/agent, in which every template has the labels " +
	v1alpha1.LabelService + ": " + v1alpha1.ServiceAgent + " and " + v1alpha1.LabelServiceHash + ": " + v1alpha1.HashDeployed)

// agent is the pod template of the agent in another image. All the rest is as it was
// deployed: its flags, the service account, and whether it has containerd's socket.
func agent(s v1alpha1.ReleaseService, deployed *corev1.PodTemplateSpec) (corev1.PodTemplateSpec, error) {
	if deployed == nil {
		return corev1.PodTemplateSpec{}, ErrNotDeployed
	}
	t := *deployed.DeepCopy()
	i := slices.IndexFunc(t.Spec.Containers, func(c corev1.Container) bool { return c.Name == s.Name })
	if i < 0 {
		return t, fmt.Errorf("DaemonSet switchlet-agent has no container %s", s.Name)
	}
	t.Spec.Containers[i].Image = s.Image
	// Which pods are the DaemonSet's, and where they run, is not for this one.
	t.Labels, t.Spec.Affinity, t.Spec.NodeSelector = nil, nil, nil
	if err := check(t, s); err != nil {
		return t, fmt.Errorf("DaemonSet switchlet-agent: %w", err)
	}
	return t, nil
}
