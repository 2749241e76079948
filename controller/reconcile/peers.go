package reconcile

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
	"github.com/switchlet/switchlet/controller/plan"
)

// peerDepth is how far a change of a VPC or of a peering reaches: a VPC's peers take its
// routes over, and whether theirs peer with them can depend on it, too.
const peerDepth = 2

// peeringsOf are those by which a VPC consents.
func (b base) peeringsOf(ctx context.Context, vpc types.NamespacedName) ([]*v1alpha1.VPCPeering, error) {
	return b.peeringsBy(ctx, peeringsByVPC, vpc)
}

// peeringsBy are those that name a VPC in the one way or the other.
func (b base) peeringsBy(ctx context.Context, index string, vpc types.NamespacedName) ([]*v1alpha1.VPCPeering, error) {
	var list v1alpha1.VPCPeeringList
	if err := b.List(ctx, &list, client.MatchingFields{index: vpc.String()}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the peerings of VPC %s: %w", vpc, err)
	}
	return pointers(list.Items), nil
}

// peers adds to what peerings are judged by all that those of some VPCs need.
func (b base) peers(ctx context.Context, pools *alloc.Pools, classes map[string]*v1alpha1.VPCClass, names ...types.NamespacedName) (plan.Peers, error) {
	out := plan.Peers{
		HaveFabric: pools != nil, Classes: classes,
		VPCs: map[types.NamespacedName]*v1alpha1.VPC{}, Peerings: map[types.NamespacedName][]*v1alpha1.VPCPeering{},
	}
	for depth := 0; depth <= peerDepth && len(names) > 0; depth++ {
		var next []types.NamespacedName
		for _, name := range names {
			if _, known := out.Peerings[name]; known {
				continue
			}
			list, err := b.addPeer(ctx, &out, name)
			if err != nil {
				return out, err
			}
			for _, p := range list {
				next = append(next, plan.PeerVPC(p))
			}
		}
		names = next
	}
	return out, nil
}

// addPeer adds a VPC, as far as it exists and consents to anything, and its peerings.
func (b base) addPeer(ctx context.Context, to *plan.Peers, name types.NamespacedName) ([]*v1alpha1.VPCPeering, error) {
	list, err := b.peeringsOf(ctx, name)
	to.Peerings[name] = list
	if err != nil || len(list) == 0 {
		return nil, err
	}
	var vpc v1alpha1.VPC
	if err := b.Get(ctx, name, &vpc, client.UnsafeDisableDeepCopy); apierrors.IsNotFound(err) {
		return list, nil
	} else if err != nil {
		return nil, fmt.Errorf("get VPC %s: %w", name, err)
	}
	to.VPCs[name] = &vpc
	_, err = b.class(ctx, to.Classes, vpc.Spec.Class)
	return list, err
}

// around are a VPC and those that its peerings, or those with it, lead to in so many
// steps. What can't be found out now is left out.
func (b base) around(ctx context.Context, depth int, names ...types.NamespacedName) []types.NamespacedName {
	out := slices.Clone(names)
	for at, end := 0, len(out); depth > 0; depth, end = depth-1, len(out) {
		for ; at < end; at++ {
			for _, peer := range b.neighbours(ctx, out[at]) {
				if !slices.Contains(out, peer) {
					out = append(out, peer)
				}
			}
		}
	}
	return out
}

// neighbours are the VPCs that a VPC names as its peers, or that name it.
func (b base) neighbours(ctx context.Context, vpc types.NamespacedName) []types.NamespacedName {
	own, err1 := b.peeringsBy(ctx, peeringsByVPC, vpc)
	others, err2 := b.peeringsBy(ctx, peeringsByPeer, vpc)
	if err1 != nil || err2 != nil {
		return nil
	}
	var out []types.NamespacedName
	for _, p := range own {
		out = append(out, plan.PeerVPC(p))
	}
	for _, p := range others {
		out = append(out, plan.ConsentingVPC(p))
	}
	return out
}

// concerned are the VPCs that a change of a peering can concern.
func (b base) concerned(ctx context.Context, p *v1alpha1.VPCPeering) []types.NamespacedName {
	return b.around(ctx, peerDepth, plan.ConsentingVPC(p), plan.PeerVPC(p))
}
