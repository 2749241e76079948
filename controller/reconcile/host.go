package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/plan"
	"github.com/switchlet/switchlet/controller/topology"
)

// nodeLabels is the annotation of a Host that was made for a Node: the keys of
// the labels that are the Node's, with commas. The others were set by hand.
const nodeLabels = v1alpha1.Group + "/node-labels"

// joinHost makes the Host of a Node and keeps its labels those of the Node. What
// was labelled by hand stays, also where the Node says something else.
func (r nodeReconciler) joinHost(ctx context.Context, node *corev1.Node) error {
	var sw v1alpha1.Switch
	if err := r.Get(ctx, client.ObjectKey{Name: node.Name}, &sw, client.UnsafeDisableDeepCopy); !apierrors.IsNotFound(err) {
		return err // a Switch whose Node does not say so
	}
	var have v1alpha1.Host
	err := r.Get(ctx, client.ObjectKey{Name: node.Name}, &have, client.UnsafeDisableDeepCopy)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("get Host %s: %w", node.Name, err)
	}
	want := hostLabels(node.Labels, &have)
	if err == nil && sameLabels(&have, want) {
		return nil
	}
	err = r.applyHost(ctx, node.Name, want)
	if apierrors.IsConflict(err) { // somebody has taken a label over
		maps.DeleteFunc(want, func(key, value string) bool { return have.Labels[key] != value })
		err = r.applyHost(ctx, node.Name, want)
	}
	if err != nil {
		return fmt.Errorf("label Host %s as its Node: %w", node.Name, err)
	}
	return nil
}

// hostLabels are the labels of a Node that its Host is to have: those that it has
// from the Node, and those that it has from nobody.
func hostLabels(node map[string]string, host *v1alpha1.Host) map[string]string {
	ours := strings.Split(host.Annotations[nodeLabels], ",")
	out := make(map[string]string, len(node))
	for key, value := range node {
		if _, there := host.Labels[key]; !there || slices.Contains(ours, key) {
			out[key] = value
		}
	}
	return out
}

// sameLabels says whether a Host has these labels of its Node, and no others of it.
func sameLabels(host *v1alpha1.Host, want map[string]string) bool {
	ours, made := host.Annotations[nodeLabels]
	if !made || ours != joined(want) {
		return false
	}
	for key, value := range want {
		if host.Labels[key] != value {
			return false
		}
	}
	return true
}

func joined(labels map[string]string) string {
	return strings.Join(slices.Sorted(maps.Keys(labels)), ",")
}

func (r nodeReconciler) applyHost(ctx context.Context, name string, labels map[string]string) error {
	patch, err := applyPatch("Host", manifestMetadata{Name: name, Labels: labels, Annotations: map[string]string{nodeLabels: joined(labels)}}, nil, nil)
	if err != nil {
		return err
	}
	return r.Patch(ctx, &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: name}}, patch, client.FieldOwner(FieldOwner))
}

// leaveHost deletes the Host that was made for a Node before it was known to be a
// switch.
func (r nodeReconciler) leaveHost(ctx context.Context, name string) error {
	var have v1alpha1.Host
	if err := r.Get(ctx, client.ObjectKey{Name: name}, &have); err != nil {
		return client.IgnoreNotFound(err)
	}
	if _, made := have.Annotations[nodeLabels]; !made {
		return nil
	}
	if err := r.Delete(ctx, &have, client.Preconditions{UID: &have.UID}); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete Host %s, which is a switch: %w", name, err)
	}
	return nil
}

// hostReconciler says on a Host how it is cabled.
type hostReconciler struct{ base }

func setupHost(mgr manager.Manager, b base) error {
	return builder.ControllerManagedBy(mgr).Named("host").
		For(&v1alpha1.Host{}, builder.WithPredicates(conditionsChanged())).
		WatchesRawSource(fromProgress(b.cabling.hosts)).
		WithOptions(options(statusWorkers)).
		Complete(hostReconciler{b})
}

func (r hostReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	ports := r.cabling.now.Load()
	if ports == nil {
		return reconcile.Result{}, nil
	}
	var h v1alpha1.Host
	if err := r.Get(ctx, req.NamespacedName, &h, client.UnsafeDisableDeepCopy); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	ref := v1alpha1.ObjectReference{Kind: v1alpha1.KindHost, Name: h.Name}
	problems := ports.ProblemsOf(ref)
	cabled := told(&h, v1alpha1.HostCabled, problems, v1alpha1.HostCabled, cabledAt(ports.places[h.Name]))
	if len(problems) == 0 && len(ports.places[h.Name]) == 0 {
		cabled.Status, cabled.Reason = metav1.ConditionUnknown, "NoCable"
		cabled.Message = plan.WhyNoPort(&h, "").String()
	}
	return reconcile.Result{}, r.applyConditions(ctx, "Host", &h, h.Status.Conditions, noted(cabled, ports.NotesOf(ref)))
}

// cabledAt is where the NICs of a host are, the first few of them.
func cabledAt(places []topology.Place) string {
	const most = 8
	var parts []string
	for _, p := range places[:min(len(places), most)] {
		parts = append(parts, fmt.Sprintf("%s is at %s/%s", p.NIC, p.Switch, p.Port))
	}
	text := strings.Join(parts, ", ")
	if rest := len(places) - most; rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text + "."
}
