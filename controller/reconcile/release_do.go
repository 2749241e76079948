package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/release"
)

// do does what was decided. What fails at one switch does not keep it from others.
func (r *releaseReconciler) do(ctx context.Context, rel *v1alpha1.NOSRelease, do release.Do, f *fleet) error {
	var errs []error
	for _, q := range do.Requests {
		if config := f.configs[q.Switch]; config != nil {
			errs = append(errs, r.ask(ctx, config, q.Maintenance))
		}
	}
	for _, l := range do.Labels {
		if node := f.nodes[l.Switch]; node != nil {
			log.FromContext(ctx).Info("admits a service", "release", rel.Name, "switch", l.Switch, "service", l.Service, "hash", l.Hash)
			errs = append(errs, r.admit(ctx, node, l))
		}
	}
	return errors.Join(errs...)
}

// letGo takes the request away of a release that is gone.
func (r *releaseReconciler) letGo(ctx context.Context, f *fleet) error {
	known := map[string]bool{}
	for i := range f.releases {
		known[f.releases[i].Name] = true
	}
	var errs []error
	for _, c := range f.configs {
		if m := c.Spec.Maintenance; m != nil && m.Release != "" && !known[m.Release] {
			errs = append(errs, r.ask(ctx, c, nil))
		}
	}
	return errors.Join(errs...)
}

// maintenanceManifest is all that a release says of a SwitchConfig. The UID keeps
// it from making one that was deleted.
type maintenanceManifest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string    `json:"name"`
		UID  types.UID `json:"uid"`
	} `json:"metadata"`
	Spec struct {
		Maintenance *v1alpha1.SwitchMaintenance `json:"maintenance,omitempty"`
	} `json:"spec"`
}

// ask has the agent of a switch asked for something, or for nothing any more.
func (r *releaseReconciler) ask(ctx context.Context, config *v1alpha1.SwitchConfig, m *v1alpha1.SwitchMaintenance) error {
	var manifest maintenanceManifest
	manifest.APIVersion, manifest.Kind = v1alpha1.GroupVersion().String(), "SwitchConfig"
	manifest.Metadata.Name, manifest.Metadata.UID = config.Name, config.UID
	manifest.Spec.Maintenance = m
	data, err := json.Marshal(manifest)
	if err != nil {
		return fmt.Errorf("encode the maintenance of SwitchConfig %s: %w", config.Name, err)
	}
	into := &v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: config.Name}}
	err = r.Patch(ctx, into, client.RawPatch(types.ApplyPatchType, data), client.FieldOwner(releaseOwner), client.ForceOwnership)
	if ignoreRaces(err) != nil {
		return fmt.Errorf("write spec.maintenance of SwitchConfig %s: %w", config.Name, err)
	}
	return nil
}

// admission is what a Node says for a version of a service: nil for no label. The agent
// that was deployed is on Nodes without a label for it, so that no agent takes one, too.
func admission(l release.Label) any {
	agent := l.Service == v1alpha1.ServiceAgent
	switch {
	case agent && l.Hash == v1alpha1.HashDeployed, !agent && l.Hash == "":
		return nil
	case l.Hash == "":
		return v1alpha1.AdmittedNone
	}
	return l.Hash
}

// admit says on a Node which version of a service may run there.
func (r *releaseReconciler) admit(ctx context.Context, node *corev1.Node, l release.Label) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": node.UID, "labels": map[string]any{v1alpha1.LabelAdmitted + l.Service: admission(l)},
	}})
	if err != nil {
		return err
	}
	into := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node.Name}}
	if err := r.Patch(ctx, into, client.RawPatch(types.MergePatchType, patch)); ignoreRaces(err) != nil {
		return fmt.Errorf("label Node %s with the version of %s: %w", node.Name, l.Service, err)
	}
	return nil
}
