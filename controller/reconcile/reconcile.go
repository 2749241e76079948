// Package reconcile connects the planner with the API server: it watches what
// people want, allocates identifiers, has the touched redundancy groups
// compiled, and writes SwitchConfigs and conditions.
//
// Each reconciler writes one kind only:
//
//	node        Switch, Host   for each Node, with a role or without
//	fabric      Fabric         status
//	topology    Link           by topology.Build; makes the port map
//	switch      Switch         status: the conditions Cabled and Underlay
//	host        Host           status: the condition Cabled
//	vpc         Allocation     for VPCs; VPC status
//	allocation  Allocation     status, release; VTEPs and ASNs by group
//	group       SwitchConfig   spec, by plan.Build
//	attachment  VPCAttachment  status
//	peering     VPCPeering     status
//	pod         –              what the pods of a host need
//	network     –              events of NetworkAttachmentDefinitions
//	definition  –              notices that the cluster has these
//	hostconfig  HostConfig     spec, by plan.BuildHost; takes addresses for the host
//	address     Allocation     of addresses: status, release
//
// Everything is written by server-side apply under one field owner, and only
// when it differs from what the cache shows. What is worth remembering between
// calls (see progress) can be found out anew after a restart.
package reconcile

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// FieldOwner is the name under which the controller applies.
const FieldOwner = "switchlet-controller"

// How many objects of a kind are worked on at once. API calls are what they
// wait for, so those that only write statuses leave the API server to those
// that switches wait for.
const (
	workers       = 8
	statusWorkers = 2
)

// base is what all reconcilers need.
type base struct {
	client.Client
	live     client.Reader // the API server itself, not the cache
	events   events.EventRecorder
	progress *progress
	cabling  *cabling
	pods     *podCache
	needs    *needs
}

// CacheOptions is what the reconcilers need the cache of a manager to keep.
func CacheOptions() cache.Options {
	return cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject:         map[client.Object]cache.ByObject{&corev1.Node{}: {Transform: stripNode}},
	}
}

// Setup adds the reconcilers to a manager.
func Setup(ctx context.Context, mgr manager.Manager) error {
	if err := index(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	pods, err := newPodCache(ctx, mgr)
	if err != nil {
		return err
	}
	b := base{Client: mgr.GetClient(), live: mgr.GetAPIReader(), events: mgr.GetEventRecorder("switchlet-controller"), progress: newProgress(), cabling: newCabling(), pods: pods, needs: newNeeds()}
	for name, setup := range map[string]func(manager.Manager, base) error{
		"node":       setupNode,
		"fabric":     setupFabric,
		"topology":   setupTopology,
		"switch":     setupSwitch,
		"host":       setupHost,
		"vpc":        setupVPC,
		"allocation": setupAllocation,
		"group":      setupGroup,
		"attachment": setupAttachment,
		"peering":    setupPeering,
		"pod":        setupPod,
		"hostconfig": setupHostConfig,
	} {
		if err := setup(mgr, b); err != nil {
			return fmt.Errorf("set up the %s reconciler: %w", name, err)
		}
	}
	return nil
}

func options(workers int) controller.Options {
	return controller.Options{MaxConcurrentReconciles: workers}
}

// request asks for the reconciliation of one object.
func request(name types.NamespacedName) reconcile.Request {
	return reconcile.Request{NamespacedName: name}
}

func requests(names []types.NamespacedName) []reconcile.Request {
	out := make([]reconcile.Request, len(names))
	for i, n := range names {
		out[i] = request(n)
	}
	return out
}
