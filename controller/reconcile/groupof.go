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

// ofAttachment are the groups that it has a place in. Where the VPC has as many
// attachments as its class allows, one that comes or goes decides on others,
// anywhere.
func (r groupReconciler) ofAttachment(ctx context.Context, o client.Object) []types.NamespacedName {
	a := o.(*v1alpha1.VPCAttachment)
	if name := vpcOf(a); r.atLimit(ctx, name) {
		return append(r.ofPlaces(ctx, a), r.ofVPCNamed(ctx, name)...)
	}
	return r.ofPlaces(ctx, a)
}

// ofPlaces are the groups that an attachment has a place in.
func (r groupReconciler) ofPlaces(ctx context.Context, a *v1alpha1.VPCAttachment) []types.NamespacedName {
	selection, _, err := r.selected(ctx, a)
	if err != nil {
		return nil
	}
	var out []types.NamespacedName
	for _, name := range selection.switches() {
		out = append(out, r.named(ctx, name)...)
	}
	return out
}

// ofHostPlaces are the groups that a host is cabled to.
func (r groupReconciler) ofHostPlaces(ctx context.Context, o client.Object) []types.NamespacedName {
	ports := r.cabling.now.Load()
	if ports == nil {
		return nil
	}
	var out []types.NamespacedName
	for _, p := range ports.places[o.GetName()] {
		out = append(out, r.named(ctx, p.Switch)...)
	}
	return out
}

// atLimit says whether a VPC has all the attachments that its class allows.
func (r groupReconciler) atLimit(ctx context.Context, name types.NamespacedName) bool {
	var vpc v1alpha1.VPC
	var class v1alpha1.VPCClass
	if r.Get(ctx, name, &vpc, client.UnsafeDisableDeepCopy) != nil ||
		r.Get(ctx, client.ObjectKey{Name: vpc.Spec.Class}, &class, client.UnsafeDisableDeepCopy) != nil || class.Spec.Limits.MaxAttachments == nil {
		return false
	}
	all, err := r.attachmentsOf(ctx, name)
	return err == nil && len(all) >= int(*class.Spec.Limits.MaxAttachments)
}

func (r groupReconciler) ofVPC(ctx context.Context, o client.Object) []types.NamespacedName {
	return r.ofVPCs(ctx, r.around(ctx, peerDepth, client.ObjectKeyFromObject(o)))
}

// ofPeering are the groups of all VPCs that a peering can concern.
func (r groupReconciler) ofPeering(ctx context.Context, o client.Object) []types.NamespacedName {
	return r.ofVPCs(ctx, r.concerned(ctx, o.(*v1alpha1.VPCPeering)))
}

func (r groupReconciler) ofVPCs(ctx context.Context, vpcs []types.NamespacedName) []types.NamespacedName {
	var out []types.NamespacedName
	for _, vpc := range vpcs {
		out = append(out, r.ofVPCNamed(ctx, vpc)...)
	}
	return out
}

func (r groupReconciler) ofVPCNamed(ctx context.Context, name types.NamespacedName) []types.NamespacedName {
	attachments, err := r.attachmentsOf(ctx, name)
	if err != nil {
		return nil
	}
	var out []types.NamespacedName
	for _, a := range attachments {
		for _, group := range r.ofPlaces(ctx, a) {
			if !slices.Contains(out, group) {
				out = append(out, group)
			}
		}
	}
	for _, host := range r.needs.hostsOf(name) {
		for group := range r.groupsAt(ctx, host) {
			if !slices.Contains(out, group) {
				out = append(out, group)
			}
		}
	}
	return out
}

func (r groupReconciler) ofAllocation(ctx context.Context, o client.Object) []types.NamespacedName {
	s := o.(*v1alpha1.Allocation).Spec
	if s.Pool == v1alpha1.PoolAddresses {
		return nil
	}
	holder := s.Holder
	if holder.Kind == v1alpha1.KindSwitch {
		return r.named(ctx, holder.Name)
	}
	return r.ofVPCs(ctx, r.around(ctx, 1, holder.NamespacedName()))
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
