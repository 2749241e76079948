package reconcile

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/release"
)

// newWorkloadCache makes a cache of what was made of releases, and of the agent that was
// deployed without one: of one namespace, and nobody else's pods.
func newWorkloadCache(mgr manager.Manager, namespace string) (cache.Cache, error) {
	made, err := labels.Parse(v1alpha1.LabelRelease)
	if err != nil {
		return nil, err
	}
	versioned, err := labels.Parse(v1alpha1.LabelServiceHash)
	if err != nil {
		return nil, err
	}
	services := cache.ByObject{Label: versioned}
	c, err := cache.New(mgr.GetConfig(), cache.Options{
		HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(),
		DefaultNamespaces:    map[string]cache.Config{namespace: {}},
		DefaultLabelSelector: made,
		ByObject:             map[client.Object]cache.ByObject{&appsv1.DaemonSet{}: services, &corev1.Pod{}: services},
		DefaultTransform:     cache.TransformStripManagedFields(),
	})
	if err != nil {
		return nil, fmt.Errorf("make the cache of what releases consist of: %w", err)
	}
	return c, mgr.Add(c)
}

// releaseSwitchChanged lets through what a release looks at in a Switch.
func releaseSwitchChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		a, b := e.ObjectOld.(*v1alpha1.Switch), e.ObjectNew.(*v1alpha1.Switch)
		return a.Generation != b.Generation || !equality.Semantic.DeepEqual(a.Labels, b.Labels) || disconnected(a) != disconnected(b) || drainReason(a) != drainReason(b)
	}}
}

// disconnected says why a switch's agent cannot do anything; empty if it can.
func disconnected(sw *v1alpha1.Switch) string {
	if c := meta.FindStatusCondition(sw.Status.Conditions, v1alpha1.SwitchConnected); c != nil && c.Status == "False" {
		return c.Message
	}
	return ""
}

// maintenanceChanged lets through what a release looks at in a SwitchConfig.
func maintenanceChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		a, b := e.ObjectOld.(*v1alpha1.SwitchConfig), e.ObjectNew.(*v1alpha1.SwitchConfig)
		return !equality.Semantic.DeepEqual(a.Spec.Maintenance, b.Spec.Maintenance) ||
			!equality.Semantic.DeepEqual(a.Status.Maintenance, b.Status.Maintenance) || release.Forwards(a) != release.Forwards(b)
	}}
}

// cableChanged lets through what a release looks at in a Link.
func cableChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		a, b := e.ObjectOld.(*v1alpha1.Link), e.ObjectNew.(*v1alpha1.Link)
		return !equality.Semantic.DeepEqual(a.Status.Ends, b.Status.Ends) || a.Status.State != b.Status.State
	}}
}

// releaseNodeChanged lets through what a release looks at in a Node.
func releaseNodeChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		a, b := e.ObjectOld.(*corev1.Node), e.ObjectNew.(*corev1.Node)
		return nodeReady(a) != nodeReady(b) || !equality.Semantic.DeepEqual(a.Labels, b.Labels)
	}}
}

// ignoreRaces leaves out the errors of writes that came too late, or twice: what
// there is now is seen by the next call.
func ignoreRaces(err error) error {
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return nil
	}
	return client.IgnoreNotFound(err)
}
