package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// manifest is what is sent to the API server to apply: identity and one of
// spec and status.
type manifest struct {
	APIVersion string           `json:"apiVersion"`
	Kind       string           `json:"kind"`
	Metadata   manifestMetadata `json:"metadata"`
	Spec       any              `json:"spec,omitempty"`
	Status     any              `json:"status,omitempty"`
}

type manifestMetadata struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
	// ResourceVersion makes the API server refuse what was made from an old
	// version of the object.
	ResourceVersion string            `json:"resourceVersion,omitempty"`
	Labels          map[string]string `json:"labels,omitempty"`
	Annotations     map[string]string `json:"annotations,omitempty"`
}

func applyPatch(kind string, m manifestMetadata, spec, status any) (client.Patch, error) {
	data, err := json.Marshal(manifest{
		APIVersion: v1alpha1.GroupVersion().String(), Kind: kind, Metadata: m, Spec: spec, Status: status,
	})
	if err != nil {
		return nil, fmt.Errorf("encode %s %s: %w", kind, m.Name, err)
	}
	return client.RawPatch(types.ApplyPatchType, data), nil
}

// applyStatus writes the status of an object if it is not what the cache shows.
// An object that is gone has no status to write.
//
// The cache may not show yet what was written a moment ago, so that a status
// that goes back to what it was looks as if it were there already. A reconciler
// that writes statuses therefore has to be called for changes of them as well:
// the last call is then made when the cache shows the last write.
func (b base) applyStatus(ctx context.Context, kind string, o client.Object, have, want any) error {
	if equality.Semantic.DeepEqual(have, want) {
		return nil
	}
	patch, err := applyPatch(kind, manifestMetadata{Name: o.GetName(), Namespace: o.GetNamespace()}, nil, want)
	if err != nil {
		return err
	}
	into := o.DeepCopyObject().(client.Object)
	if err := b.Status().Patch(ctx, into, patch, client.FieldOwner(FieldOwner), client.ForceOwnership); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the status of %s %s: %w", kind, client.ObjectKeyFromObject(o), err)
	}
	return nil
}

// condition makes a condition for the generation of an object.
func condition(o client.Object, kind string, status bool, reason, message string) metav1.Condition {
	c := metav1.Condition{Type: kind, Status: metav1.ConditionFalse, Reason: reason, Message: message, ObservedGeneration: o.GetGeneration()}
	if status {
		c.Status = metav1.ConditionTrue
	}
	return c
}

// withReady sets conditions, keeping the times of those that do not change, and
// computes Ready: the first of them that is not True, or the last.
func withReady(o client.Object, have []metav1.Condition, set ...metav1.Condition) []metav1.Condition {
	out := make([]metav1.Condition, len(have))
	copy(out, have)
	ready := set[len(set)-1]
	if i := slices.IndexFunc(set, func(c metav1.Condition) bool { return c.Status != metav1.ConditionTrue }); i >= 0 {
		ready = set[i]
	}
	for _, c := range set {
		meta.SetStatusCondition(&out, c)
	}
	ready.Type, ready.ObservedGeneration = v1alpha1.ConditionReady, o.GetGeneration()
	meta.SetStatusCondition(&out, ready)
	return out
}

// progressing is the reason of a condition that is False for the moment.
const progressing = "Progressing"

// reasonNotCabled is that of a host without a place for what is to be there.
const reasonNotCabled = "NotCabled"

// announce makes an event, for kubectl describe, of a condition that people
// want to hear of: it is not True, or no longer so, or the last step was done.
func (b base) announce(o client.Object, have, want []metav1.Condition, kind string) {
	before, now := meta.FindStatusCondition(have, kind), meta.FindStatusCondition(want, kind)
	if now == nil || now.Reason == progressing || now.Reason == "NoAttachments" || now.Reason == "NoPlaces" || before != nil && before.Status == now.Status && before.Reason == now.Reason {
		return
	}
	level := corev1.EventTypeNormal
	if now.Status == metav1.ConditionFalse {
		level = corev1.EventTypeWarning
	} else if kind != v1alpha1.VPCProgrammed && (before == nil || before.Status != metav1.ConditionFalse) {
		return
	}
	b.events.Eventf(o, nil, level, now.Reason, kind, "%s", now.Message)
}
