package reconcile

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// nodeRoles are the roles by the value of v1alpha1.LabelRole.
func nodeRole(label string) (v1alpha1.SwitchRole, bool) {
	role, ok := map[string]v1alpha1.SwitchRole{
		"leaf": v1alpha1.RoleLeaf, "spine": v1alpha1.RoleSpine, "border": v1alpha1.RoleBorder,
	}[label]
	return role, ok
}

// nodeReconciler makes a Switch for each Node that joins with a role, and a Host
// for every other one. A Switch that exists is the network team's and stays as it
// is; to a Host the labels of its Node are added.
type nodeReconciler struct{ base }

func setupNode(mgr manager.Manager, b base) error {
	generation := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	labels := builder.WithPredicates(predicate.Or(predicate.LabelChangedPredicate{}, predicate.AnnotationChangedPredicate{}))
	return builder.ControllerManagedBy(mgr).Named("node").
		For(&corev1.Node{}, builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(&v1alpha1.Switch{}, sameName(), generation).
		Watches(&v1alpha1.Host{}, sameName(), labels).
		WithOptions(options(statusWorkers)).
		Complete(nodeReconciler{b})
}

// stripNode leaves of a Node what is looked at: its labels and whether it is
// heard.
func stripNode(o any) (any, error) {
	node, ok := o.(*corev1.Node)
	if !ok {
		return o, nil
	}
	node.ManagedFields, node.Annotations, node.Spec = nil, nil, corev1.NodeSpec{}
	var ready []corev1.NodeCondition
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			ready = append(ready, c)
		}
	}
	node.Status = corev1.NodeStatus{Conditions: ready}
	return node, nil
}

func (r nodeReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var node corev1.Node
	if err := r.Get(ctx, req.NamespacedName, &node); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	label := node.Labels[v1alpha1.LabelRole]
	if label == "" {
		return reconcile.Result{}, r.joinHost(ctx, &node)
	}
	role, ok := nodeRole(label)
	if !ok {
		r.events.Eventf(&node, nil, corev1.EventTypeWarning, "UnknownRole", "Join",
			"label %s: %q is not a role. Use leaf, spine or border.", v1alpha1.LabelRole, label)
		return reconcile.Result{}, nil
	}
	if err := r.join(ctx, node.Name, role); err != nil {
		return reconcile.Result{}, err
	}
	if err := r.leaveHost(ctx, node.Name); err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, r.showRole(ctx, &node, label)
}

// join makes the Switch of a Node unless there is one.
func (r nodeReconciler) join(ctx context.Context, name string, role v1alpha1.SwitchRole) error {
	var have v1alpha1.Switch
	if err := r.Get(ctx, client.ObjectKey{Name: name}, &have); !apierrors.IsNotFound(err) {
		return err
	}
	sw := v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.SwitchSpec{Role: role}}
	if err := r.Create(ctx, &sw, client.FieldOwner(FieldOwner)); client.IgnoreAlreadyExists(err) != nil {
		return fmt.Errorf("create Switch %s: %w", name, err)
	}
	return nil
}

// showRole sets the label that kubectl get nodes shows as the role. A kubelet
// may not set it itself.
func (r nodeReconciler) showRole(ctx context.Context, node *corev1.Node, role string) error {
	key := "node-role.kubernetes.io/" + role
	if _, ok := node.Labels[key]; ok {
		return nil
	}
	data, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]string{key: ""}}})
	if err != nil {
		return err
	}
	if err := r.Patch(ctx, node, client.RawPatch(types.MergePatchType, data)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("label Node %s with its role: %w", node.Name, err)
	}
	return nil
}
