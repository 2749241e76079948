package reconcile

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/plan"
)

// The groups that a change of an object concerns.

func (r groupReconciler) ofSwitch(_ context.Context, o client.Object) []types.NamespacedName {
	return []types.NamespacedName{{Name: plan.GroupOf(o.(*v1alpha1.Switch))}}
}

func (r groupReconciler) ofConfig(ctx context.Context, o client.Object) []types.NamespacedName {
	return r.named(ctx, o.GetName())
}

func (r groupReconciler) ofAttachment(ctx context.Context, o client.Object) []types.NamespacedName {
	return r.named(ctx, o.(*v1alpha1.VPCAttachment).Spec.Port.Switch)
}

func (r groupReconciler) ofVPC(ctx context.Context, o client.Object) []types.NamespacedName {
	attachments, err := r.attachmentsOf(ctx, client.ObjectKeyFromObject(o))
	if err != nil {
		return nil
	}
	var out []types.NamespacedName
	for _, a := range attachments {
		for _, group := range r.ofAttachment(ctx, a) {
			if !slices.Contains(out, group) {
				out = append(out, group)
			}
		}
	}
	return out
}

func (r groupReconciler) ofAllocation(ctx context.Context, o client.Object) []types.NamespacedName {
	holder := o.(*v1alpha1.Allocation).Spec.Holder
	if holder.Kind == v1alpha1.KindSwitch {
		return r.named(ctx, holder.Name)
	}
	vpc := v1alpha1.VPC{}
	vpc.Namespace, vpc.Name = holder.Namespace, holder.Name
	return r.ofVPC(ctx, &vpc)
}

// all are all groups.
func (r groupReconciler) all(ctx context.Context, _ client.Object) []types.NamespacedName {
	var list v1alpha1.SwitchList
	if err := r.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}
	var out []types.NamespacedName
	for i := range list.Items {
		out = append(out, types.NamespacedName{Name: plan.GroupOf(&list.Items[i])})
	}
	return out
}

// named is the group of the switch of that name, if there is one.
func (r groupReconciler) named(ctx context.Context, name string) []types.NamespacedName {
	var sw v1alpha1.Switch
	if err := r.Get(ctx, client.ObjectKey{Name: name}, &sw, client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}
	return r.ofSwitch(ctx, &sw)
}

// samePorts says whether two versions of a Switch are the same to the planner.
func samePorts(a, b *v1alpha1.Switch) bool {
	return slices.Equal(a.Status.Ports, b.Status.Ports) &&
		slices.Equal(a.Status.ForeignVLANs, b.Status.ForeignVLANs)
}
