package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/plan"
)

// The indexes of the cache: how one object finds those that concern it without
// looking at all of them.
const (
	attachmentsByVPC    = "vpc"    // value: name; in the namespace of the VPC
	attachmentsBySwitch = "switch" // value: name; of those that name a port
	attachmentsByLabel  = "label"  // value: a label of the hosts that they select, or anyLabel
	hostsByLabel        = "label"  // value: each label
	allocationsByHolder = "holder" // value: pool and holder
	allocationsByPhase  = "phase"
	switchesByGroup     = "group"  // value: plan.GroupOf
	allocationsBySingle = "single" // value: VNI; of the addresses that pods and claims have
	allocationsByUser   = "user"
	vpcsByClass         = "class"
	hostConfigsByVPC    = "vpc"        // value: each VPC
	configsTakenBack    = "taken back" // value: whether a VPC was
	configsByVPC        = "vpc"        // value: each VPC that has a VRF there
	peeringsByVPC       = "vpc"        // value: the VPC that consents
	peeringsByPeer      = "peer"       // value: the VPC that it names
)

// index declares them.
func index(ctx context.Context, indexer client.FieldIndexer) error {
	for _, i := range []struct {
		object client.Object
		field  string
		value  func(client.Object) string
	}{
		{&v1alpha1.VPCAttachment{}, attachmentsByVPC, func(o client.Object) string { return o.(*v1alpha1.VPCAttachment).Spec.VPC }},
		{&v1alpha1.VPCAttachment{}, attachmentsBySwitch, func(o client.Object) string { return o.(*v1alpha1.VPCAttachment).Spec.Port.Switch }},
		{&v1alpha1.VPCAttachment{}, attachmentsByLabel, func(o client.Object) string { return labelOf(o.(*v1alpha1.VPCAttachment).Spec.Hosts) }},
		{&v1alpha1.Allocation{}, allocationsByHolder, func(o client.Object) string { return holderKey(&o.(*v1alpha1.Allocation).Spec) }},
		{&v1alpha1.Allocation{}, allocationsByPhase, func(o client.Object) string { return string(o.(*v1alpha1.Allocation).Status.Phase) }},
		{&v1alpha1.Allocation{}, allocationsBySingle, func(o client.Object) string { return singleOf(o.(*v1alpha1.Allocation)) }},
		{&v1alpha1.Allocation{}, allocationsByUser, func(o client.Object) string {
			if user := o.(*v1alpha1.Allocation).Spec.User; user != nil {
				return user.String()
			}
			return ""
		}},
		{&v1alpha1.Switch{}, switchesByGroup, func(o client.Object) string { return plan.GroupOf(o.(*v1alpha1.Switch)) }},
		{&v1alpha1.SwitchConfig{}, configsTakenBack, func(o client.Object) string {
			return strconv.FormatBool(len(plan.CondemnedOn(o.(*v1alpha1.SwitchConfig))) > 0)
		}},
		{&v1alpha1.VPCPeering{}, peeringsByVPC, func(o client.Object) string { return plan.ConsentingVPC(o.(*v1alpha1.VPCPeering)).String() }},
		{&v1alpha1.VPCPeering{}, peeringsByPeer, func(o client.Object) string { return plan.PeerVPC(o.(*v1alpha1.VPCPeering)).String() }},
		{&v1alpha1.VPC{}, vpcsByClass, func(o client.Object) string { return o.(*v1alpha1.VPC).Spec.Class }},
	} {
		if err := indexer.IndexField(ctx, i.object, i.field, func(o client.Object) []string { return []string{i.value(o)} }); err != nil {
			return fmt.Errorf("index %T by %s: %w", i.object, i.field, err)
		}
	}
	if err := indexer.IndexField(ctx, &v1alpha1.Host{}, hostsByLabel, func(o client.Object) []string { return pairs(o.GetLabels()) }); err != nil {
		return fmt.Errorf("index Hosts by label: %w", err)
	}
	if err := indexer.IndexField(ctx, &v1alpha1.HostConfig{}, hostConfigsByVPC, vpcsOfHost); err != nil {
		return fmt.Errorf("index HostConfigs by VPC: %w", err)
	}
	err := indexer.IndexField(ctx, &v1alpha1.SwitchConfig{}, configsByVPC, func(o client.Object) []string {
		var out []string
		for _, vpc := range vpcsOfSwitch(o.(*v1alpha1.SwitchConfig)) {
			out = append(out, vpc.String())
		}
		return out
	})
	if err != nil {
		return fmt.Errorf("index SwitchConfigs by VPC: %w", err)
	}
	return nil
}

// vpcsOfHost are the VPCs that a HostConfig has subnets of.
func vpcsOfHost(o client.Object) []string {
	var out []string
	for _, n := range o.(*v1alpha1.HostConfig).Spec.Networks {
		out = append(out, n.Owner.NamespacedName().String())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// anyLabel stands for attachments that select hosts by something else than the
// value of a label.
const anyLabel = "*"

// labelOf is a label that every selected host has, by which few hosts look for
// the attachment; empty if none is selected.
func labelOf(h *v1alpha1.HostSelection) string {
	switch {
	case h == nil:
		return ""
	case h.All || len(h.Selector.MatchLabels) == 0:
		return anyLabel
	}
	return slices.Min(pairs(h.Selector.MatchLabels))
}

// pairs are labels as the indexes have them.
func pairs(labels map[string]string) []string {
	out := make([]string, 0, len(labels))
	for k, v := range labels {
		out = append(out, k+"="+v)
	}
	return out
}

// holderKey is the same for all Allocations of one pool for one holder.
func holderKey(s *v1alpha1.AllocationSpec) string {
	return string(s.Pool) + " " + s.Holder.String()
}

// allocations are those of a pool for a holder.
func (b base) allocations(ctx context.Context, pool v1alpha1.PoolName, holder v1alpha1.Holder) ([]*v1alpha1.Allocation, error) {
	var list v1alpha1.AllocationList
	key := holderKey(&v1alpha1.AllocationSpec{Pool: pool, Holder: holder})
	if err := b.List(ctx, &list, client.MatchingFields{allocationsByHolder: key}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the allocations of %s: %w", holder, err)
	}
	return pointers(list.Items), nil
}

// attachmentsOf are the attachments that name a VPC, whether it exists or not.
func (b base) attachmentsOf(ctx context.Context, vpc types.NamespacedName) ([]*v1alpha1.VPCAttachment, error) {
	var list v1alpha1.VPCAttachmentList
	if err := b.List(ctx, &list, client.InNamespace(vpc.Namespace), client.MatchingFields{attachmentsByVPC: vpc.Name}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the attachments of VPC %s: %w", vpc, err)
	}
	return pointers(list.Items), nil
}

// attachmentsOn are the attachments that name a switch.
func (b base) attachmentsOn(ctx context.Context, name string) ([]*v1alpha1.VPCAttachment, error) {
	var list v1alpha1.VPCAttachmentList
	if err := b.List(ctx, &list, client.MatchingFields{attachmentsBySwitch: name}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the attachments on %s: %w", name, err)
	}
	return pointers(list.Items), nil
}

func pointers[T any](items []T) []*T {
	out := make([]*T, len(items))
	for i := range items {
		out[i] = &items[i]
	}
	return out
}
